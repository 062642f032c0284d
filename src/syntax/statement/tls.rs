//! Options of encrypted connections as they were written.

use super::super::source::Text;
use super::{Hash, Number};

/// One line of `ssl { … }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsOption {
    /// `version: …`; true for those that are switched off with a minus sign.
    Version(Vec<(TlsVersion, bool)>),
    /// `verify: enable` or `disable`
    Verify(bool),
    /// `selfsigned: allow` or `reject`
    SelfSigned(bool),
    /// `ciphers: LIST`
    Ciphers(Text),
    /// `pemfile: PATH` and its kin
    File(TlsFile, Text),
}

/// Files that `ssl { … }` can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // spelled as in the control file
pub enum TlsFile {
    PemFile,
    PemChain,
    PemKey,
    ClientPemFile,
    CaCertificateFile,
    CaCertificatePath,
}

impl TlsFile {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            TlsFile::PemFile => "pemfile",
            TlsFile::PemChain => "pemchain",
            TlsFile::PemKey => "pemkey",
            TlsFile::ClientPemFile => "clientpemfile",
            TlsFile::CaCertificateFile => "cacertificatefile",
            TlsFile::CaCertificatePath => "cacertificatepath",
        }
    }
}

/// Versions of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // spelled as in the control file
pub enum TlsVersion {
    Auto,
    SslV2,
    SslV3,
    TlsV1,
    TlsV11,
    TlsV12,
    TlsV13,
}

impl TlsVersion {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            TlsVersion::Auto => "auto",
            TlsVersion::SslV2 => "sslv2",
            TlsVersion::SslV3 => "sslv3",
            TlsVersion::TlsV1 => "tlsv1",
            TlsVersion::TlsV11 => "tlsv11",
            TlsVersion::TlsV12 => "tlsv12",
            TlsVersion::TlsV13 => "tlsv13",
        }
    }
}

/// How a connection shall be encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsUse {
    /// `ssl [{ … }]`
    Options(Vec<TlsOption>),
    /// A version alone, such as `tlsv12`.
    Version(TlsVersion),
    /// `certificate checksum [md5] HASH`
    Checksum(Checksum),
}

/// A checksum of a certificate or key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    /// The kind, when it is named.
    pub kind: Option<Hash>,
    /// The checksum.
    pub expected: Text,
}

/// `certificate valid for N days`
pub type ValidDays = Number;
