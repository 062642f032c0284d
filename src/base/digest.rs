//! Kinds of checksums.

/// Kinds of checksums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // spelled as in the control file
pub enum Hash {
    Md5,
    Sha1,
    Sha256,
}
