//! Checksums of files and digests of bytes, by OpenSSL (feature `tls`). The only module that knows the library
//! for them.
//!
//! A file is read in steps, between which a helper child can show that it gets on. What others have in memory stays there.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::count;
use super::fault::{self, Call};
use super::platform::uncached;
use super::posix::errno::retry;
use super::posix::stat::look_open;
use crate::base::digest::Hash;
use crate::facts::file::{FileFacts, Kind};

/// Bytes that are read at a time.
const CHUNK: usize = 256 * 1024;

/// Why there is no checksum.
#[derive(Debug)]
pub enum DigestError {
    /// Not a regular file, which could be read for ever.
    NotRegular(Kind),
    /// It cannot be opened or read.
    Io(io::Error),
    /// This program was built without OpenSSL.
    NotBuilt,
    /// OpenSSL does not compute it; MD5 where only approved algorithms are allowed.
    Refused(Hash),
}

impl fmt::Display for DigestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DigestError::NotRegular(kind) => write!(f, "it is {kind}"),
            DigestError::Io(error) => error.fmt(f),
            DigestError::NotBuilt => {
                f.write_str("this pollux was built without OpenSSL, which computes checksums and MD5")
            }
            DigestError::Refused(hash) => write!(f, "OpenSSL refuses to compute {}", name(*hash)),
        }
    }
}

impl From<io::Error> for DigestError {
    fn from(error: io::Error) -> DigestError {
        DigestError::Io(error)
    }
}

/// Checksums of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digested {
    /// The file as it was when it was opened. If it is another one afterwards (see [`FileFacts::is_unchanged`]), it was
    /// written to meanwhile, and the checksums are of no state it was in.
    pub file: FileFacts,
    /// What was asked for, in lower-case hexadecimal digits.
    pub digests: Vec<(Hash, String)>,
}

/// A file that is being read for its checksums.
pub struct FileDigest {
    opened: File,
    file: FileFacts,
    /// Bytes that are left of those it had when it was opened: what is added meanwhile is not waited for.
    left: u64,
    hashers: Vec<(Hash, library::Hasher)>,
    buffer: Vec<u8>,
}

impl FileDigest {
    /// Opens a regular file, without ever waiting for it. Three system calls.
    ///
    /// # Errors
    /// [`DigestError`].
    pub fn open(path: &Path, hashes: &[Hash]) -> Result<FileDigest, DigestError> {
        let hasher = |hash: &Hash| Ok((*hash, library::Hasher::new(*hash)?));
        let hashers = hashes.iter().map(hasher).collect::<Result<Vec<_>, DigestError>>()?;
        fault::check(Call::Open)?;
        count::bump();
        let opened = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
        let file = look_open(&opened)?;
        uncached::prepare(&opened);
        match file.kind {
            // Files of /proc and the like do not say how long they are.
            Kind::Regular if file.size_bytes == 0 => {
                Ok(FileDigest { opened, file, left: u64::MAX, hashers, buffer: vec![0; CHUNK] })
            }
            Kind::Regular => Ok(FileDigest { opened, left: file.size_bytes, file, hashers, buffer: vec![0; CHUNK] }),
            kind => Err(DigestError::NotRegular(kind)),
        }
    }

    /// The file as it was when it was opened; by its size the caller decides who reads it.
    pub fn file(&self) -> &FileFacts {
        &self.file
    }

    /// Reads on, up to about `budget` bytes; the checksums when the file is at its end.
    ///
    /// # Errors
    /// [`DigestError`].
    pub fn step(&mut self, budget: u64) -> Result<Option<Digested>, DigestError> {
        let mut taken = 0;
        while taken < budget && self.left > 0 {
            fault::check(Call::Read)?;
            let want = usize::try_from(self.left).unwrap_or(CHUNK).min(CHUNK);
            let Some(chunk) = self.buffer.get_mut(..want) else { break };
            count::bump();
            let length = retry(|| uncached::read(&self.opened, chunk))?;
            if length == 0 {
                self.left = 0;
                break;
            }
            for (hash, hasher) in &mut self.hashers {
                hasher.update(chunk.get(..length).unwrap_or_default()).map_err(|()| DigestError::Refused(*hash))?;
            }
            self.left = self.left.saturating_sub(length as u64);
            taken = taken.saturating_add(length as u64);
        }
        if self.left > 0 {
            return Ok(None);
        }
        let finish = |(hash, hasher): &mut (Hash, library::Hasher)| {
            let bytes = hasher.finish().map_err(|()| DigestError::Refused(*hash))?;
            Ok((*hash, bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
        };
        let digests = self.hashers.iter_mut().map(finish).collect::<Result<Vec<_>, DigestError>>()?;
        Ok(Some(Digested { file: self.file, digests }))
    }
}

fn name(hash: Hash) -> &'static str {
    match hash {
        Hash::Md5 => "MD5",
        Hash::Sha1 => "SHA1",
        Hash::Sha256 => "SHA256",
    }
}

/// The digest of bytes that are at hand, one part behind the other.
///
/// # Errors
/// [`DigestError::NotBuilt`], [`DigestError::Refused`].
pub fn of_bytes(hash: Hash, parts: &[&[u8]]) -> Result<Vec<u8>, DigestError> {
    let mut hasher = library::Hasher::new(hash)?;
    let refused = |()| DigestError::Refused(hash);
    for part in parts {
        hasher.update(part).map_err(refused)?;
    }
    hasher.finish().map_err(refused)
}

#[cfg(feature = "tls")]
mod library {
    use super::DigestError;
    use crate::base::digest::Hash;
    use openssl::hash::MessageDigest;

    /// One checksum in the making.
    pub struct Hasher(openssl::hash::Hasher);

    impl Hasher {
        pub fn new(hash: Hash) -> Result<Hasher, DigestError> {
            let algorithm = match hash {
                Hash::Md5 => MessageDigest::md5(),
                Hash::Sha1 => MessageDigest::sha1(),
                Hash::Sha256 => MessageDigest::sha256(),
            };
            openssl::hash::Hasher::new(algorithm).map(Hasher).map_err(|_| DigestError::Refused(hash))
        }

        pub fn update(&mut self, bytes: &[u8]) -> Result<(), ()> {
            self.0.update(bytes).map_err(|_| ())
        }

        pub fn finish(&mut self) -> Result<Vec<u8>, ()> {
            self.0.finish().map(|digest| digest.to_vec()).map_err(|_| ())
        }
    }
}

#[cfg(not(feature = "tls"))]
mod library {
    use super::DigestError;
    use crate::base::digest::Hash;

    /// There is none.
    pub enum Hasher {}

    impl Hasher {
        pub fn new(_: Hash) -> Result<Hasher, DigestError> {
            Err(DigestError::NotBuilt)
        }

        pub fn update(&mut self, _: &[u8]) -> Result<(), ()> {
            match *self {}
        }

        pub fn finish(&mut self) -> Result<Vec<u8>, ()> {
            match *self {}
        }
    }
}

#[cfg(test)]
#[cfg(feature = "tls")]
mod tests {
    use super::*;

    fn of_file(path: &Path, hashes: &[Hash]) -> Result<Digested, DigestError> {
        let mut digest = FileDigest::open(path, hashes)?;
        loop {
            if let Some(digested) = digest.step(u64::MAX)? {
                return Ok(digested);
            }
        }
    }
    use std::fs;
    use std::path::PathBuf;

    const ALL: [Hash; 3] = [Hash::Md5, Hash::Sha1, Hash::Sha256];

    struct Temporary(PathBuf);

    impl Temporary {
        fn new(name: &str, content: &[u8]) -> Temporary {
            let path = std::env::temp_dir().join(format!("pollux-digest-{name}-{}", std::process::id()));
            fs::write(&path, content).unwrap();
            Temporary(path)
        }
    }

    impl Drop for Temporary {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    fn hex(digested: &Digested) -> Vec<&str> {
        digested.digests.iter().map(|(_, hex)| hex.as_str()).collect()
    }

    #[test]
    fn known_contents_have_their_known_checksums() {
        let abc = Temporary::new("abc", b"abc");
        let digested = of_file(&abc.0, &ALL).unwrap();
        // RFC 1321, RFC 3174 and FIPS 180-4.
        let expected = [
            "900150983cd24fb0d6963f7d28e17f72",
            "a9993e364706816aba3e25717850c26c9cd0d89d",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ];
        assert_eq!(hex(&digested), expected);
        assert_eq!(digested.file.size_bytes, 3);
        let empty = Temporary::new("empty", b"");
        assert_eq!(hex(&of_file(&empty.0, &[Hash::Md5]).unwrap()), ["d41d8cd98f00b204e9800998ecf8427e"]);
    }

    #[test]
    fn a_large_file_is_read_in_steps_and_comes_out_the_same() {
        let large = Temporary::new("large", &vec![b'x'; 3 * CHUNK + 5]);
        let whole = of_file(&large.0, &ALL).unwrap();
        let mut digest = FileDigest::open(&large.0, &ALL).unwrap();
        let mut steps = 1;
        let stepped = loop {
            match digest.step(1).unwrap() {
                Some(digested) => break digested,
                None => steps += 1,
            }
        };
        assert_eq!((stepped.digests, steps), (whole.digests, 4));
    }

    #[test]
    fn what_is_added_while_it_is_read_is_not_waited_for() {
        let growing = Temporary::new("growing", &vec![b'x'; 2 * CHUNK]);
        let before = of_file(&growing.0, &[Hash::Sha1]).unwrap();
        let mut digest = FileDigest::open(&growing.0, &[Hash::Sha1]).unwrap();
        assert!(digest.step(1).unwrap().is_none());
        let mut content = fs::read(&growing.0).unwrap();
        content.extend(vec![b'x'; 100 * CHUNK]);
        fs::write(&growing.0, content).unwrap();
        let digested = digest.step(u64::MAX).unwrap().unwrap();
        assert_eq!(digested.digests, before.digests);
        let after = FileDigest::open(&growing.0, &[Hash::Sha1]).unwrap();
        assert!(!digested.file.is_unchanged(after.file()));
    }

    #[test]
    fn files_that_do_not_say_their_length_are_read_to_their_end() {
        if cfg!(target_os = "linux") {
            let version = fs::read("/proc/version").unwrap();
            let copy = Temporary::new("version", &version);
            let digested = of_file(Path::new("/proc/version"), &[Hash::Md5]).unwrap();
            assert_eq!(digested.digests, of_file(&copy.0, &[Hash::Md5]).unwrap().digests);
        }
    }

    #[test]
    fn what_could_be_read_for_ever_is_refused() {
        let error = of_file(Path::new("/dev/zero"), &ALL).unwrap_err();
        assert_eq!(error.to_string(), "it is a character device");
        let error = of_file(&std::env::temp_dir(), &ALL).unwrap_err();
        assert_eq!(error.to_string(), "it is a directory");
        let missing = of_file(Path::new("/nowhere"), &ALL).unwrap_err();
        assert!(matches!(missing, DigestError::Io(error) if error.kind() == io::ErrorKind::NotFound));
    }
}

#[cfg(test)]
#[cfg(not(feature = "tls"))]
mod tests {
    use super::*;

    #[test]
    fn without_the_library_the_error_says_so() {
        let of_file = FileDigest::open(Path::new("/etc/passwd"), &[Hash::Md5]).err().unwrap();
        let of_bytes = of_bytes(Hash::Md5, &[b"x"]).unwrap_err();
        for error in [of_file, of_bytes] {
            assert!(error.to_string().contains("built without OpenSSL"), "{error}");
        }
    }
}
