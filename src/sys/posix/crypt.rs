//! Password hashes of the system: crypt(3). Some of them take long on purpose, so this belongs into a helper child.

use std::ffi::{CStr, CString, c_char, c_void};
use std::mem;
use std::ptr::NonNull;

use super::library::Library;

/// libxcrypt on Linux, in its two ways to be built; FreeBSD; whatever the system calls it.
const NAMES: [&CStr; 4] = [c"libcrypt.so.1", c"libcrypt.so.2", c"libcrypt.so.5", c"libcrypt.so"];

// SAFETY: callers hand over two C strings, as crypt(3) asks for.
type Crypt = unsafe extern "C" fn(*const c_char, *const c_char) -> *mut c_char;

/// The hash of a password by the method and with the salt of `setting`, which may be a whole hash. `None` when the system
/// does not know the method.
///
/// # Errors
/// The library cannot be opened.
pub fn crypt(password: &[u8], setting: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let function = Library::open(&NAMES)?.symbol(c"crypt")?;
    let (Ok(password), Ok(setting)) = (CString::new(password), CString::new(setting)) else { return Ok(None) };
    // SAFETY: this is the address of crypt(3), which has that type on every system.
    let crypt = unsafe { mem::transmute::<NonNull<c_void>, Crypt>(function) };
    // SAFETY: both are C strings that outlive the call; there is one thread, so nobody else uses its static buffer.
    let hash = unsafe { crypt(password.as_ptr(), setting.as_ptr()) };
    if hash.is_null() {
        return Ok(None);
    }
    // SAFETY: not null, so it is a C string, which is copied before anybody calls again.
    let hash = unsafe { CStr::from_ptr(hash) }.to_bytes().to_vec();
    // crypt(3) of libxcrypt: a failure is told by a text that is no hash.
    Ok(Some(hash).filter(|hash| !hash.starts_with(b"*")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_hashes_are_made() {
        // Made with `openssl passwd`.
        let known =
            b"$6$abcdefgh$QNDsjVtcjgKxzgqPVjOqfIzf0lELKpeIMXOOsA7k/T6H5MgnypPn6v5t9JJKExNaYlbmMCtYN.GTrFAEjXtiS/";
        // A system may have no libcrypt.
        let Ok(hash) = crypt(b"b", known) else { return };
        assert_eq!(hash.as_deref(), Some(known.as_slice()));
        // FreeBSD makes a hash of its own kind where it does not know the method.
        assert_ne!(crypt(b"b", b"*").unwrap().as_deref(), Some(b"*".as_slice()));
        assert_eq!(crypt(b"b\0c", known).unwrap(), None);
    }
}
