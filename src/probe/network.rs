//! Network interfaces.

use crate::config::NetworkTarget;
use crate::facts::network::LinkFacts;
use crate::sys::platform::network;
use crate::sys::posix::interface;

/// What the system tells about the interface, or why nothing is known of it.
pub fn observe(target: &NetworkTarget) -> Result<LinkFacts, String> {
    let name = match target {
        NetworkTarget::Interface(name) => name.clone(),
        NetworkTarget::Address(address) => by_address(address)?,
    };
    match network::link(&name) {
        Ok(Some(link)) => Ok(link),
        Ok(None) => Err(format!("there is no interface {name}")),
        Err(error) => Err(format!("interface {name}: {error}")),
    }
}

fn by_address(address: &str) -> Result<String, String> {
    let parsed = address.parse().map_err(|_| format!("{address} is no address of a network interface"))?;
    match interface::with_address(parsed) {
        Ok(Some(name)) => Ok(name),
        Ok(None) => Err(format!("no interface has the address {address}")),
        Err(error) => Err(format!("the interfaces cannot be listed: {error}")),
    }
}
