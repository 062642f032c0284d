//! From `set httpd` to sockets.

use std::net::{IpAddr, ToSocketAddrs};

use crate::config::Httpd;
use crate::http::{Endpoint, Error, Server, Settings};

/// Listens where the configuration says. `Ok(Some(_))` is the original's line about a front that lets nobody in.
///
/// # Errors
/// The address cannot be had, with the remedy; then it listens where it did before.
pub(super) fn listen(server: &mut Server, httpd: Option<&Httpd>) -> Result<Option<String>, String> {
    let Some(httpd) = httpd else {
        return server.reconfigure(Settings::default(), None).map(|()| None).map_err(|error| error.to_string());
    };
    let endpoint = match (httpd.port, &httpd.address) {
        (None, _) => None,
        (Some(port), None) => Some(Endpoint { address: None, port }),
        (Some(port), Some(name)) => Some(Endpoint { address: Some(address(name)?), port }),
    };
    match server.reconfigure(Settings::new(httpd), endpoint) {
        Ok(()) => Ok(None),
        Err(error @ Error::NobodyAllowed) => Ok(Some(format!("monit: monit {error}"))),
        Err(error) => Err(format!(
            "{error}; if Monit or another pollux runs there, stop it first, otherwise change the port in 'set httpd'"
        )),
    }
}

/// A literal address, or what the resolver says of a name. Asked once at start and reload only.
fn address(name: &str) -> Result<IpAddr, String> {
    if let Ok(address) = name.parse() {
        return Ok(address);
    }
    if name.eq_ignore_ascii_case("localhost") {
        return Ok(IpAddr::from([127, 0, 0, 1]));
    }
    let found = (name, 0).to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
    found.map(|address| address.ip()).ok_or_else(|| format!("the name '{name}' in 'set httpd address' has no address"))
}
