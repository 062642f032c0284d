//! The password hash that is made of MD5: $1$ of crypt(3), and $apr1$ of Apache's htpasswd, which crypt(3) does not know. It is
//! computed by the library of [`super::digest`].

use super::digest::{self, DigestError};
use crate::base::digest::{Hash, MD5_MAGICS};

/// The hash of a password with the magic and the salt of `setting`, which may be a whole hash; `None` when it is of another
/// kind.
///
/// # Errors
/// [`DigestError::NotBuilt`], [`DigestError::Refused`].
pub fn password_hash(password: &[u8], setting: &str) -> Result<Option<String>, DigestError> {
    match parts(setting) {
        Some((magic, salt)) => hash(password, magic, salt).map(Some),
        None => Ok(None),
    }
}

/// The magic and the salt, of which no more than 8 bytes count.
fn parts(setting: &str) -> Option<(&'static str, &str)> {
    let magic = MD5_MAGICS.into_iter().find(|magic| setting.starts_with(magic))?;
    let salt = setting.strip_prefix(magic)?.split('$').next()?;
    Some((magic, salt.get(..salt.len().min(8))?))
}

fn md5(parts: &[&[u8]]) -> Result<Vec<u8>, DigestError> {
    digest::of_bytes(Hash::Md5, parts)
}

fn hash(password: &[u8], magic: &str, salt: &str) -> Result<String, DigestError> {
    let mut digest = md5(&[password, salt.as_bytes(), password])?;
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
    digest = md5(&[&first])?;
    for round in 0..1000 {
        let salt = if round % 3 == 0 { &[][..] } else { salt.as_bytes() };
        let again = if round % 7 == 0 { &[][..] } else { password };
        digest = match round % 2 {
            0 => md5(&[&digest, salt, again, password])?,
            _ => md5(&[password, salt, again, &digest])?,
        };
    }
    Ok(format!("{magic}{salt}${}", letters(&digest)))
}

/// The digest in the order and the letters of crypt(3).
fn letters(digest: &[u8]) -> String {
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
#[cfg(feature = "tls")]
mod tests {

    fn password_hash(password: &[u8], setting: &str) -> Option<String> {
        super::password_hash(password, setting).unwrap()
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
