//! Users and groups of the system's databases: getpwnam_r(3), getpwuid_r(3), getgrnam_r(3), getgrgid_r(3).
//!
//! These calls may ask the network (NSS) and so may block; they belong into start-up or a helper child.

use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;

/// Most groups of a user.
const GROUPS_MAX: libc::c_int = 65536;

/// Most bytes a record may need.
const BUFFER_MAX: usize = 1024 * 1024;

/// What a program's environment and groups need of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// User id.
    pub uid: u32,
    /// Login name.
    pub name: String,
    /// Primary group.
    pub gid: u32,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
}

/// The account with that user id; `None` when there is none or the database cannot be read.
pub fn account(uid: u32) -> Option<Account> {
    user(|record, buffer, found| {
        // SAFETY: record and found are valid for writes, buffer and its length belong together.
        unsafe { libc::getpwuid_r(uid, record, buffer.as_mut_ptr().cast(), buffer.len(), found) }
    })
}

/// The user id of a name; `None` when there is none or the database cannot be read.
pub fn uid_of(name: &str) -> Option<u32> {
    let name = CString::new(name).ok()?;
    user(|record, buffer, found| {
        // SAFETY: the name ends in NUL, record and found are valid for writes, buffer and its length belong together.
        unsafe { libc::getpwnam_r(name.as_ptr(), record, buffer.as_mut_ptr().cast(), buffer.len(), found) }
    })
    .map(|account| account.uid)
}

/// The name of a user id.
pub fn user_name(uid: u32) -> Option<String> {
    account(uid).map(|account| account.name)
}

/// The group id of a name.
pub fn gid_of(name: &str) -> Option<u32> {
    let name = CString::new(name).ok()?;
    group(|record, buffer, found| {
        // SAFETY: the name ends in NUL, record and found are valid for writes, buffer and its length belong together.
        unsafe { libc::getgrnam_r(name.as_ptr(), record, buffer.as_mut_ptr().cast(), buffer.len(), found) }
    })
    .map(|(gid, _)| gid)
}

/// The name of a group id.
pub fn group_name(gid: u32) -> Option<String> {
    group(|record, buffer, found| {
        // SAFETY: record and found are valid for writes, buffer and its length belong together.
        unsafe { libc::getgrgid_r(gid, record, buffer.as_mut_ptr().cast(), buffer.len(), found) }
    })
    .map(|(_, name)| name)
}

/// Whether the user is a member of the group, be it their own or another; `None` when the system does not know one of them.
pub fn is_member(user: &str, group: &str) -> Option<bool> {
    let wanted = gid_of(group)?;
    let own = account(uid_of(user)?)?.gid;
    let name = CString::new(user).ok()?;
    let mut count: libc::c_int = 64;
    while count <= GROUPS_MAX {
        let mut groups = vec![0; usize::try_from(count).ok()?];
        let room = count;
        // SAFETY: the name ends in NUL, and there is room for `count` groups.
        let done = unsafe { libc::getgrouplist(name.as_ptr(), own, groups.as_mut_ptr(), &mut count) };
        if done >= 0 {
            let found = groups.get(..usize::try_from(count).ok()?)?;
            return Some(own == wanted || found.contains(&wanted));
        }
        // Linux tells how much room is needed, FreeBSD what it has filled.
        count = count.max(room.saturating_mul(2));
    }
    None
}

/// The effective user id of this process; geteuid(2) cannot fail.
pub fn effective_uid() -> u32 {
    // SAFETY: geteuid takes nothing and touches no memory of ours.
    unsafe { libc::geteuid() }
}

fn user(call: impl Fn(*mut libc::passwd, &mut [u8], *mut *mut libc::passwd) -> libc::c_int) -> Option<Account> {
    lookup(call, |record: &libc::passwd| {
        // SAFETY: when `lookup` hands a record out, the call filled it, and its strings are in the live buffer.
        let field = |field| unsafe { text(field) };
        Account {
            uid: record.pw_uid,
            name: field(record.pw_name),
            gid: record.pw_gid,
            home: field(record.pw_dir),
            shell: field(record.pw_shell),
        }
    })
}

fn group(call: impl Fn(*mut libc::group, &mut [u8], *mut *mut libc::group) -> libc::c_int) -> Option<(u32, String)> {
    // SAFETY: when `record` returns a value, the call filled the record, whose name points into the live buffer.
    lookup(call, |record: &libc::group| (record.gr_gid, unsafe { text(record.gr_name) }))
}

/// Calls with growing buffers until the record fits, and hands it to `take` while the buffer lives.
fn lookup<R, T>(call: impl Fn(*mut R, &mut [u8], *mut *mut R) -> libc::c_int, take: impl Fn(&R) -> T) -> Option<T> {
    let mut size = 1024;
    while size <= BUFFER_MAX {
        let mut buffer = vec![0_u8; size];
        let mut record = MaybeUninit::<R>::uninit();
        let mut found = std::ptr::null_mut();
        match call(record.as_mut_ptr(), &mut buffer, &mut found) {
            0 if found.is_null() => return None,
            // SAFETY: a result of 0 and a pointer that is not null mean that the call filled the record.
            0 => return Some(take(unsafe { record.assume_init_ref() })),
            libc::ERANGE => size *= 4,
            libc::EINTR => {}
            _ => return None,
        }
    }
    None
}

/// Copies a C string.
///
/// # Safety
/// The pointer is null or points to bytes that end in NUL.
unsafe fn text(pointer: *const libc::c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: the caller guarantees a string that ends in NUL.
    unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_known_on_every_system() {
        assert_eq!(uid_of("root"), Some(0));
        assert_eq!(user_name(0), Some("root".to_owned()));
        assert_eq!(account(0).map(|root| (root.uid, root.gid)), Some((0, 0)));
        assert_eq!(account(4_000_000_001), None);
        assert!(group_name(0).is_some_and(|name| gid_of(&name) == Some(0)));
        assert_eq!(uid_of("no such user"), None);
        assert_eq!(uid_of("nul\0inside"), None);
        assert_eq!(gid_of("no such group"), None);
        let own = group_name(0).unwrap();
        assert_eq!((is_member("root", &own), is_member("no such user", &own)), (Some(true), None));
        assert_eq!(is_member("root", "no such group"), None);
    }
}
