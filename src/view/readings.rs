//! What was measured, as rows of label and value. The labels are those that readers of the original know.

use super::paths;
use super::status::{LinkReadings, Monitoring, ProcessReadings, Readings, ServiceStatus, Status, SystemReadings};
use crate::base::event::EventKind;
use crate::base::{escape, format};
use crate::config::ServiceType;
use crate::facts::network::TrafficRate;
use crate::facts::rate;
use crate::facts::system::CpuShare;

/// One row; without a value the reading is not known. A value may have several lines.
pub type Row = (&'static str, Option<String>);

/// The rows of a service, in the order of the texts.
pub fn rows(service: &ServiceStatus, status: &Status) -> Vec<Row> {
    match &service.readings {
        Readings::None => Vec::new(),
        Readings::Process(process) => self::process(process),
        Readings::System(system) => self::system(system, status),
        Readings::Link(link) => self::link(link),
        Readings::Path(path) => paths::path(service.service_type, path),
        Readings::Filesystem(filesystem) => paths::filesystem(filesystem),
        Readings::Program(run) => {
            let lines: Vec<_> = run.output.lines().map(escape::log_line).collect();
            vec![
                ("last exit value", run.status.map(|status| status.to_string())),
                ("last output", Some(lines.join("\n")).filter(|output| !output.is_empty())),
            ]
        }
    }
}

/// The rows of a service that was looked at and told nothing: an interface that is not there, a path of another type.
/// Readers of the original find their labels there all the same.
pub fn unknown(service: &ServiceStatus) -> Vec<Row> {
    if !service.is_judged || service.monitoring == Monitoring::NotMonitored {
        return Vec::new();
    }
    let is_of_another_type = service.open.iter().any(|(kind, _)| *kind == EventKind::Invalid);
    match service.service_type {
        ServiceType::Network => link(&LinkReadings::default()),
        kind @ (ServiceType::File | ServiceType::Directory | ServiceType::Fifo) if is_of_another_type => {
            paths::unknown(kind)
        }
        _ => Vec::new(),
    }
}

fn number(value: Option<u64>) -> Option<String> {
    value.map(|value| value.to_string())
}

fn size(bytes: Option<u64>) -> Option<String> {
    bytes.map(|bytes| format::size(bytes as f64))
}

fn percent(value: Option<f64>) -> Option<String> {
    value.map(|value| format!("{value:.1}%"))
}

/// `0.2% [8.1 MB]`
fn share(bytes: Option<u64>, whole: Option<u64>) -> Option<String> {
    Some(format!("{} [{}]", percent(rate::percent(bytes, whole))?, size(bytes)?))
}

/// `1 kB/s [3 MB total]`; a rate that is not known yet is left out.
pub(super) fn bytes(rate: Option<f64>, total: Option<u64>) -> Option<String> {
    let total = size(total)?;
    Some(match rate {
        Some(rate) => format!("{}/s [{total} total]", format::size(rate)),
        None => format!("- [{total} total]"),
    })
}

/// `0.0 reads/s [10 reads total]`
pub(super) fn operations(rate: Option<f64>, total: Option<u64>, word: &str) -> Option<String> {
    let total = total?;
    Some(match rate {
        Some(rate) => format!("{rate:.1} {word}/s [{total} {word} total]"),
        None => format!("- [{total} {word} total]"),
    })
}

fn process(seen: &ProcessReadings) -> Vec<Row> {
    let facts = &seen.facts;
    let open = facts.descriptors;
    let descriptors = match (open.open, open.percent(), open.soft_limit) {
        (Some(open), Some(percent), Some(limit)) if limit < u64::MAX => {
            Some(format!("{open} [{percent:.1}% of {limit} limit]"))
        }
        (open, _, _) => number(open),
    };
    let io = &facts.io;
    let rates = &seen.usage.io;
    let mut rows = vec![
        ("pid", Some(facts.identity.pid.to_string())),
        ("parent pid", facts.parent.map(|pid| pid.to_string())),
        ("uid", facts.uid.map(|id| id.to_string())),
        ("effective uid", facts.euid.map(|id| id.to_string())),
        ("gid", facts.gid.map(|id| id.to_string())),
        ("uptime", facts.uptime.map(format::uptime)),
        ("threads", number(facts.threads)),
        ("children", number(facts.tree.children)),
        ("cpu", percent(seen.usage.cpu_percent)),
        ("cpu total", percent(seen.usage.tree_cpu_percent)),
        ("memory", share(facts.resident_bytes, seen.memory_bytes)),
        ("memory total", share(facts.tree.resident_bytes, seen.memory_bytes)),
        ("security attribute", facts.security.clone()),
        ("filedescriptors", descriptors),
        ("total filedescriptors", number(facts.tree.descriptors)),
    ];
    // Rows of counters that this system does not keep are left out, as in the original.
    let counters = [
        ("read bytes", bytes(rates.read_bytes, io.read_bytes)),
        ("disk read bytes", bytes(rates.disk_read_bytes, io.disk_read_bytes)),
        ("disk read operations", operations(rates.reads, io.reads, "reads")),
        ("write bytes", bytes(rates.written_bytes, io.written_bytes)),
        ("disk write bytes", bytes(rates.disk_written_bytes, io.disk_written_bytes)),
        ("disk write operations", operations(rates.writes, io.writes, "writes")),
    ];
    rows.extend(counters.into_iter().filter(|(_, value)| value.is_some()));
    rows
}

fn system(seen: &SystemReadings, status: &Status) -> Vec<Row> {
    let facts = &seen.facts;
    let descriptors = match (facts.descriptors_open, facts.descriptors_percent(), facts.descriptors_max) {
        (Some(open), Some(percent), Some(limit)) => Some(format!("{open} [{percent:.1}% of {limit} limit]")),
        (open, _, _) => number(open),
    };
    let swap = |bytes: Option<u64>| Some(format!("{} [{}]", size(bytes)?, percent(facts.swap_percent())?));
    let memory = |bytes: Option<u64>| Some(format!("{} [{}]", size(bytes)?, percent(facts.memory_percent())?));
    vec![
        ("load average", facts.load.map(|[a, b, c]| format!("[{a:.2}] [{b:.2}] [{c:.2}]"))),
        ("cpu", cpu(&seen.share)),
        ("memory usage", memory(facts.memory_used_bytes)),
        ("swap usage", swap(facts.swap_used_bytes)),
        ("uptime", facts.uptime.map(format::uptime)),
        ("boot time", status.boot.map(|time| time.rfc_date())),
        ("filedescriptors", descriptors),
    ]
}

/// Only the kinds that the system counts.
fn cpu(share: &CpuShare) -> Option<String> {
    let kinds = [
        (share.user, "usr"),
        (share.system, "sys"),
        (share.nice, "nice"),
        (share.iowait, "iowait"),
        (share.hardirq, "hardirq"),
        (share.softirq, "softirq"),
        (share.steal, "steal"),
        (share.guest, "guest"),
        (share.guestnice, "guestnice"),
    ];
    let known: Vec<_> = kinds.iter().filter_map(|(value, word)| Some(format!("{:.1}%{word}", (*value)?))).collect();
    Some(known.join(" ")).filter(|text| !text.is_empty())
}

fn link(seen: &LinkReadings) -> Vec<Row> {
    let (facts, rates) = (&seen.facts, &seen.rates);
    let errors = [facts.upload.errors, facts.download.errors].into_iter().flatten().fold(0, u64::saturating_add);
    let mut rows = vec![("link", facts.up.map(|up| if up { format!("{errors} errors") } else { "down".to_owned() }))];
    if let Some(speed) = facts.speed_bits_per_second {
        let duplex = if facts.full_duplex == Some(false) { "half-duplex" } else { "full-duplex" };
        rows.push(("capacity", Some(format!("{} Mb/s {duplex}", speed / 1_000_000))));
    }
    let bytes = |rate: &TrafficRate, saturation: Option<f64>| {
        let rate = format::size(rate.bytes_per_second?);
        Some(match saturation {
            Some(saturation) => format!("{rate}/s ({saturation:.1}% link saturation)"),
            None => format!("{rate}/s"),
        })
    };
    let packets = |rate: &TrafficRate| rate.packets_per_second.map(|rate| format!("{rate:.0} per second"));
    rows.push(("download bytes", bytes(&rates.download, rates.download_saturation_percent(facts))));
    rows.push(("upload bytes", bytes(&rates.upload, rates.upload_saturation_percent(facts))));
    rows.push(("download packets", packets(&rates.download)));
    rows.push(("upload packets", packets(&rates.upload)));
    rows
}
