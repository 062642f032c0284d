//! Sockets: listeners, accepted connections, bytes in and out. Everything here is close-on-exec, and non-blocking unless
//! a function says otherwise.

use std::ffi::CString;
use std::io;
use std::mem;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::errno::{cerr, retry};

/// How many connections the kernel keeps for us until they are accepted.
const BACKLOG: libc::c_int = 128;

/// Longest address that fits a unix socket address together with its closing NUL: 107 bytes on Linux, 103 on FreeBSD.
const SUN_PATH_MAX: usize = mem::size_of::<libc::sockaddr_un>() - mem::offset_of!(libc::sockaddr_un, sun_path) - 1;

/// A TCP listener on `address`. Listens on IPv6 addresses without their mapped IPv4 twins (IPV6_V6ONLY), and may be opened
/// again at once after its predecessor closed (SO_REUSEADDR).
///
/// # Errors
/// Those of socket(2), setsockopt(2), bind(2) and listen(2).
pub fn listen_tcp(address: SocketAddr) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    let socket = socket(family, libc::SOCK_NONBLOCK)?;
    set_flag(&socket, libc::SOL_SOCKET, libc::SO_REUSEADDR)?;
    if address.is_ipv6() {
        set_flag(&socket, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY)?;
    }
    let (name, length) = encode(address);
    // SAFETY: the pointer and the length describe a socket address inside `name`, which outlives the call.
    cerr(unsafe { libc::bind(socket.as_raw_fd(), (&raw const name).cast(), length) })?;
    listen(&socket)?;
    Ok(socket)
}

/// The TCP address a listener is bound to; tells the port when it was bound to port 0.
///
/// # Errors
/// Those of getsockname(2); [`io::ErrorKind::InvalidInput`] for a socket that is not TCP.
pub fn local_address(socket: BorrowedFd<'_>) -> io::Result<SocketAddr> {
    // SAFETY: all bytes zero is a valid sockaddr_storage.
    let mut name: libc::sockaddr_storage = unsafe { mem::zeroed() };
    let mut length = mem::size_of_val(&name) as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes into `name`, which is that large; both outlive the call.
    cerr(unsafe { libc::getsockname(socket.as_raw_fd(), (&raw mut name).cast(), &mut length) })?;
    decode(&name).ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

/// Who may open a socket file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Its owner; `None`: this process's user.
    pub uid: Option<u32>,
    /// Its group; `None`: what the system gives it.
    pub gid: Option<u32>,
    /// Its permission bits.
    pub mode: u32,
}

impl Access {
    /// For nobody but its owner.
    pub const PRIVATE: Access = Access { uid: None, gid: None, mode: 0o600 };
}

/// A listener on the unix socket file `path`. The file may have a path of any length, its name at most 100 bytes. A file
/// left over by a listener that is gone is replaced.
///
/// # Errors
/// [`io::ErrorKind::AddrInUse`] when somebody listens there; [`io::ErrorKind::AlreadyExists`] when the file is no socket;
/// otherwise those of socket(2), bind(2), chown(2), chmod(2) and listen(2).
pub fn listen_unix(path: &Path, access: Access) -> io::Result<OwnedFd> {
    let socket = socket(libc::AF_UNIX, libc::SOCK_NONBLOCK)?;
    let bind = |socket: &OwnedFd| {
        at_unix_address(path, |name, length| {
            // SAFETY: the pointer and the length describe a socket address that outlives the call.
            cerr(unsafe { libc::bind(socket.as_raw_fd(), (&raw const *name).cast(), length) }).map(drop)
        })
    };
    match bind(&socket) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            remove_stale_socket(path)?;
            bind(&socket)?;
        }
        result => result?,
    }
    // Nobody can connect before listen(2), so owner and mode count for every connection.
    let listening = give(path, access).and_then(|()| listen(&socket));
    if let Err(error) = listening {
        let _ = std::fs::remove_file(path);
        return Err(error);
    }
    Ok(socket)
}

/// Gives a socket file its owner and mode; never what a symbolic link in its place points at.
fn give(path: &Path, access: Access) -> io::Result<()> {
    if access.uid.is_some() || access.gid.is_some() {
        std::os::unix::fs::lchown(path, access.uid, access.gid)?;
    }
    let name = CString::new(path.as_os_str().as_bytes())?;
    let mode = (access.mode & 0o777) as libc::mode_t;
    // SAFETY: `name` is a C string that outlives the call.
    match cerr(unsafe { libc::fchmodat(libc::AT_FDCWD, name.as_ptr(), mode, libc::AT_SYMLINK_NOFOLLOW) }) {
        // Linux without /proc, or with a C library that cannot do it there.
        Err(error) if matches!(error.raw_os_error(), Some(libc::EOPNOTSUPP | libc::EINVAL | libc::ENOSYS)) => {
            if !std::fs::symlink_metadata(path)?.file_type().is_socket() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(access.mode))
        }
        result => result.map(drop),
    }
}

/// Removes a socket file if nobody listens there any more.
fn remove_stale_socket(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => {}
        Ok(_) => return Err(io::ErrorKind::AlreadyExists.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    let trial = socket(libc::AF_UNIX, libc::SOCK_NONBLOCK)?;
    match connect_socket(&trial, path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path),
        // Connected, or a full backlog: somebody is there. Not permitted to ask: not ours to remove.
        _ => Err(io::ErrorKind::AddrInUse.into()),
    }
}

/// A blocking connection to the unix socket file `path`, of any length. Connecting, each read and each write take at most
/// `timeout`.
///
/// # Errors
/// Those of socket(2) and connect(2); `ConnectionRefused` and `NotFound` mean that nobody listens.
pub fn connect_unix(path: &Path, timeout: Duration) -> io::Result<UnixStream> {
    let stream = UnixStream::from(socket(libc::AF_UNIX, 0)?);
    stream.set_write_timeout(Some(timeout))?;
    stream.set_read_timeout(Some(timeout))?;
    connect_socket(stream.as_fd(), path)?;
    Ok(stream)
}

fn connect_socket(socket: impl AsFd, path: &Path) -> io::Result<()> {
    at_unix_address(path, |name, length| {
        // SAFETY: the pointer and the length describe a socket address that outlives the call.
        cerr(unsafe { libc::connect(socket.as_fd().as_raw_fd(), (&raw const *name).cast(), length) }).map(drop)
    })
}

/// Calls `call` with the address of `path`. A path too long for an address is reached by its last part, from its directory,
/// to which the process changes for the time of the call; the old directory is restored in any case.
fn at_unix_address(
    path: &Path,
    call: impl FnOnce(&libc::sockaddr_un, libc::socklen_t) -> io::Result<()>,
) -> io::Result<()> {
    if path.as_os_str().len() <= SUN_PATH_MAX {
        let (name, length) = encode_unix(path.as_os_str().as_bytes())?;
        return call(&name, length);
    }
    let file = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let (name, length) = encode_unix(file.as_bytes())?;
    let directory = open_directory(path.parent().unwrap_or(Path::new(".")))?;
    let _back = Back(open_directory(Path::new("."))?);
    // SAFETY: fchdir(2) takes an open descriptor and no pointer.
    cerr(unsafe { libc::fchdir(directory.as_raw_fd()) })?;
    call(&name, length)
}

/// Returns to a directory when it goes out of scope.
struct Back(OwnedFd);

impl Drop for Back {
    fn drop(&mut self) {
        // Cannot fail for a directory in which the process was a moment ago, short of an I/O error.
        // SAFETY: fchdir(2) takes an open descriptor and no pointer.
        let _ = unsafe { libc::fchdir(self.0.as_raw_fd()) };
    }
}

fn open_directory(path: &Path) -> io::Result<OwnedFd> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let path = if path.is_empty() { c"." } else { &path };
    let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC | libc::O_NONBLOCK;
    // SAFETY: `path` is a C string that outlives the call.
    let fd = cerr(unsafe { libc::open(path.as_ptr(), flags) })?;
    // SAFETY: open(2) just gave us this descriptor; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Takes the next connection from a listener, with the client's TCP address. `None` for a unix socket, and on FreeBSD
/// also for a TCP client that went away before it was accepted: the absence of an address says nothing about trust.
///
/// # Errors
/// [`io::ErrorKind::WouldBlock`] when none waits; EMFILE or ENFILE (see [`is_out_of_descriptors`]); those of accept(2)
/// otherwise, among them ECONNABORTED for a client that went away, none of which ends the listener.
pub fn accept(listener: BorrowedFd<'_>) -> io::Result<(OwnedFd, Option<SocketAddr>)> {
    // SAFETY: all bytes zero is a valid sockaddr_storage.
    let mut name: libc::sockaddr_storage = unsafe { mem::zeroed() };
    let mut length = mem::size_of_val(&name) as libc::socklen_t;
    let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: the kernel writes at most `length` bytes into `name`, which is that large; both outlive the call.
    let accept = || cerr(unsafe { libc::accept4(listener.as_raw_fd(), (&raw mut name).cast(), &mut length, flags) });
    let fd = retry(accept)?;
    // SAFETY: accept4(2) just gave us this descriptor; nobody else owns it.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    Ok((socket, decode(&name)))
}

/// Whether a call failed because this process (EMFILE) or the system (ENFILE) has no descriptor left.
pub fn is_out_of_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}

/// Whether a call failed because the machine lacks the address family, as a kernel without IPv6 does.
pub fn is_unknown_family(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EAFNOSUPPORT | libc::EPROTONOSUPPORT | libc::EPFNOSUPPORT | libc::EADDRNOTAVAIL)
    )
}

/// Reads what has arrived. 0 is the end: the peer sends no more.
///
/// # Errors
/// [`io::ErrorKind::WouldBlock`] when nothing has arrived; those of recv(2).
pub fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    let read = || {
        // SAFETY: the pointer and the length describe `buffer`, which is ours alone and outlives the call.
        cerr(unsafe { libc::recv(socket.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), 0) })
    };
    Ok(retry(read)?.unsigned_abs())
}

/// Writes as much as there is room for, and tells how much. A peer that is gone is an error (EPIPE), never a signal.
///
/// # Errors
/// [`io::ErrorKind::WouldBlock`] when there is no room; those of send(2).
pub fn send(socket: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    let write = || {
        // SAFETY: the pointer and the length describe `bytes`, which outlives the call.
        cerr(unsafe { libc::send(socket.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL) })
    };
    Ok(retry(write)?.unsigned_abs())
}

/// Tells the peer that no more bytes will come.
///
/// # Errors
/// Those of shutdown(2), ENOTCONN when the peer is gone.
pub fn finish_sending(socket: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: shutdown(2) takes an open descriptor and no pointer.
    cerr(unsafe { libc::shutdown(socket.as_raw_fd(), libc::SHUT_WR) }).map(drop)
}

fn socket(family: libc::c_int, flags: libc::c_int) -> io::Result<OwnedFd> {
    // SAFETY: socket(2) takes no pointer.
    let fd = cerr(unsafe { libc::socket(family, libc::SOCK_STREAM | libc::SOCK_CLOEXEC | flags, 0) })?;
    // SAFETY: socket(2) just gave us this descriptor; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Whether this process may send echo requests (ICMP): by a raw socket, which is the superuser's and in a jail of FreeBSD needs
/// `allow.raw_sockets`, or by one of datagrams, which Linux gives to the groups of `net.ipv4.ping_group_range`.
pub fn may_ping() -> bool {
    [libc::SOCK_RAW, libc::SOCK_DGRAM].into_iter().any(|kind| {
        // SAFETY: socket(2) takes no pointer.
        let fd = cerr(unsafe { libc::socket(libc::AF_INET, kind | libc::SOCK_CLOEXEC, libc::IPPROTO_ICMP) });
        // SAFETY: socket(2) just gave us this descriptor; nobody else owns it.
        fd.map(|fd| drop(unsafe { OwnedFd::from_raw_fd(fd) })).is_ok()
    })
}

fn listen(socket: &OwnedFd) -> io::Result<()> {
    // SAFETY: listen(2) takes an open descriptor and no pointer.
    cerr(unsafe { libc::listen(socket.as_raw_fd(), BACKLOG) }).map(drop)
}

fn set_flag(socket: &OwnedFd, level: libc::c_int, option: libc::c_int) -> io::Result<()> {
    let on: libc::c_int = 1;
    let length = mem::size_of_val(&on) as libc::socklen_t;
    // SAFETY: the pointer and the length describe `on`, which outlives the call.
    cerr(unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const on).cast(), length) }).map(drop)
}

/// The kernel's form of a TCP address. The length member that FreeBSD has stays 0: its kernel sets it from the call's
/// length argument (getsockaddr(9)).
fn encode(address: SocketAddr) -> (libc::sockaddr_storage, libc::socklen_t) {
    // SAFETY: all bytes zero is a valid sockaddr_storage.
    let mut storage: libc::sockaddr_storage = unsafe { mem::zeroed() };
    let length = match address {
        SocketAddr::V4(v4) => {
            // SAFETY: sockaddr_storage is as large and as aligned as every socket address type.
            let name = unsafe { &mut *(&raw mut storage).cast::<libc::sockaddr_in>() };
            name.sin_family = libc::AF_INET as libc::sa_family_t;
            name.sin_port = v4.port().to_be();
            name.sin_addr.s_addr = u32::from_ne_bytes(v4.ip().octets());
            mem::size_of::<libc::sockaddr_in>()
        }
        SocketAddr::V6(v6) => {
            // SAFETY: sockaddr_storage is as large and as aligned as every socket address type.
            let name = unsafe { &mut *(&raw mut storage).cast::<libc::sockaddr_in6>() };
            name.sin6_family = libc::AF_INET6 as libc::sa_family_t;
            name.sin6_port = v6.port().to_be();
            name.sin6_addr.s6_addr = v6.ip().octets();
            name.sin6_flowinfo = v6.flowinfo();
            name.sin6_scope_id = v6.scope_id();
            mem::size_of::<libc::sockaddr_in6>()
        }
    };
    (storage, length as libc::socklen_t)
}

/// `None` for an address that is not of the internet families.
fn decode(storage: &libc::sockaddr_storage) -> Option<SocketAddr> {
    match libc::c_int::from(storage.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says which type the kernel wrote; sockaddr_storage is large and aligned enough for it.
            let name = unsafe { &*(&raw const *storage).cast::<libc::sockaddr_in>() };
            let ip = Ipv4Addr::from(name.sin_addr.s_addr.to_ne_bytes());
            Some(SocketAddrV4::new(ip, u16::from_be(name.sin_port)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: the family says which type the kernel wrote; sockaddr_storage is large and aligned enough for it.
            let name = unsafe { &*(&raw const *storage).cast::<libc::sockaddr_in6>() };
            let ip = Ipv6Addr::from(name.sin6_addr.s6_addr);
            let port = u16::from_be(name.sin6_port);
            Some(SocketAddrV6::new(ip, port, name.sin6_flowinfo, name.sin6_scope_id).into())
        }
        _ => None,
    }
}

fn encode_unix(path: &[u8]) -> io::Result<(libc::sockaddr_un, libc::socklen_t)> {
    if path.is_empty() || path.len() > SUN_PATH_MAX || path.contains(&0) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: all bytes zero is a valid sockaddr_un.
    let mut name: libc::sockaddr_un = unsafe { mem::zeroed() };
    name.sun_family = libc::AF_UNIX as libc::sa_family_t;
    for (place, byte) in name.sun_path.iter_mut().zip(path) {
        *place = *byte as libc::c_char;
    }
    let length = mem::offset_of!(libc::sockaddr_un, sun_path) + path.len() + 1;
    Ok((name, length as libc::socklen_t))
}

/// A blocking TCP connection from a chosen local address; `None` when the machine has no such address.
#[cfg(test)]
pub(crate) fn connect_tcp_from(source: std::net::IpAddr, to: SocketAddr) -> Option<std::net::TcpStream> {
    let socket = socket(libc::AF_INET, 0).unwrap();
    let (name, length) = encode(SocketAddr::new(source, 0));
    // SAFETY: the pointer and the length describe a socket address inside `name`, which outlives the call.
    cerr(unsafe { libc::bind(socket.as_raw_fd(), (&raw const name).cast(), length) }).ok()?;
    let (name, length) = encode(to);
    // SAFETY: the pointer and the length describe a socket address inside `name`, which outlives the call.
    cerr(unsafe { libc::connect(socket.as_raw_fd(), (&raw const name).cast(), length) }).unwrap();
    Some(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::posix::poll::{Interest, PollSet};
    use std::io::{Read, Write};
    use std::net::TcpStream;

    fn wait_readable(fd: BorrowedFd<'_>) {
        let mut set = PollSet::default();
        set.add(fd.as_raw_fd(), Interest::Read, ());
        assert_eq!(set.wait(Some(Duration::from_secs(10))).unwrap().len(), 1);
    }

    fn descriptor_flags(fd: BorrowedFd<'_>) -> (bool, bool) {
        // SAFETY: fcntl(2) with these commands takes no pointer.
        let (fd_flags, status) =
            unsafe { (libc::fcntl(fd.as_raw_fd(), libc::F_GETFD), libc::fcntl(fd.as_raw_fd(), libc::F_GETFL)) };
        (fd_flags & libc::FD_CLOEXEC != 0, status & libc::O_NONBLOCK != 0)
    }

    struct Scratch(std::path::PathBuf);

    impl Scratch {
        fn new(name: &str) -> Scratch {
            let path = std::env::temp_dir().join(format!("pollux-net-{}-{name}", std::process::id()));
            let _ = std::fs::remove_dir_all(&path);
            std::fs::create_dir(&path).unwrap();
            Scratch(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn bytes_pass_both_ways_and_nothing_blocks_or_is_inherited() {
        let listener = listen_tcp("127.0.0.1:0".parse().unwrap()).unwrap();
        assert_eq!(descriptor_flags(listener.as_fd()), (true, true));
        assert_eq!(accept(listener.as_fd()).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let mut client = TcpStream::connect(local_address(listener.as_fd()).unwrap()).unwrap();
        wait_readable(listener.as_fd());
        let (server, peer) = accept(listener.as_fd()).unwrap();
        assert_eq!(peer, Some(client.local_addr().unwrap()));
        assert_eq!(descriptor_flags(server.as_fd()), (true, true));
        let mut buffer = [0; 16];
        assert_eq!(receive(server.as_fd(), &mut buffer).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        client.write_all(b"ping").unwrap();
        wait_readable(server.as_fd());
        assert_eq!(receive(server.as_fd(), &mut buffer).unwrap(), 4);
        assert_eq!(send(server.as_fd(), b"pong").unwrap(), 4);
        finish_sending(server.as_fd()).unwrap();
        let mut text = String::new();
        client.read_to_string(&mut text).unwrap();
        assert_eq!(text, "pong");
    }

    #[test]
    fn a_peer_that_is_gone_is_an_error_and_no_signal() {
        let scratch = Scratch::new("gone");
        let path = scratch.0.join("s");
        let listener = listen_unix(&path, Access::PRIVATE).unwrap();
        let client = connect_unix(&path, Duration::from_secs(10)).unwrap();
        let (server, peer) = accept(listener.as_fd()).unwrap();
        assert_eq!(peer, None);
        drop(client);
        assert_eq!(send(server.as_fd(), b"x").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn both_wildcards_share_a_port() {
        // A stranger may have the port in the other family; not in each of twenty.
        let shared = (0..20).any(|_| {
            let Ok(six) = listen_tcp("[::]:0".parse().unwrap()) else { return true };
            let port = local_address(six.as_fd()).unwrap().port();
            listen_tcp(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port)).is_ok()
        });
        assert!(shared);
    }

    #[test]
    fn a_socket_file_of_any_path_is_private_and_replaced_only_when_stale() {
        let scratch = Scratch::new("long");
        let before = std::env::current_dir().unwrap();
        let deep = scratch.0.join("d".repeat(100)).join("e".repeat(100));
        std::fs::create_dir_all(&deep).unwrap();
        for directory in [&scratch.0, &deep] {
            let path = directory.join("0123456789abcdef.sock");
            let listener = listen_unix(&path, Access::PRIVATE).unwrap();
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            assert_eq!(listen_unix(&path, Access::PRIVATE).unwrap_err().kind(), io::ErrorKind::AddrInUse);
            assert!(connect_unix(&path, Duration::from_secs(10)).is_ok());
            drop(listener);
            let refused = connect_unix(&path, Duration::from_secs(10)).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
            assert!(listen_unix(&path, Access::PRIVATE).is_ok());
            assert_eq!(std::env::current_dir().unwrap(), before);
        }
        let file = scratch.0.join("file");
        std::fs::write(&file, "kept").unwrap();
        assert_eq!(listen_unix(&file, Access::PRIVATE).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "kept");
        assert!(listen_unix(&deep.join("missing").join("s"), Access::PRIVATE).is_err());
        assert_eq!(std::env::current_dir().unwrap(), before);
    }
}
