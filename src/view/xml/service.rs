//! One service in XML. The common elements come in every state. What was measured comes as far as it is known; readers
//! that fail on a missing element are helped by zeros where the original leaves it out (a process that does not run uses
//! no memory), and by -1 where the original has that for "unknown".

use super::write::Writer;
use crate::base::event::EventState;
use crate::config::{Hash, Mode, OnReboot, ServiceType};
use crate::facts::file::FileFacts;
use crate::facts::network::{LinkFacts, Traffic, TrafficRate};
use crate::facts::rate;
use crate::facts::usage::UNLIMITED;
use crate::view::connection::Target;
use crate::view::status::{
    ConnectionReading, FilesystemReadings, LinkReadings, Monitoring, PathReadings, PendingAction, ProcessReadings,
    Readings, Schedule, ServiceStatus, Status, SystemReadings,
};

/// What stands for an unknown number.
const UNKNOWN: i64 = -1;

/// All elements but the name and the type.
pub(super) fn service(writer: &mut Writer, service: &ServiceStatus, status: &Status) {
    let collected = service.collected_at.unwrap_or(status.incarnation);
    writer.number("collected_sec", collected.secs());
    writer.number("collected_usec", collected.micros());
    let counts = matches!(service.monitoring, Monitoring::Monitored | Monitoring::Waiting);
    let bits = |is: fn(EventState) -> bool| {
        let open = service.open.iter().filter(|(_, state)| counts && is(*state));
        open.fold(0, |bits, (kind, _)| bits | kind.bit())
    };
    writer.number("status", bits(|_| true));
    writer.number("status_hint", bits(|state| state == EventState::Changed));
    writer.number("monitor", monitor(service));
    writer.number("monitormode", u8::from(service.mode == Mode::Passive));
    writer.number(
        "onreboot",
        match service.onreboot {
            OnReboot::Start => 0,
            OnReboot::NoStart => 1,
            OnReboot::LastState => 2,
        },
    );
    writer.number(
        "pendingaction",
        match service.pending {
            None => 0,
            Some(PendingAction::Restart) => 2,
            Some(PendingAction::Stop) => 3,
            Some(PendingAction::Start) => 6,
        },
    );
    match &service.schedule {
        Schedule::Cycle => {}
        Schedule::Cycles { skipped, number } => writer.element("every", |writer| {
            writer.number("type", 2);
            writer.number("counter", skipped);
            writer.number("number", number);
        }),
        Schedule::Cron { not, text } => writer.element("every", |writer| {
            writer.number("type", if *not { 4 } else { 3 });
            writer.text("cron", text);
        }),
    }
    details(writer, service);
}

/// 0 not, 1 monitored, 2 not judged yet; 4 is added while it waits.
fn monitor(service: &ServiceStatus) -> u8 {
    match (service.monitoring, service.is_judged) {
        (Monitoring::NotMonitored, _) => 0,
        (Monitoring::Monitored, _) => 1,
        (Monitoring::Initializing, _) => 2,
        (Monitoring::Waiting, true) => 5,
        (Monitoring::Waiting, false) => 6,
    }
}

fn details(writer: &mut Writer, service: &ServiceStatus) {
    let is_looked_at = service.is_judged && service.monitoring != Monitoring::NotMonitored;
    let readings = if is_looked_at { &service.readings } else { &Readings::None };
    match (readings, service.service_type) {
        (Readings::Process(process), _) => self::process(writer, process),
        (Readings::None, ServiceType::Process) => usage(writer, [Some(0.0); 4], [Some(0); 2]),
        (Readings::System(system), _) => self::system(writer, system),
        (Readings::Link(link), _) => self::link(writer, link),
        (Readings::None, ServiceType::Network) if is_looked_at => self::link(writer, &LinkReadings::default()),
        (Readings::Path(path), kind) => self::path(writer, kind, path),
        (Readings::Filesystem(filesystem), _) => self::filesystem(writer, filesystem),
        (Readings::Program(run), _) => {
            let text = run.not_run.as_deref().unwrap_or(&run.output);
            program(writer, run.started.map_or(0, |at| at.secs()), run.status.unwrap_or(-1), text);
        }
        (Readings::None, ServiceType::Program) => program(writer, 0, 0, ""),
        (Readings::None, _) => {}
    }
    if is_looked_at {
        connections(writer, &service.connections);
    }
}

fn whole(value: Option<u64>) -> i64 {
    value.map_or(UNKNOWN, |value| i64::try_from(value).unwrap_or(i64::MAX))
}

/// A rate as the original writes it: without decimals, and 0 before it is known.
fn per_second(rate: Option<f64>) -> String {
    format!("{:.0}", rate.unwrap_or(0.0))
}

fn percent(value: Option<f64>) -> String {
    format!("{:.1}", value.unwrap_or(-1.0))
}

/// Shares of the memory and of the processors, each of the process and with its descendants; then kilobytes.
fn usage(writer: &mut Writer, [memory, memory_total, cpu, cpu_total]: [Option<f64>; 4], kilobytes: [Option<u64>; 2]) {
    let [own, total] = kilobytes.map(|kilobytes| kilobytes.unwrap_or(0));
    writer.element("memory", |writer| {
        writer.number("percent", percent(memory));
        writer.number("percenttotal", percent(memory_total));
        writer.number("kilobyte", own);
        writer.number("kilobytetotal", total);
    });
    writer.element("cpu", |writer| {
        writer.number("percent", percent(cpu));
        writer.number("percenttotal", percent(cpu_total));
    });
}

fn process(writer: &mut Writer, seen: &ProcessReadings) {
    let facts = &seen.facts;
    let id = |id: Option<u32>| whole(id.map(u64::from));
    writer.number("pid", facts.identity.pid);
    writer.number("ppid", facts.parent.map_or_else(|| UNKNOWN.to_string(), |pid| pid.to_string()));
    writer.number("uid", id(facts.uid));
    writer.number("euid", id(facts.euid));
    writer.number("gid", id(facts.gid));
    writer.number("uptime", whole(facts.uptime.map(|up| up.as_secs())));
    writer.number("threads", whole(facts.threads));
    writer.number("children", whole(facts.tree.children));
    let (own, total) = (facts.resident_bytes, facts.tree.resident_bytes);
    let [memory, memory_total] = [own, total].map(|bytes| rate::percent(bytes, seen.memory_bytes));
    let shares = [memory, memory_total, seen.usage.cpu_percent, seen.usage.tree_cpu_percent];
    usage(writer, shares, [own, total].map(|bytes| bytes.map(|bytes| bytes / 1024)));
    let open = facts.descriptors;
    if open.open.is_some() {
        let limit = |limit: Option<u64>| whole(limit.filter(|limit| *limit != UNLIMITED));
        writer.element("filedescriptors", |writer| {
            writer.number("open", whole(open.open));
            writer.number("opentotal", whole(facts.tree.descriptors));
            writer.element("limit", |writer| {
                writer.number("soft", limit(open.soft_limit));
                writer.number("hard", limit(open.hard_limit));
            });
        });
    }
    let (io, rates) = (&facts.io, &seen.usage.io);
    writer.element("read", |writer| {
        counter(writer, "bytesgeneric", rates.read_bytes, io.read_bytes);
        counter(writer, "bytes", rates.disk_read_bytes, io.disk_read_bytes);
        counter(writer, "operations", rates.reads, io.reads);
    });
    writer.element("write", |writer| {
        counter(writer, "bytesgeneric", rates.written_bytes, io.written_bytes);
        counter(writer, "bytes", rates.disk_written_bytes, io.disk_written_bytes);
        counter(writer, "operations", rates.writes, io.writes);
    });
}

/// A counter that this system keeps; others are left out.
fn counter(writer: &mut Writer, name: &str, rate: Option<f64>, total: Option<u64>) {
    if let Some(total) = total {
        writer.element(name, |writer| {
            writer.number("count", per_second(rate));
            writer.number("total", total);
        });
    }
}

fn system(writer: &mut Writer, seen: &SystemReadings) {
    let facts = &seen.facts;
    writer.element("filedescriptors", |writer| {
        writer.number("allocated", whole(facts.descriptors_open));
        writer.number("unused", 0);
        writer.number("maximum", whole(facts.descriptors_max));
    });
    writer.element("system", |writer| {
        let [one, five, fifteen] = facts.load.unwrap_or([-1.0; 3]);
        writer.element("load", |writer| {
            writer.number("avg01", format!("{one:.2}"));
            writer.number("avg05", format!("{five:.2}"));
            writer.number("avg15", format!("{fifteen:.2}"));
        });
        // A kind that the system counts is there from the beginning.
        let (share, counted) = (&seen.share, &facts.cpu);
        let kinds = [
            ("user", share.user, counted.user),
            ("system", share.system, counted.system),
            ("nice", share.nice, counted.nice),
            ("wait", share.iowait, counted.iowait),
            ("hardirq", share.hardirq, counted.hardirq),
            ("softirq", share.softirq, counted.softirq),
            ("steal", share.steal, counted.steal),
            ("guest", share.guest, counted.guest),
            ("guestnice", share.guestnice, counted.guestnice),
        ];
        writer.element("cpu", |writer| {
            for (name, share, counted) in kinds {
                if share.is_some() || counted.is_some() {
                    writer.number(name, percent(share.or(Some(0.0))));
                }
            }
        });
        let mut amount = |name, share: Option<f64>, bytes: Option<u64>| {
            writer.element(name, |writer| {
                writer.number("percent", percent(share));
                writer.number("kilobyte", bytes.unwrap_or(0) / 1024);
            });
        };
        amount("memory", facts.memory_percent(), facts.memory_used_bytes);
        amount("swap", facts.swap_percent(), facts.swap_used_bytes);
    });
}

fn link(writer: &mut Writer, seen: &LinkReadings) {
    let LinkFacts { up, speed_bits_per_second, full_duplex, download, upload } = &seen.facts;
    // An interface that does not tell counts as up; one that could not be read has no counters either.
    let state = up.map_or(if download.bytes.is_some() { 1 } else { UNKNOWN }, i64::from);
    writer.element("link", |writer| {
        writer.number("state", state);
        writer.number("speed", whole(*speed_bits_per_second));
        writer.number("duplex", full_duplex.map_or(UNKNOWN, i64::from));
        writer.element("download", |writer| direction(writer, download, &seen.rates.download));
        writer.element("upload", |writer| direction(writer, upload, &seen.rates.upload));
    });
}

fn direction(writer: &mut Writer, traffic: &Traffic, rate: &TrafficRate) {
    let mut pair = |name, now: Option<f64>, total: Option<u64>| {
        writer.element(name, |writer| {
            writer.number("now", if total.is_some() { per_second(now) } else { UNKNOWN.to_string() });
            writer.number("total", whole(total));
        });
    };
    pair("packets", rate.packets_per_second, traffic.packets);
    pair("bytes", rate.bytes_per_second, traffic.bytes);
    pair("errors", rate.new_errors.map(|errors| errors as f64), traffic.errors);
}

fn owner(writer: &mut Writer, file: &FileFacts) {
    writer.number("mode", format!("{:o}", file.mode));
    writer.number("uid", file.uid);
    writer.number("gid", file.gid);
}

fn path(writer: &mut Writer, kind: ServiceType, seen: &PathReadings) {
    let facts = &seen.facts;
    owner(writer, facts);
    writer.element("timestamps", |writer| {
        writer.number("access", facts.accessed.secs());
        writer.number("change", facts.changed.secs());
        writer.number("modify", facts.modified.secs());
    });
    if kind == ServiceType::File {
        writer.number("size", facts.size_bytes);
    }
    for (kind, sum) in &seen.checksums {
        let kind = match kind {
            Hash::Md5 => "MD5",
            Hash::Sha1 => "SHA1",
            Hash::Sha256 => "SHA256",
        };
        writer.with("checksum", &[("type", kind)], |writer| writer.escaped(sum));
    }
}

fn filesystem(writer: &mut Writer, seen: &FilesystemReadings) {
    let (facts, disk, rates) = (&seen.facts, &seen.facts.disk, &seen.rates);
    writer.text("fstype", &facts.fstype);
    writer.text("fsflags", &facts.flags);
    if let Some(file) = &seen.mount_point {
        owner(writer, file);
    }
    let megabytes = |bytes: u64| format!("{:.1}", bytes as f64 / f64::from(1 << 20));
    writer.element("block", |writer| {
        writer.number("percent", percent(facts.used_percent().or(Some(0.0))));
        writer.number("usage", megabytes(facts.used_bytes()));
        writer.number("total", megabytes(facts.total_bytes()));
    });
    if let (Some(used), Some(total)) = (facts.inodes_used(), facts.inodes_total)
        && total > 0
    {
        writer.element("inode", |writer| {
            writer.number("percent", percent(facts.inodes_used_percent()));
            writer.number("usage", used);
            writer.number("total", total);
        });
    }
    writer.element("read", |writer| {
        counter(writer, "bytes", rates.read_bytes_per_second, disk.read_bytes);
        counter(writer, "operations", rates.reads_per_second, disk.reads);
    });
    writer.element("write", |writer| {
        counter(writer, "bytes", rates.written_bytes_per_second, disk.written_bytes);
        counter(writer, "operations", rates.writes_per_second, disk.writes);
    });
    if disk.read_time.is_some() {
        let millis = |millis: Option<f64>| format!("{:.3}", millis.unwrap_or(0.0));
        writer.element("servicetime", |writer| {
            writer.number("read", millis(rates.read_millis));
            writer.number("write", millis(rates.write_millis));
        });
    }
}

fn program(writer: &mut Writer, started: u64, status: i32, output: &str) {
    writer.element("program", |writer| {
        writer.number("started", started);
        writer.number("status", status);
        writer.cdata("output", output);
    });
}

/// Echo requests, ports, sockets; of each kind the last one first, as in the original.
fn connections(writer: &mut Writer, connections: &[ConnectionReading]) {
    let seconds = |reading: &ConnectionReading| {
        reading.response.map_or_else(|| "-1.000000".to_owned(), |time| format!("{:.6}", time.as_secs_f64()))
    };
    let last_first = || connections.iter().rev();
    for reading in last_first().filter(|reading| reading.target == Target::Ping) {
        writer.element("icmp", |writer| {
            writer.text("type", "Ping");
            writer.number("responsetime", seconds(reading));
        });
    }
    for reading in last_first() {
        if let Target::Port { host, port, request, protocol, datagrams, tls } = &reading.target {
            writer.element("port", |writer| {
                writer.text("hostname", host);
                writer.number("portnumber", port);
                writer.cdata("request", request);
                writer.text("protocol", protocol);
                writer.text("type", if *datagrams { "UDP" } else { "TCP" });
                writer.number("responsetime", seconds(reading));
                if *tls {
                    let days = reading.certificate_days.unwrap_or(0);
                    writer.element("certificate", |writer| writer.number("valid", days));
                }
            });
        }
    }
    for reading in last_first() {
        if let Target::Socket { path, protocol } = &reading.target {
            writer.element("unix", |writer| {
                writer.text("path", path);
                writer.text("protocol", protocol);
                writer.number("responsetime", seconds(reading));
            });
        }
    }
}
