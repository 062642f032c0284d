//! regcomp(3) and regexec(3) of the system, in the C locale, which a program that never calls setlocale(3) has.

use std::ffi::CStr;
use std::mem::MaybeUninit;

/// An expression compiled by the system.
pub struct SystemEre(libc::regex_t);

impl SystemEre {
    /// Compiles an extended regular expression; `None` when the system refuses it.
    pub fn new(ere: &CStr) -> Option<SystemEre> {
        let mut compiled = MaybeUninit::zeroed();
        // SAFETY: `compiled` is room for a regex_t, `ere` ends in a zero byte; both live for the call.
        let code = unsafe { libc::regcomp(compiled.as_mut_ptr(), ere.as_ptr(), libc::REG_EXTENDED | libc::REG_NOSUB) };
        // SAFETY: regcomp has filled it in when it returns 0.
        (code == 0).then(|| SystemEre(unsafe { compiled.assume_init() }))
    }

    /// Whether it matches somewhere in the text; `None` when the system gives up.
    pub fn is_match(&self, text: &CStr) -> Option<bool> {
        // SAFETY: `self.0` was compiled and is not freed yet, `text` ends in a zero byte, no room for matches is promised.
        match unsafe { libc::regexec(&self.0, text.as_ptr(), 0, std::ptr::null_mut(), 0) } {
            0 => Some(true),
            libc::REG_NOMATCH => Some(false),
            _ => None,
        }
    }
}

impl Drop for SystemEre {
    fn drop(&mut self) {
        // SAFETY: compiled by `new` and freed only here.
        unsafe { libc::regfree(&mut self.0) }
    }
}
