//! Pages about the daemon itself.

use crate::base::escape::html;
use crate::base::format;
use crate::view::status::{Front, Status};

use super::{Visitor, buttons, interval, page, refresh, rows};

/// What the daemon is and how it is set.
pub fn runtime(status: &Status, visitor: Visitor<'_>) -> String {
    let size = |bytes: Option<u64>| bytes.map(|bytes| format::size(bytes as f64));
    let platform = &status.platform;
    let front = status.front.as_ref().map(|front| match front {
        Front::Tcp { address, port, tls } => format!("{address}, port {port}{}", if *tls { ", encrypted" } else { "" }),
        Front::Socket(path) => path.clone(),
    });
    let known = [
        ("id", Some(status.id.clone())),
        ("host", Some(status.host.clone())),
        ("uptime", Some(format::uptime(status.uptime))),
        ("control file", Some(status.control_file.clone())),
    ];
    let files = status.files.iter().map(|(label, path)| (*label, Some(path.clone())));
    let rest = [
        ("page", front),
        ("cycle", Some(interval(status.interval))),
        ("start delay", Some(interval(status.start_delay)).filter(|_| !status.start_delay.is_zero())),
        ("services", Some(status.services.len().to_string())),
        ("system", Some(format!("{} {} {}", platform.system, platform.release, platform.machine))),
        ("processors", status.cpus.map(|cpus| cpus.to_string())),
        ("memory", size(status.memory_bytes)),
        ("swap space", size(status.swap_bytes)),
    ];
    let known = known.into_iter().chain(files).chain(rest).filter_map(|(label, text)| Some((label, text?)));
    let buttons = buttons("/_runtime", &[("validate", "Check now")], visitor);
    let body = format!("<h1>The daemon on {}</h1>\n{buttons}{}", html(&status.host), rows(known));
    page(&format!("Daemon on {}", status.host), "/_runtime", refresh(status, []), &body, visitor)
}

/// What this program is.
pub fn about(visitor: Visitor<'_>) -> String {
    let body = "<h1>pollux</h1>\n<p>A watchdog daemon for Unix. It reads the control files of Monit.</p>\n\
                <p class=\"soft\">pollux(8) and monitrc(5) describe it.</p>\n";
    page("About pollux", "/_about", None, body, visitor)
}
