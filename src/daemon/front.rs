//! From `set httpd` to sockets.

use std::io;
use std::net::{IpAddr, ToSocketAddrs};

use crate::config::load::page;
use crate::config::world::World;
use crate::config::{Config, HttpdSocket, Kind};
use crate::http::{Endpoint, Error, Server, Settings, SocketFile};
use crate::sys::platform::machine::host_name;
use crate::sys::posix::net::Access;

/// What helps when an address is taken.
const STOP_IT: &str = "if Monit or another pollux runs there, stop it first";

/// Listens where the configuration says; `address` is what [`address`] found for it, and `world` has the files. `Ok(Some(_))` is the original's line about a front that lets nobody in.
///
/// # Errors
/// The address cannot be had, with the remedy; then it listens where it did before.
pub(super) fn listen(
    server: &mut Server,
    config: &Config,
    address: Option<IpAddr>,
    world: &dyn World,
) -> Result<Option<String>, String> {
    let Some(httpd) = &config.settings.httpd else {
        return server.reconfigure(Settings::default(), None, None).map(|()| None).map_err(|error| error.to_string());
    };
    if let (Some(name), None) = (name(config), address) {
        return Err(no_address(name));
    }
    let endpoint = httpd.port.map(|port| Endpoint { address, port });
    let socket = httpd.socket.as_ref().map(socket_file);
    let tls = httpd.tls.as_ref().filter(|_| httpd.encrypts() && endpoint.is_some());
    let tls = tls.map(|tls| page::acceptor(tls, world)).transpose();
    let tls = tls.map_err(|why| format!("the page cannot be encrypted: {why}"))?;
    match server.reconfigure(Settings::new(httpd, names(config), tls), endpoint, socket) {
        Ok(()) => Ok(None),
        Err(error @ Error::NobodyAllowed) if httpd.socket.is_some() => {
            Ok(Some(format!("monit: monit {error}; it is served by the socket file alone")))
        }
        Err(error @ Error::NobodyAllowed) => Ok(Some(format!("monit: monit {error}"))),
        Err(error) => {
            let (way_out, what) = match &error {
                Error::Socket(_, error) if error.kind() == io::ErrorKind::AlreadyExists => ("remove it", "path"),
                Error::Socket(..) => (STOP_IT, "path"),
                _ => (STOP_IT, "port"),
            };
            Err(format!("{error}; {way_out}, otherwise change the {what} in 'set httpd'"))
        }
    }
}

/// The socket file that `unixsocket` asks for: for its owner alone if it does not say otherwise.
fn socket_file(socket: &HttpdSocket) -> SocketFile {
    let (uid, gid) = (socket.uid.as_ref().map(|user| user.uid), socket.gid.as_ref().map(|group| group.gid));
    let mode = socket.permission.unwrap_or(Access::PRIVATE.mode);
    SocketFile { path: socket.path.clone(), access: Access { uid, gid, mode } }
}

/// The names of this machine that we know without asking anybody: its own, whole and up to the first dot, that of the system
/// service and that in `set httpd address`.
fn names(config: &Config) -> Vec<String> {
    let own = host_name().unwrap_or_default();
    let short = own.split('.').next().unwrap_or_default().to_owned();
    let systems = config.services.iter().filter(|service| service.kind == Kind::System);
    let systems = systems.map(|service| service.name.clone());
    systems.chain([own, short]).chain(name(config).map(str::to_owned)).filter(|name| !name.is_empty()).collect()
}

/// The name or literal address in `set httpd address`, if it is listened on.
pub(super) fn name(config: &Config) -> Option<&str> {
    let httpd = config.settings.httpd.as_ref().filter(|httpd| httpd.port.is_some())?;
    httpd.address.as_deref()
}

/// The address to listen on: a literal one, or what the resolver says of a name, which may take its time.
///
/// # Errors
/// The name has none.
pub(super) fn address(config: &Config) -> Result<Option<IpAddr>, String> {
    let Some(name) = name(config) else { return Ok(None) };
    if let Ok(address) = name.parse() {
        return Ok(Some(address));
    }
    if name.eq_ignore_ascii_case("localhost") {
        return Ok(Some(IpAddr::from([127, 0, 0, 1])));
    }
    let found = (name, 0).to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
    found.map(|address| Some(address.ip())).ok_or_else(|| no_address(name))
}

/// The question about it, in words.
pub(super) fn question(name: &str) -> String {
    format!("the name '{name}' in 'set httpd address'")
}

fn no_address(name: &str) -> String {
    format!("the name '{name}' in 'set httpd address' has no address")
}
