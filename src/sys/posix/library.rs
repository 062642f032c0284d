//! Libraries that are opened only when somebody needs them (dlopen(3)).

use std::ffi::{CStr, c_void};
use std::ptr::NonNull;

/// An open library. It stays open until the process ends: what it gave out is used meanwhile.
#[derive(Debug)]
pub struct Library(NonNull<c_void>);

impl Library {
    /// Opens the first of these that is there. Runs the library's own initialisers, so it belongs into a helper child.
    ///
    /// # Errors
    /// What the loader says of the last one.
    pub fn open(names: &[&CStr]) -> Result<Library, String> {
        let mut why = String::from("no name to look for");
        for name in names {
            // SAFETY: `name` is a C string that outlives the call.
            match NonNull::new(unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW) }) {
                Some(handle) => return Ok(Library(handle)),
                None => why = problem(),
            }
        }
        Err(why)
    }

    /// The address of a function.
    ///
    /// # Errors
    /// The library has none of that name.
    pub fn symbol(&self, name: &CStr) -> Result<NonNull<c_void>, String> {
        // SAFETY: the handle is open, and `name` is a C string that outlives the call.
        NonNull::new(unsafe { libc::dlsym(self.0.as_ptr(), name.as_ptr()) }).ok_or_else(problem)
    }
}

/// What the loader says about the last call that failed.
fn problem() -> String {
    // SAFETY: returns null or a C string that is valid until the next call; it is copied at once.
    let text = unsafe { libc::dlerror() };
    if text.is_null() {
        return "the loader does not say why".to_owned();
    }
    // SAFETY: not null, so it is a C string.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_said() {
        assert!(Library::open(&[c"libpollux-has-none.so.77"]).unwrap_err().contains("libpollux-has-none"));
    }
}
