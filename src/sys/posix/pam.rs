//! Pluggable authentication modules (pam(3)): Linux-PAM and OpenPAM, whose calls, structures and numbers used here agree.
//! What a module does is its own affair (it may ask the network, or sleep), so this belongs into a helper child.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fmt;
use std::mem;
use std::ptr::{self, NonNull};

use super::library::Library;

/// Linux-PAM, OpenPAM of FreeBSD, whatever the system calls it.
const NAMES: [&CStr; 3] = [c"libpam.so.0", c"libpam.so.6", c"libpam.so"];

const PAM_SUCCESS: c_int = 0;
const PAM_BUF_ERR: c_int = 5;
const PAM_PROMPT_ECHO_OFF: c_int = 1;
const PAM_PROMPT_ECHO_ON: c_int = 2;
const PAM_RHOST: c_int = 4;
const PAM_DISALLOW_NULL_AUTHTOK: c_int = 1;
/// PAM_MAX_NUM_MSG of both.
const MESSAGES_MAX: usize = 32;

#[repr(C)]
struct Message {
    style: c_int,
    text: *const c_char,
}

#[repr(C)]
struct Response {
    text: *mut c_char,
    code: c_int,
}

// SAFETY: the library calls it as pam_conv(3) says.
type Converse = unsafe extern "C" fn(c_int, *mut *const Message, *mut *mut Response, *mut c_void) -> c_int;

#[repr(C)]
struct Conversation {
    converse: Converse,
    data: *mut c_void,
}

/// What the modules may ask for.
struct Answers {
    user: CString,
    password: CString,
}

// SAFETY: called as pam_start(3) says.
type Start = unsafe extern "C" fn(*const c_char, *const c_char, *const Conversation, *mut *mut c_void) -> c_int;
// SAFETY: called with an open handle, as pam_authenticate(3), pam_acct_mgmt(3) and pam_end(3) say.
type Step = unsafe extern "C" fn(*mut c_void, c_int) -> c_int;
// SAFETY: called with an open handle, as pam_set_item(3) says.
type SetItem = unsafe extern "C" fn(*mut c_void, c_int, *const c_void) -> c_int;
// SAFETY: called with an open handle, as pam_strerror(3) says.
type Text = unsafe extern "C" fn(*mut c_void, c_int) -> *const c_char;

/// Why a user is not let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PamError {
    /// There is no PAM here, or it cannot be used.
    Unusable(String),
    /// The password is not the user's.
    Password,
    /// It is, but the account may not be used: locked, expired, a password that must be changed.
    Account(String),
}

impl fmt::Display for PamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PamError::Unusable(why) => write!(f, "PAM cannot be used: {why}"),
            PamError::Password => f.write_str("wrong password"),
            PamError::Account(why) => write!(f, "the account may not be used: {why}"),
        }
    }
}

/// Asks PAM whether the password is the user's and the account may be used, for the given service and for somebody at `host`.
///
/// # Errors
/// [`PamError`].
pub fn check(service: &CStr, user: &[u8], password: &[u8], host: Option<&str>) -> Result<(), PamError> {
    let unusable = PamError::Unusable;
    let library = Library::open(&NAMES).map_err(unusable)?;
    let symbol = |name| library.symbol(name).map_err(unusable);
    // SAFETY: these are the addresses of the functions of these names, which have these types in both libraries.
    let (start, set_item, authenticate, acct_mgmt, end, strerror) = unsafe {
        (
            mem::transmute::<NonNull<c_void>, Start>(symbol(c"pam_start")?),
            mem::transmute::<NonNull<c_void>, SetItem>(symbol(c"pam_set_item")?),
            mem::transmute::<NonNull<c_void>, Step>(symbol(c"pam_authenticate")?),
            mem::transmute::<NonNull<c_void>, Step>(symbol(c"pam_acct_mgmt")?),
            mem::transmute::<NonNull<c_void>, Step>(symbol(c"pam_end")?),
            mem::transmute::<NonNull<c_void>, Text>(symbol(c"pam_strerror")?),
        )
    };
    let (Ok(user), Ok(password)) = (CString::new(user), CString::new(password)) else {
        return Err(PamError::Password);
    };
    let answers = Answers { user, password };
    let conversation = Conversation { converse, data: (&raw const answers).cast_mut().cast() };
    let mut handle = ptr::null_mut();
    // SAFETY: the strings, the conversation and the answers it points at outlive the handle, which ends below.
    let begun = unsafe { start(service.as_ptr(), answers.user.as_ptr(), &conversation, &mut handle) };
    if begun != PAM_SUCCESS || handle.is_null() {
        return Err(PamError::Unusable(format!("pam_start failed with {begun}")));
    }
    if let Some(host) = host.and_then(|host| CString::new(host).ok()) {
        // SAFETY: the handle is open; the library copies the string.
        unsafe { set_item(handle, PAM_RHOST, host.as_ptr().cast()) };
    }
    // SAFETY: the handle is open.
    let mut status = unsafe { authenticate(handle, PAM_DISALLOW_NULL_AUTHTOK) };
    let mut result = Err(PamError::Password);
    if status == PAM_SUCCESS {
        // SAFETY: as above.
        status = unsafe { acct_mgmt(handle, PAM_DISALLOW_NULL_AUTHTOK) };
        result = match status {
            PAM_SUCCESS => Ok(()),
            _ => {
                // SAFETY: the handle is open; null or a C string is returned.
                let text = unsafe { strerror(handle, status) };
                // SAFETY: not null, so it is a C string; it is copied.
                let text = (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned());
                Err(PamError::Account(text.unwrap_or_else(|| status.to_string())))
            }
        };
    }
    // SAFETY: the handle is open, and is not used any more.
    unsafe { end(handle, status) };
    result
}

/// Answers what modules ask: the password where nothing may be seen, the name where something may.
///
/// # Safety
/// `count` messages, a place for the answers, and the [`Answers`] that were handed to the library.
unsafe extern "C" fn converse(
    count: c_int,
    messages: *mut *const Message,
    responses: *mut *mut Response,
    data: *mut c_void,
) -> c_int {
    let count = usize::try_from(count).unwrap_or(0);
    if count == 0 || count > MESSAGES_MAX || messages.is_null() || responses.is_null() || data.is_null() {
        return PAM_BUF_ERR;
    }
    // SAFETY: `data` is what `check` handed to the library, which lives until pam_end(3).
    let answers = unsafe { &*data.cast_const().cast::<Answers>() };
    // SAFETY: calloc has no preconditions; the library frees the memory.
    let filled = unsafe { libc::calloc(count, size_of::<Response>()) }.cast::<Response>();
    if filled.is_null() {
        return PAM_BUF_ERR;
    }
    for place in 0..count {
        // SAFETY: the library hands over `count` pointers to messages, and `filled` has room for as many answers.
        unsafe {
            let message = *messages.add(place);
            let text = match (*message).style {
                PAM_PROMPT_ECHO_OFF => libc::strdup(answers.password.as_ptr()),
                PAM_PROMPT_ECHO_ON => libc::strdup(answers.user.as_ptr()),
                _ => ptr::null_mut(),
            };
            filled.add(place).write(Response { text, code: 0 });
        }
    }
    // SAFETY: a valid place for the answers, by the contract.
    unsafe { *responses = filled };
    PAM_SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_answered_by_what_they_ask() {
        let answers = Answers { user: c"anna".into(), password: c"secret".into() };
        let message = |style| Message { style, text: ptr::null() };
        let asked = [message(PAM_PROMPT_ECHO_OFF), message(3), message(PAM_PROMPT_ECHO_ON), message(4)];
        let mut pointers: Vec<*const Message> = asked.iter().map(|message| &raw const *message).collect();
        let mut responses: *mut Response = ptr::null_mut();
        let data = (&raw const answers).cast_mut().cast();
        // SAFETY: as many messages as told, a place for the answers, and our own answers.
        let status = unsafe { converse(4, pointers.as_mut_ptr(), &mut responses, data) };
        assert_eq!(status, PAM_SUCCESS);
        let told: Vec<_> = (0..4)
            // SAFETY: four answers were written; their texts are null or C strings.
            .map(|place| unsafe {
                let text = (*responses.add(place)).text;
                (!text.is_null()).then(|| CStr::from_ptr(text).to_owned())
            })
            .collect();
        assert_eq!(told, [Some(c"secret".into()), None, Some(c"anna".into()), None]);
        for (count, messages) in [(0, pointers.as_mut_ptr()), (33, pointers.as_mut_ptr()), (1, ptr::null_mut())] {
            // SAFETY: refused before anything is read.
            assert_eq!(unsafe { converse(count, messages, &mut responses, data) }, PAM_BUF_ERR);
        }
    }
}
