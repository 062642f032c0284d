//! glob(3).

use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// Paths that match `pattern`, in the order of the C locale; directories end in a slash. Nothing matches: empty.
///
/// # Errors
/// `InvalidInput` when the pattern holds a NUL, others when memory or a directory fails the call.
pub fn glob(pattern: &[u8]) -> io::Result<Vec<PathBuf>> {
    let pattern = CString::new(pattern)?;
    let mut found = MaybeUninit::<libc::glob_t>::zeroed();
    // SAFETY: the pattern ends in NUL and found is a zeroed record that is valid for writes; there is no error function.
    let result = unsafe { libc::glob(pattern.as_ptr(), libc::GLOB_MARK, None, found.as_mut_ptr()) };
    // SAFETY: all-zero is a valid glob_t (integers, null pointers), and glob only fills it further.
    let mut found = unsafe { found.assume_init() };
    let paths = match result {
        0 => {
            let count = found.gl_pathc;
            let path = |place: usize| {
                // SAFETY: gl_pathv holds gl_pathc pointers to strings that end in NUL, and place is below gl_pathc.
                let bytes = unsafe { CStr::from_ptr(*found.gl_pathv.add(place)) }.to_bytes();
                PathBuf::from(OsStr::from_bytes(bytes))
            };
            Ok((0..count).map(path).collect())
        }
        libc::GLOB_NOMATCH => Ok(Vec::new()),
        libc::GLOB_NOSPACE => Err(io::ErrorKind::OutOfMemory.into()),
        _ => Err(io::Error::other("a directory cannot be read")),
    };
    // SAFETY: found was handed to glob and is freed once; a zeroed record frees nothing.
    unsafe { libc::globfree(&mut found) };
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_are_sorted_and_directories_marked() {
        let folder = std::env::temp_dir().join(format!("pollux-glob-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("c")).unwrap();
        for name in ["b", "a", "B"] {
            std::fs::write(folder.join(name), "").unwrap();
        }
        let found = glob(folder.join("*").as_os_str().as_bytes()).unwrap();
        let names: Vec<_> =
            found.iter().map(|path| path.as_os_str().as_bytes()[folder.as_os_str().len()..].to_vec()).collect();
        let none = glob(folder.join("x*").as_os_str().as_bytes());
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(names, [b"/B".to_vec(), b"/a".to_vec(), b"/b".to_vec(), b"/c/".to_vec()]);
        assert_eq!(none.unwrap(), Vec::<PathBuf>::new());
        assert!(glob(b"a\0b").is_err());
    }
}
