//! sysctl(3) into byte buffers.

use std::ffi::CStr;
use std::io;
use std::ptr;

use super::decode;
use crate::sys::count;
use crate::sys::fault::{self, Call};
use crate::sys::posix::errno::cerr;

/// How often a value that grew meanwhile is asked for again.
const TRIES: u32 = 8;

/// Bytes of room, besides an eighth, for what is added to a value while it is asked for.
const SPARE: usize = 16 * 1024;

/// Most numbers in a name (CTL_MAXNAME).
const MIB_MAX: usize = 24;

/// Questions about the tree of names itself (<sys/sysctl.h>).
const CTL_SYSCTL: libc::c_int = 0;
const CTL_SYSCTL_NAME: libc::c_int = 1;
const CTL_SYSCTL_NEXT: libc::c_int = 2;

/// How much of a value was fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fetched {
    /// All of it: so many bytes.
    Whole(usize),
    /// The value is longer than the buffer, whose first so many bytes are filled.
    Cut(usize),
}

/// Fetches the value named by `mib` into `buffer`.
pub(super) fn fetch(mib: &[libc::c_int], buffer: &mut [u8]) -> io::Result<Fetched> {
    fault::check(Call::ReadProc)?;
    let mut length = buffer.len();
    count::bump();
    // SAFETY: the name's pointer and count describe `mib`, which is only read; `buffer` and `length` are valid for
    // writing, and the kernel writes at most `length` bytes; no new value is set.
    let result = cerr(unsafe {
        libc::sysctl(mib.as_ptr(), mib.len() as libc::c_uint, buffer.as_mut_ptr().cast(), &mut length, ptr::null(), 0)
    });
    fetched(result, length.min(buffer.len()))
}

/// How many bytes the value named by `mib` has about now; the kernel rounds up for a table that grows.
pub(super) fn length(mib: &[libc::c_int]) -> io::Result<usize> {
    fault::check(Call::ReadProc)?;
    let mut length = 0;
    count::bump();
    // SAFETY: as in `fetch`; a null buffer asks for the length alone.
    cerr(unsafe {
        libc::sysctl(mib.as_ptr(), mib.len() as libc::c_uint, ptr::null_mut(), &mut length, ptr::null(), 0)
    })?;
    Ok(length)
}

/// Fetches the value with this name into `buffer`.
pub(super) fn fetch_by_name(name: &CStr, buffer: &mut [u8]) -> io::Result<Fetched> {
    fault::check(Call::ReadProc)?;
    let mut length = buffer.len();
    count::bump();
    // SAFETY: the name ends with a NUL; the rest as in `fetch`.
    let result =
        cerr(unsafe { libc::sysctlbyname(name.as_ptr(), buffer.as_mut_ptr().cast(), &mut length, ptr::null(), 0) });
    fetched(result, length.min(buffer.len()))
}

/// The whole value with this name, of at most `limit` bytes; `None` when the kernel has none of that name.
pub(super) fn whole(name: &CStr, limit: usize) -> io::Result<Option<Vec<u8>>> {
    let Some(mib) = mib(name)? else { return Ok(None) };
    whole_at(&mib, limit, |_, _| true)
}

/// The same of the value named by `mib`. Where the kernel does not tell by itself that it had more than fits, `is_whole` does,
/// from the length of the answer and that of the room for it.
pub(super) fn whole_at(
    mib: &[libc::c_int],
    limit: usize,
    is_whole: impl Fn(usize, usize) -> bool,
) -> io::Result<Option<Vec<u8>>> {
    for _ in 0..TRIES {
        let room = absent(length(mib))?.map(|length| length.saturating_add(length / 8 + SPARE));
        let Some(room) = room else { return Ok(None) };
        let mut bytes = vec![0; room.min(limit)];
        match absent(fetch(mib, &mut bytes))? {
            None => return Ok(None),
            Some(Fetched::Whole(length)) if is_whole(length, bytes.len()) => {
                bytes.truncate(length);
                return Ok(Some(bytes));
            }
            Some(_) if room >= limit => return Err(io::ErrorKind::FileTooLarge.into()),
            Some(_) => {}
        }
    }
    Err(io::Error::other("a value grows faster than it can be read"))
}

/// The value with this name as a number of 4 or 8 bytes; `None` when the kernel has none of that name, or it is negative.
pub(super) fn number(name: &CStr) -> io::Result<Option<u64>> {
    let mut bytes = [0; 8];
    match absent(fetch_by_name(name, &mut bytes))? {
        None => Ok(None),
        Some(Fetched::Whole(length)) => Ok(decode::number(bytes.get(..length).unwrap_or_default())?),
        Some(Fetched::Cut(_)) => Err(decode::DecodeError::Nonsense("a number").into()),
    }
}

/// The numbers that stand for a name (sysctlnametomib(3)); `None` when the kernel has none of that name.
pub(super) fn mib(name: &CStr) -> io::Result<Option<Vec<libc::c_int>>> {
    let mut mib = vec![0; MIB_MAX];
    let mut length = mib.len();
    fault::check(Call::ReadProc)?;
    count::bump();
    // SAFETY: the name ends with a NUL; `mib` has room for `length` numbers, of which the call writes no more.
    let result = cerr(unsafe { libc::sysctlnametomib(name.as_ptr(), mib.as_mut_ptr(), &mut length) });
    mib.truncate(length);
    Ok(absent(result)?.map(|_| mib))
}

/// The numbers of the variable that comes after `mib` in the tree; `None` behind the last.
pub(super) fn next(mib: &[libc::c_int]) -> io::Result<Option<Vec<libc::c_int>>> {
    let mut bytes = [0; MIB_MAX * size_of::<libc::c_int>()];
    let question: Vec<libc::c_int> = [CTL_SYSCTL, CTL_SYSCTL_NEXT].into_iter().chain(mib.iter().copied()).collect();
    match absent(fetch(&question, &mut bytes))? {
        None => Ok(None),
        Some(Fetched::Whole(length) | Fetched::Cut(length)) => {
            Ok(Some(decode::numbers(bytes.get(..length).unwrap_or_default())))
        }
    }
}

/// The name of the variable that `mib` stands for.
pub(super) fn name(mib: &[libc::c_int]) -> io::Result<String> {
    let mut bytes = [0; 1024];
    let question: Vec<libc::c_int> = [CTL_SYSCTL, CTL_SYSCTL_NAME].into_iter().chain(mib.iter().copied()).collect();
    let (Fetched::Whole(length) | Fetched::Cut(length)) = fetch(&question, &mut bytes)?;
    Ok(decode::text(bytes.get(..length).unwrap_or_default()))
}

/// `None` for the error that says there is no such variable.
fn absent<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// ENOMEM means that the buffer was too short; it is filled as far as it goes.
fn fetched(result: io::Result<libc::c_int>, length: usize) -> io::Result<Fetched> {
    match result {
        Ok(_) => Ok(Fetched::Whole(length)),
        Err(error) if error.raw_os_error() == Some(libc::ENOMEM) => Ok(Fetched::Cut(length)),
        Err(error) => Err(error),
    }
}
