//! What is written, read back by a reader that forgives nothing.

use std::time::Duration;

use super::{Layout, document};
use crate::base::event::{EventKind, EventState};
use crate::base::time::Wall;
use crate::config::{Hash, ServiceType};
use crate::facts::file::{FileFacts, Kind};
use crate::facts::filesystem::{DiskCounters, FilesystemFacts};
use crate::facts::network::{LinkFacts, Traffic};
use crate::facts::observation::ProgramRun;
use crate::facts::system::CpuCounters;
use crate::facts::usage::{ProcessIo, UNLIMITED};
use crate::view::connection::{ConnectionReading, Target};
use crate::view::status::{
    FilesystemReadings, LinkReadings, Monitoring, PathReadings, Readings, Schedule, ServiceStatus, Status, sample,
};

/// The elements below the element at the beginning of `xml`, as ` name`, ` name=text` or ` name( … )`, and what follows it.
/// Panics on anything that is not well-formed.
fn element(xml: &str) -> (String, &str) {
    let (tag, mut rest) = xml.strip_prefix('<').expect("a tag").split_once('>').expect("the end of a tag");
    let name = tag.split(' ').next().unwrap();
    assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'), "{name}");
    assert!(!tag.contains('<') && tag.matches('"').count() % 2 == 0, "{tag}");
    let (mut text, mut inner) = (String::new(), String::new());
    loop {
        if let Some(section) = rest.strip_prefix("<![CDATA[") {
            let (content, after) = section.split_once("]]>").expect("the end of a section");
            text.push_str(content);
            rest = after;
        } else if let Some(end) = rest.strip_prefix("</") {
            let after = end.strip_prefix(name).and_then(|end| end.strip_prefix('>')).expect("the end of this element");
            let attributes = tag.strip_prefix(name).unwrap();
            let shown = match (inner.is_empty(), text.is_empty()) {
                (true, true) => format!(" {name}{attributes}"),
                (true, false) => format!(" {name}{attributes}={text}"),
                (false, _) => format!(" {name}{attributes}({inner} )"),
            };
            return (shown, after);
        } else if rest.starts_with('<') {
            let (child, after) = element(rest);
            inner.push_str(&child);
            rest = after;
        } else {
            let end = rest.find('<').expect("more");
            let (plain, after) = rest.split_at(end);
            for part in plain.split('&').skip(1) {
                let entity = part.split(';').next().unwrap();
                assert!(matches!(entity, "amp" | "lt" | "gt" | "quot" | "#9" | "#10" | "#13"), "{entity}");
            }
            assert!(!plain.contains("]]>"), "{plain}");
            text.push_str(plain);
            rest = after;
        }
    }
}

fn tree(xml: &str) -> String {
    let is_legal = |c: char| matches!(c, '\t' | '\n' | '\r') || !c.is_control() && c != '\u{fffe}' && c != '\u{ffff}';
    assert!(xml.chars().all(is_legal), "{xml:?}");
    let body = xml.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>").expect("the declaration");
    let (tree, rest) = element(body);
    assert_eq!(rest, "");
    tree
}

fn one(service: ServiceStatus) -> Status {
    Status { services: vec![service], ..sample::status() }
}

/// What comes behind the common elements of one service.
fn details(service: ServiceStatus) -> String {
    let tree = tree(&document(&one(service), Layout::First));
    let details = tree.split_once(" pendingaction=0").expect("the common elements").1;
    details.strip_suffix(" ) )").expect("the end of the service").to_owned()
}

fn service(kind: ServiceType, readings: Readings) -> ServiceStatus {
    ServiceStatus { service_type: kind, readings, ..sample::process("a") }
}

#[test]
fn both_layouts_have_the_envelope_that_readers_know() {
    let status = Status { services: Vec::new(), ..sample::status() };
    let inner = " uptime=960 poll=30 startdelay=0 localhostname=myhost controlfile=/usr/local/etc/monitrc httpd( \
                 address=127.0.0.1 port=2812 ssl=0 )";
    let platform = " platform( name=FreeBSD release=15.0-RELEASE version=FreeBSD 15.0-RELEASE GENERIC machine=amd64 \
                    cpu=2 memory=1048576 swap=0 )";
    let id = "58a7df9504d4e52837bafda2e78fe6f3";
    assert_eq!(
        tree(&document(&status, Layout::First)),
        format!(" monit( server( id={id} incarnation=0 version=5.35.2{inner} ){platform} )")
    );
    assert_eq!(
        tree(&document(&status, Layout::Second)),
        format!(
            " monit id=\"{id}\" incarnation=\"0\" version=\"5.35.2\"( server({inner} ){platform} services servicegroups )"
        )
    );
}

#[test]
fn groups_are_listed_once_and_the_last_comes_first() {
    let member = |name: &str, groups: &[&str]| ServiceStatus {
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        ..sample::process(name)
    };
    let services = vec![member("a", &["g1", "g2"]), member("b", &["G1"])];
    let tree = tree(&document(&Status { services, ..sample::status() }, Layout::Second));
    let expected =
        " servicegroups( servicegroup name=\"g2\"( service=a ) servicegroup name=\"g1\"( service=a service=b ) ) )";
    assert!(tree.ends_with(expected), "{tree}");
    assert!(tree.contains(" services( service name=\"a\"( type=3 collected_sec="), "{tree}");
}

#[test]
fn names_and_outputs_may_hold_anything() {
    let hostile = "]]>\u{1b}<b a=\"'&\u{0}\u{8}\u{fffe}é\n";
    let run = ProgramRun { output: hostile.to_owned(), status: Some(3), ..ProgramRun::default() };
    let mut status = one(service(ServiceType::Program, Readings::Program(run)));
    status.services[0].name = hostile.to_owned();
    status.services[0].groups = vec![hostile.to_owned()];
    status.host = hostile.to_owned();
    status.control_file = hostile.to_owned();
    for layout in [Layout::First, Layout::Second] {
        let tree = tree(&document(&status, layout));
        assert!(tree.contains(" status=3 output=]]>\u{fffd}<b a=\"'&\u{fffd}\u{fffd}\u{fffd}é\n"), "{tree}");
    }
}

#[test]
fn the_common_elements_are_there_in_every_state() {
    let common = |service: ServiceStatus| {
        let tree = tree(&document(&one(service), Layout::First));
        let (_, service) = tree.split_once(" name=a ").expect("the service");
        let service = service.to_owned();
        service.split_once(" memory(").map_or(service.clone(), |(common, _)| common.to_owned())
    };
    let quiet = |monitoring, is_judged| ServiceStatus {
        monitoring,
        is_judged,
        readings: Readings::None,
        ..sample::process("a")
    };
    let at = "collected_sec=1795384346 collected_usec=289864";
    assert_eq!(
        common(quiet(Monitoring::Monitored, true)),
        format!("{at} status=0 status_hint=0 monitor=1 monitormode=0 onreboot=0 pendingaction=0")
    );
    for (monitoring, is_judged, number) in [
        (Monitoring::NotMonitored, false, 0),
        (Monitoring::Initializing, false, 2),
        (Monitoring::Waiting, true, 5),
        (Monitoring::Waiting, false, 6),
    ] {
        let text = common(quiet(monitoring, is_judged));
        assert!(text.contains(&format!(" monitor={number} ")), "{text}");
    }
    let open = vec![(EventKind::NonExist, EventState::Failed), (EventKind::Pid, EventState::Changed)];
    let text = common(ServiceStatus { open: open.clone(), ..quiet(Monitoring::Monitored, true) });
    assert!(text.contains(" status=262656 status_hint=262144 "), "{text}");
    let text = common(ServiceStatus { open, ..quiet(Monitoring::NotMonitored, false) });
    assert!(text.contains(" status=0 status_hint=0 monitor=0 "), "{text}");
    let every = Schedule::Cycles { skipped: 1, number: 3 };
    let text = common(ServiceStatus { schedule: every, ..quiet(Monitoring::Monitored, true) });
    assert!(text.ends_with(" pendingaction=0 every( type=2 counter=1 number=3 )"), "{text}");
    let cron = |not| Schedule::Cron { not, text: "* 1-2 * * 7".to_owned() };
    for (not, number) in [(false, 3), (true, 4)] {
        let text = common(ServiceStatus { schedule: cron(not), ..quiet(Monitoring::Monitored, true) });
        assert!(text.ends_with(&format!(" every( type={number} cron=* 1-2 * * 7 )")), "{text}");
    }
}

const NO_USAGE: &str =
    " memory( percent=0.0 percenttotal=0.0 kilobyte=0 kilobytetotal=0 ) cpu( percent=0.0 percenttotal=0.0 )";

#[test]
fn a_process_that_runs_and_one_that_does_not() {
    let mut service = sample::process("a");
    if let Readings::Process(process) = &mut service.readings {
        process.facts.euid = Some(7);
        process.facts.tree.children = Some(2);
        process.facts.tree.resident_bytes = Some(16 << 20);
        process.facts.descriptors.open = Some(4);
        process.facts.descriptors.soft_limit = Some(1024);
        process.facts.descriptors.hard_limit = Some(UNLIMITED);
        process.facts.io = ProcessIo { reads: Some(5), writes: Some(6), ..ProcessIo::default() };
        process.usage.io.reads = Some(1.6);
    }
    assert_eq!(
        details(service.clone()),
        " pid=5632 ppid=1 uid=0 euid=7 gid=0 uptime=3900 threads=5 children=2 memory( percent=0.8 percenttotal=1.6 \
         kilobyte=8192 kilobytetotal=16384 ) cpu( percent=0.2 percenttotal=-1.0 ) filedescriptors( open=4 opentotal=-1 \
         limit( soft=1024 hard=-1 ) ) read( operations( count=2 total=5 ) ) write( operations( count=0 total=6 ) )"
    );
    assert_eq!(details(ServiceStatus { readings: Readings::None, ..service.clone() }), NO_USAGE);
    assert_eq!(details(ServiceStatus { monitoring: Monitoring::NotMonitored, ..service.clone() }), NO_USAGE);
    assert_eq!(details(ServiceStatus { is_judged: false, ..service }), NO_USAGE);
}

#[test]
fn the_machine_has_the_kinds_of_its_system_from_the_beginning() {
    let mut service = sample::status().services.pop().unwrap();
    if let Readings::System(system) = &mut service.readings {
        system.facts.cpu = CpuCounters { nice: Some(1), ..CpuCounters::default() };
        system.facts.memory_total_bytes = Some(4 << 20);
        system.facts.memory_used_bytes = Some(1 << 20);
        system.facts.swap_total_bytes = Some(0);
        system.facts.swap_used_bytes = Some(0);
    }
    assert_eq!(
        details(service),
        " filedescriptors( allocated=-1 unused=0 maximum=-1 ) system( load( avg01=0.19 avg05=0.12 avg15=0.09 ) cpu( \
         user=1.5 system=0.5 nice=0.0 ) memory( percent=25.0 kilobyte=1024 ) swap( percent=0.0 kilobyte=0 ) )"
    );
}

#[test]
fn a_link_that_is_up_and_one_that_cannot_be_read() {
    let traffic = Traffic { bytes: Some(10), packets: Some(2), errors: Some(0) };
    let facts = LinkFacts {
        up: Some(false),
        speed_bits_per_second: Some(1_000_000_000),
        full_duplex: Some(true),
        download: traffic,
        upload: traffic,
    };
    let mut readings = LinkReadings { facts, ..LinkReadings::default() };
    readings.rates.upload.bytes_per_second = Some(2.4);
    let link = |readings| details(service(ServiceType::Network, readings));
    assert_eq!(
        link(Readings::Link(Box::new(readings))),
        " link( state=0 speed=1000000000 duplex=1 download( packets( now=0 total=2 ) bytes( now=0 total=10 ) errors( \
         now=0 total=0 ) ) upload( packets( now=0 total=2 ) bytes( now=2 total=10 ) errors( now=0 total=0 ) ) )"
    );
    let unknown = "( packets( now=-1 total=-1 ) bytes( now=-1 total=-1 ) errors( now=-1 total=-1 ) )";
    let expected = format!(" link( state=-1 speed=-1 duplex=-1 download{unknown} upload{unknown} )");
    assert_eq!(link(Readings::None), expected);
}

fn file() -> FileFacts {
    let at = Wall::from_epoch(Duration::from_secs(7));
    FileFacts {
        kind: Kind::Regular,
        mode: 0o4755,
        uid: 1,
        gid: 5,
        size_bytes: 38,
        links: 1,
        inode: 1,
        device: 1,
        accessed: at,
        changed: at,
        modified: at,
    }
}

#[test]
fn files_and_directories() {
    let checksums = vec![(Hash::Sha256, "aa".to_owned())];
    let readings = PathReadings { facts: file(), local: None, matched: Some(false), checksums };
    let stat = " mode=4755 uid=1 gid=5 timestamps( access=7 change=7 modify=7 )";
    let path = |kind| details(service(kind, Readings::Path(Box::new(readings.clone()))));
    assert_eq!(path(ServiceType::File), format!("{stat} size=38 checksum type=\"SHA256\"=aa"));
    let readings = PathReadings { checksums: Vec::new(), ..readings.clone() };
    assert_eq!(details(service(ServiceType::Fifo, Readings::Path(Box::new(readings)))), stat);
    assert_eq!(details(service(ServiceType::File, Readings::None)), "");
}

#[test]
fn filesystems_tell_what_is_counted() {
    let facts = FilesystemFacts {
        fstype: "ext4".into(),
        flags: "rw,relatime".into(),
        block_size_bytes: 4096,
        blocks_total: 1000,
        blocks_free: 900,
        inodes_total: Some(1000),
        inodes_free: Some(971),
        disk: DiskCounters { reads: Some(17), read_time: Some(Duration::ZERO), ..DiskCounters::default() },
        ..FilesystemFacts::default()
    };
    let mut readings = FilesystemReadings { facts, mount_point: Some(file()), rates: Default::default() };
    let filesystem = |readings: &FilesystemReadings| {
        details(service(ServiceType::Filesystem, Readings::Filesystem(Box::new(readings.clone()))))
    };
    assert_eq!(
        filesystem(&readings),
        " fstype=ext4 fsflags=rw,relatime mode=4755 uid=1 gid=5 block( percent=10.0 usage=0.4 total=3.9 ) inode( \
         percent=2.9 usage=29 total=1000 ) read( operations( count=0 total=17 ) ) write servicetime( read=0.000 write=0.000 )"
    );
    readings = FilesystemReadings { facts: FilesystemFacts::default(), mount_point: None, rates: Default::default() };
    assert_eq!(filesystem(&readings), " fstype fsflags block( percent=0.0 usage=0.0 total=0.0 ) read write");
}

#[test]
fn a_program_that_ran_and_one_that_did_not() {
    let program = |readings| details(service(ServiceType::Program, readings));
    let started = Some(Wall::from_epoch(Duration::from_secs(9)));
    let run = ProgramRun { started, status: Some(2), output: "x".to_owned(), not_run: None };
    assert_eq!(program(Readings::Program(run)), " program( started=9 status=2 output=x )");
    assert_eq!(program(Readings::None), " program( started=0 status=0 output )");
    let not_run = ProgramRun { not_run: Some("no such file".to_owned()), ..ProgramRun::default() };
    assert_eq!(program(Readings::Program(not_run)), " program( started=0 status=-1 output=no such file )");
}

#[test]
fn connections_follow_the_rest() {
    let reading = |target, response| ConnectionReading { target, response, certificate_days: None };
    let port = |port, tls| Target::Port {
        host: "h".to_owned(),
        port,
        request: "/<x>".to_owned(),
        protocol: "HTTP".to_owned(),
        datagrams: port == 53,
        tls,
    };
    let socket = Target::Socket { path: "/s".to_owned(), protocol: "DEFAULT".to_owned() };
    let connections = vec![
        reading(port(80, false), None),
        reading(socket, None),
        ConnectionReading { certificate_days: Some(9), ..reading(port(443, true), Some(Duration::from_micros(673))) },
        reading(Target::Ping, Some(Duration::from_micros(45))),
        reading(port(53, false), None),
    ];
    let service = ServiceStatus { connections, ..service(ServiceType::Host, Readings::None) };
    let port = |number: u16, kind: &str, time: &str| {
        format!(" port( hostname=h portnumber={number} request=/<x> protocol=HTTP type={kind} responsetime={time}",)
    };
    let expected = [
        " icmp( type=Ping responsetime=0.000045 )".to_owned(),
        port(53, "UDP", "-1.000000 )"),
        port(443, "TCP", "0.000673 certificate( valid=9 ) )"),
        port(80, "TCP", "-1.000000 )"),
        " unix( path=/s protocol=DEFAULT responsetime=-1.000000 )".to_owned(),
    ];
    assert_eq!(details(service), expected.concat());
}
