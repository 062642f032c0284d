//! Kinds of checksums.

/// Kinds of checksums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // spelled as in the control file
pub enum Hash {
    Md5,
    Sha1,
    Sha256,
}

/// What password hashes made of MD5 begin with: crypt(3)'s, and that of Apache's htpasswd.
pub const MD5_MAGICS: [&str; 2] = ["$1$", "$apr1$"];
