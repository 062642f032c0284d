//! The user database, one account at a time (getpwuid_r(3)).

use std::ffi::CStr;

/// What a program's environment and groups need of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Login name.
    pub name: String,
    /// Primary group.
    pub gid: u32,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
}

/// The account with that number; `None` when there is none or the database cannot be read.
pub fn account(uid: u32) -> Option<Account> {
    let mut buffer = vec![0u8; 16 * 1024];
    loop {
        // SAFETY: an all-zero passwd is a valid value to be filled.
        let mut entry: libc::passwd = unsafe { std::mem::zeroed() };
        let mut found = std::ptr::null_mut();
        // SAFETY: every pointer is valid for the call, and the length is the buffer's.
        let error = unsafe { libc::getpwuid_r(uid, &mut entry, buffer.as_mut_ptr().cast(), buffer.len(), &mut found) };
        if error == libc::ERANGE && buffer.len() < 1024 * 1024 {
            buffer.resize(buffer.len() * 2, 0);
            continue;
        }
        if error != 0 || found.is_null() {
            return None;
        }
        // SAFETY: on success the fields are null or C strings inside `buffer`, which still lives.
        let text = |field: *const libc::c_char| unsafe {
            if field.is_null() { String::new() } else { CStr::from_ptr(field).to_string_lossy().into_owned() }
        };
        return Some(Account {
            name: text(entry.pw_name),
            gid: entry.pw_gid,
            home: text(entry.pw_dir),
            shell: text(entry.pw_shell),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_superuser_has_an_account_and_most_numbers_have_none() {
        assert_eq!(account(0).map(|root| (root.name, root.gid)), Some(("root".to_owned(), 0)));
        assert_eq!(account(4_000_000_001), None);
    }
}
