//! The status as XML, in the two layouts of the original. The elements, their order and the form of their numbers are what
//! readers rely on; what is written into them is escaped, and the encoding is the one that is declared.

mod service;
#[cfg(test)]
mod tests;
mod write;

use super::COMPATIBLE_WITH;
use super::status::{Front, ServiceStatus, Status};
use write::Writer;

/// Which of the two layouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `/_status`: services below the root, with their type as attribute.
    First,
    /// `/_status2`, and what a collector is sent: services and groups with elements of their own, names as attributes.
    Second,
}

/// The document: all services, in the order of the configuration.
pub fn document(status: &Status, layout: Layout) -> String {
    let incarnation = status.incarnation.secs().to_string();
    let mut writer = Writer::default();
    writer.declaration();
    match layout {
        Layout::First => writer.element("monit", |writer| {
            writer.element("server", |writer| {
                writer.text("id", &status.id);
                writer.number("incarnation", &incarnation);
                writer.text("version", COMPATIBLE_WITH);
                server(writer, status);
            });
            platform(writer, status);
            for found in &status.services {
                let kind = (found.service_type as u8).to_string();
                writer.with("service", &[("type", &kind)], |writer| {
                    writer.text("name", &found.name);
                    service::service(writer, found, status);
                });
            }
        }),
        Layout::Second => {
            let attributes = [("id", status.id.as_str()), ("incarnation", &incarnation), ("version", COMPATIBLE_WITH)];
            writer.with("monit", &attributes, |writer| {
                writer.element("server", |writer| server(writer, status));
                platform(writer, status);
                writer.element("services", |writer| {
                    for found in &status.services {
                        writer.with("service", &[("name", &found.name)], |writer| {
                            writer.number("type", found.service_type as u8);
                            service::service(writer, found, status);
                        });
                    }
                });
                writer.element("servicegroups", |writer| groups(writer, &status.services));
            });
        }
    }
    writer.finish()
}

/// What both layouts say of the daemon.
fn server(writer: &mut Writer, status: &Status) {
    writer.number("uptime", status.uptime.as_secs());
    writer.number("poll", status.interval.as_secs());
    writer.number("startdelay", status.start_delay.as_secs());
    writer.text("localhostname", &status.host);
    writer.text("controlfile", &status.control_file);
    match &status.front {
        None => {}
        Some(Front::Tcp { address, port, tls }) => writer.element("httpd", |writer| {
            writer.text("address", address);
            writer.number("port", port);
            writer.number("ssl", u8::from(*tls));
        }),
        Some(Front::Socket(path)) => writer.element("httpd", |writer| writer.text("unixsocket", path)),
    }
}

fn platform(writer: &mut Writer, status: &Status) {
    let kilobytes = |bytes: Option<u64>| bytes.unwrap_or(0) / 1024;
    writer.element("platform", |writer| {
        writer.text("name", &status.platform.system);
        writer.text("release", &status.platform.release);
        writer.text("version", &status.platform.version);
        writer.text("machine", &status.platform.machine);
        writer.number("cpu", status.cpus.unwrap_or(0));
        writer.number("memory", kilobytes(status.memory_bytes));
        writer.number("swap", kilobytes(status.swap_bytes));
    });
}

/// Groups, the one that is named last first, as in the original; members in the order of the configuration. A group is
/// called as it is called first; letters count without regard to case.
fn groups(writer: &mut Writer, services: &[ServiceStatus]) {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for service in services {
        for name in &service.groups {
            match groups.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
                Some((_, members)) => members.push(&service.name),
                None => groups.push((name, vec![&service.name])),
            }
        }
    }
    for (name, members) in groups.iter().rev() {
        writer.with("servicegroup", &[("name", name)], |writer| {
            for member in members {
                writer.text("service", member);
            }
        });
    }
}
