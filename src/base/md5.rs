//! MD5 (RFC 1321), and the password hash that is made of it ($1$ of crypt(3), $apr1$ of Apache's htpasswd).
//!
//! Here, because a build without OpenSSL, or with one that allows approved algorithms only, has to read old password files
//! too. For nothing else: whoever makes a new file has better ones.

const SINES: [u32; 64] = [
    0xd76a_a478,
    0xe8c7_b756,
    0x2420_70db,
    0xc1bd_ceee,
    0xf57c_0faf,
    0x4787_c62a,
    0xa830_4613,
    0xfd46_9501,
    0x6980_98d8,
    0x8b44_f7af,
    0xffff_5bb1,
    0x895c_d7be,
    0x6b90_1122,
    0xfd98_7193,
    0xa679_438e,
    0x49b4_0821,
    0xf61e_2562,
    0xc040_b340,
    0x265e_5a51,
    0xe9b6_c7aa,
    0xd62f_105d,
    0x0244_1453,
    0xd8a1_e681,
    0xe7d3_fbc8,
    0x21e1_cde6,
    0xc337_07d6,
    0xf4d5_0d87,
    0x455a_14ed,
    0xa9e3_e905,
    0xfcef_a3f8,
    0x676f_02d9,
    0x8d2a_4c8a,
    0xfffa_3942,
    0x8771_f681,
    0x6d9d_6122,
    0xfde5_380c,
    0xa4be_ea44,
    0x4bde_cfa9,
    0xf6bb_4b60,
    0xbebf_bc70,
    0x289b_7ec6,
    0xeaa1_27fa,
    0xd4ef_3085,
    0x0488_1d05,
    0xd9d4_d039,
    0xe6db_99e5,
    0x1fa2_7cf8,
    0xc4ac_5665,
    0xf429_2244,
    0x432a_ff97,
    0xab94_23a7,
    0xfc93_a039,
    0x655b_59c3,
    0x8f0c_cc92,
    0xffef_f47d,
    0x8584_5dd1,
    0x6fa8_7e4f,
    0xfe2c_e6e0,
    0xa301_4314,
    0x4e08_11a1,
    0xf753_7e82,
    0xbd3a_f235,
    0x2ad7_d2bb,
    0xeb86_d391,
];

const SHIFTS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];

/// The digest of the parts, one behind the other.
pub fn md5(parts: &[&[u8]]) -> [u8; 16] {
    let mut bytes = parts.concat();
    let bits = (bytes.len() as u64).wrapping_mul(8);
    bytes.push(0x80);
    let padded = (bytes.len() + 8).next_multiple_of(64);
    bytes.resize(padded - 8, 0);
    bytes.extend(bits.to_le_bytes());
    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    for block in bytes.chunks_exact(64) {
        add_block(&mut state, block);
    }
    let mut digest = [0; 16];
    for (place, byte) in digest.iter_mut().zip(state.iter().flat_map(|word| word.to_le_bytes())) {
        *place = byte;
    }
    digest
}

fn add_block(state: &mut [u32; 4], block: &[u8]) {
    let mut words = [0_u32; 16];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
    }
    let [mut a, mut b, mut c, mut d] = *state;
    for (step, sine) in SINES.iter().enumerate() {
        let (mixed, place) = match step / 16 {
            0 => ((b & c) | (!b & d), step),
            1 => ((d & b) | (!d & c), 5 * step + 1),
            2 => (b ^ c ^ d, 3 * step + 5),
            _ => (c ^ (b | !d), 7 * step),
        };
        let word = words.get(place % 16).copied().unwrap_or_default();
        let shift = SHIFTS.get(step / 16).and_then(|row| row.get(step % 4)).copied().unwrap_or_default();
        let sum = a.wrapping_add(mixed).wrapping_add(*sine).wrapping_add(word);
        (a, d, c, b) = (d, c, b, b.wrapping_add(sum.rotate_left(shift)));
    }
    for (word, new) in state.iter_mut().zip([a, b, c, d]) {
        *word = word.wrapping_add(new);
    }
}

/// What hashes of this kind begin with.
pub const MAGICS: [&str; 2] = ["$1$", "$apr1$"];

/// The hash of a password with the magic and the salt of `setting`, which may be a whole hash; `None` when it is of another
/// kind.
pub fn password_hash(password: &[u8], setting: &str) -> Option<String> {
    let magic = MAGICS.into_iter().find(|magic| setting.starts_with(magic))?;
    let salt = setting.strip_prefix(magic)?.split('$').next()?;
    let salt = salt.get(..salt.len().min(8))?;
    let mut digest = md5(&[password, salt.as_bytes(), password]);
    let mut first = [password, magic.as_bytes(), salt.as_bytes()].concat();
    let mut left = password.len();
    while left > 0 {
        first.extend(digest.iter().take(left));
        left = left.saturating_sub(16);
    }
    let mut bits = password.len();
    while bits > 0 {
        first.push(if bits & 1 == 1 { 0 } else { password.first().copied().unwrap_or_default() });
        bits >>= 1;
    }
    digest = md5(&[&first]);
    for round in 0..1000 {
        let salt = if round % 3 == 0 { &[][..] } else { salt.as_bytes() };
        let again = if round % 7 == 0 { &[][..] } else { password };
        digest = match round % 2 {
            0 => md5(&[&digest, salt, again, password]),
            _ => md5(&[password, salt, again, &digest]),
        };
    }
    Some(format!("{magic}{}${}", setting.strip_prefix(magic)?.get(..salt.len())?, letters(&digest)))
}

/// The digest in the order and the letters of crypt(3).
fn letters(digest: &[u8; 16]) -> String {
    const LETTERS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const ORDER: [[usize; 3]; 5] = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]];
    let mut text = String::new();
    let mut put = |mut value: u32, count: usize| {
        for _ in 0..count {
            text.extend(LETTERS.get(value as usize & 63).map(|letter| char::from(*letter)));
            value >>= 6;
        }
    };
    let byte = |place: usize| u32::from(digest.get(place).copied().unwrap_or_default());
    for [high, middle, low] in ORDER {
        put(byte(high) << 16 | byte(middle) << 8 | byte(low), 4);
    }
    put(byte(11), 2);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> String {
        md5(&[text.as_bytes()]).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn digests_are_those_of_the_rfc() {
        // RFC 1321, A.5
        assert_eq!(hex(""), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(hex("a"), "0cc175b9c0f1b6a831c399e269772661");
        assert_eq!(hex("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
        assert_eq!(hex(&"1234567890".repeat(8)), "57edf4a22be3c955ac49da2e2107b67a");
        assert_eq!(md5(&[b"mess", b"", b"age digest"]), md5(&[b"message digest"]));
    }

    #[test]
    fn every_length_around_a_block_is_padded_right() {
        // Made with openssl dgst -md5.
        for (length, digest) in [
            (55, "04364420e25c512fd958a70738aa8f72"),
            (56, "668a72d5ba17f08e62dabcafad6db14b"),
            (57, "693037871c4a9d3d8685018905cb530a"),
            (63, "7dc2ca208106a2f703567bdff99d8981"),
            (64, "c1bb4f81d892b2d57947682aeb252456"),
            (65, "1bc932052302d074bdec39795fe00cf6"),
            (119, "ab347a5f68c8a443cfcddc633f12c24f"),
            (120, "fb98667f98096de92620b64f46e1c5b5"),
            (128, "d69cb61a6ee87200676eb0d4b90edbcb"),
        ] {
            assert_eq!(hex(&"x".repeat(length)), digest, "{length}");
        }
    }

    #[test]
    fn password_hashes_are_those_of_openssl_passwd() {
        for (password, hash) in [
            ("b", "$apr1$abcdefgh$k74HMkv1qiXQsM2Wp4E/n1"),
            ("b", "$1$abcdefgh$b87kcZGCHxnDcs5/seZNN1"),
            ("a long pass phrase of more than sixteen", "$apr1$xy$xs34rQuHL8lkvGtR48lPs/"),
            ("secret", "$1$saltsalt$9xy1btjgzLYfb7hivXtC//"),
            ("p4ssw0rd", "$apr1$12345678$74G2Po8G18g7F4L/ix72w0"),
        ] {
            assert_eq!(password_hash(password.as_bytes(), hash).as_deref(), Some(hash), "{password}");
        }
        assert_eq!(password_hash(b"b", "$6$abcdefgh$x"), None);
        assert_eq!(password_hash(b"b", "plain"), None);
        assert!(password_hash(b"b", "$1$").is_some_and(|hash| hash.starts_with("$1$$")));
        assert!(password_hash(b"b", "$apr1$\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}$x").is_some());
        assert_eq!(password_hash(b"b", "$1$1234567\u{e9}$x"), None);
    }
}
