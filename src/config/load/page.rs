//! What encryption of the page needs, from the files that the control file names.

use std::path::Path;

use super::super::model::Tls;
use super::super::world::{PEM_MAX, World};
use crate::syntax::statement::{TlsFile, TlsVersion};
use crate::sys::tls::{Acceptor, Identity, TlsError, Version};

/// The server that `ssl` of `set httpd` asks for, with the files as `world` has them.
///
/// # Errors
/// Why there can be none, in words.
pub fn acceptor(tls: &Tls, world: &dyn World) -> Result<Acceptor, String> {
    let path = |wanted| tls.files.iter().find(|(file, _)| *file == wanted).map(|(_, path)| path.as_path());
    let read = |path: &Path| {
        world.read_data(path, PEM_MAX).map_err(|error| format!("the file '{}' cannot be read: {error}", path.display()))
    };
    let (chain, key) = match path(TlsFile::PemFile) {
        Some(both) => (both, both),
        None => {
            let parts = path(TlsFile::PemChain).zip(path(TlsFile::PemKey));
            parts.ok_or("it needs 'pemfile', or 'pemchain' and 'pemkey'")?
        }
    };
    let clients = path(TlsFile::ClientPemFile);
    let identity = Identity {
        certificates: read(chain)?,
        key: read(key)?,
        clients: clients.map(read).transpose()?,
        versions: versions(&tls.versions),
        ciphers: tls.ciphers.clone(),
    };
    Acceptor::new(&identity).map_err(|error| match &error {
        TlsError::NoCertificate => with_files(&error, [chain]),
        TlsError::NoKey(_) => with_files(&error, [key]),
        TlsError::OtherKey => with_files(&error, [key, chain]),
        TlsError::NoClients => with_files(&error, clients),
        _ => error.to_string(),
    })
}

/// What is wrong, and in which files.
fn with_files<'a>(error: &TlsError, files: impl IntoIterator<Item = &'a Path>) -> String {
    let mut files: Vec<_> = files.into_iter().map(|path| format!("'{}'", path.display())).collect();
    files.dedup();
    format!("{error}: {}", files.join(" and "))
}

/// The versions that are named, or those of today, without those that are switched off.
fn versions(written: &[(TlsVersion, bool)]) -> Vec<Version> {
    let named: Vec<Version> = written.iter().filter(|(_, off)| !off).flat_map(|(version, _)| of(*version)).collect();
    let off: Vec<Version> = written.iter().filter(|(_, off)| *off).flat_map(|(version, _)| of(*version)).collect();
    let named = if named.is_empty() { of(TlsVersion::Auto) } else { named };
    named.into_iter().filter(|version| !off.contains(version)).collect()
}

fn of(version: TlsVersion) -> Vec<Version> {
    match version {
        TlsVersion::Auto => vec![Version::V12, Version::V13],
        TlsVersion::SslV2 | TlsVersion::SslV3 => Vec::new(),
        TlsVersion::TlsV1 => vec![Version::V10],
        TlsVersion::TlsV11 => vec![Version::V11],
        TlsVersion::TlsV12 => vec![Version::V12],
        TlsVersion::TlsV13 => vec![Version::V13],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_today_unless_others_are_named() {
        use TlsVersion::*;
        for (written, expected) in [
            (&[][..], &[Version::V12, Version::V13][..]),
            (&[(Auto, false)], &[Version::V12, Version::V13]),
            (&[(TlsV12, false)], &[Version::V12]),
            (&[(TlsV1, false), (TlsV11, false)], &[Version::V10, Version::V11]),
            (&[(SslV3, true), (TlsV1, true)], &[Version::V12, Version::V13]),
            (&[(Auto, false), (TlsV12, true)], &[Version::V13]),
            (&[(TlsV13, true), (TlsV12, true)], &[]),
        ] {
            assert_eq!(versions(written), expected, "{written:?}");
        }
    }
}
