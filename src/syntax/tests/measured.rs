//! Tests of what is measured, and the mistakes that are made in them.

use super::*;

#[test]
fn measured_values() {
    let table = [
        ("cpu > 5%", "Cpu(None) Greater 5000000 Percent"),
        ("cpu usage (wa) is greater than 5.5 percent", "Cpu(Some(Wait)) Greater 5500000 Percent"),
        ("cpu(system) 5%", "Cpu(Some(System)) Equal 5000000 Percent"),
        ("total cpu >= 5%", "TotalCpu GreaterOrEqual 5000000 Percent"),
        ("memory > 5", "Memory Greater 5000000 Bytes(1)"),
        ("mem usage gt 5.5 MB", "Memory Greater 5500000 Bytes(1048576)"),
        ("total memory <= 5%", "TotalMemory LessOrEqual 5000000 Percent"),
        ("totalmem != 5 gb", "TotalMemory NotEqual 5000000 Bytes(1073741824)"),
        ("swap usage > 5%", "Swap Greater 5000000 Percent"),
        ("loadavg > 5.25", "Load { minutes: 1, per_core: false } Greater 5250000 One"),
        ("loadavg (5min) > 5", "Load { minutes: 5, per_core: false } Greater 5000000 One"),
        ("loadavg(15 min) per core > 5", "Load { minutes: 15, per_core: true } Greater 5000000 One"),
        ("threads > 5", "Threads Greater 5000000 One"),
        ("children == 5", "Children Equal 5000000 One"),
        ("filedescriptors > 5.5%", "FileDescriptors Greater 5500000 Percent"),
        ("total filedescriptors > 5", "TotalFileDescriptors Greater 5000000 One"),
        ("uptime < 5", "Uptime Less 5000000 Milliseconds(1000)"),
        ("uptime older 5 days", "Uptime Greater 5000000 Milliseconds(86400000)"),
        ("space usage > 5%", "Space Greater 5000000 Percent"),
        ("space free < 5 mb", "SpaceFree Less 5000000 Bytes(1048576)"),
        ("inodes > 500", "Inodes Greater 500000000 One"),
        ("inode usage free < 5.5%", "InodesFree Less 5500000 Percent"),
        ("read rate > 5 mb/s", "Read Greater 5000000 Bytes(1048576)"),
        ("write > 5 operations/s", "Write Greater 5000000 Operations"),
        ("disk read > 5.5 kb/s", "DiskRead Greater 5500000 Bytes(1024)"),
        ("disk write > 5 operations", "DiskWrite Greater 5000000 Operations"),
        ("service time > 5 ms", "ServiceTime Greater 5000000 Milliseconds(1)"),
        ("size > 5 mb", "Size Greater 5000000 Bytes(1048576)"),
        ("timestamp is older than 5 minutes", "Age(Newest) Greater 5000000 Milliseconds(60000)"),
        ("access time > 5 months", "Age(Access) Greater 5000000 Milliseconds(2678400000)"),
        ("ctime > 5 h", "Age(Change) Greater 5000000 Milliseconds(3600000)"),
        ("modification timestamp > 5", "Age(Modification) Greater 5000000 Milliseconds(1000)"),
        ("status != 0", "Status NotEqual 0 One"),
        ("saturation > 5%", "Saturation Greater 5000000 Percent"),
        ("upload > 5 mb/s", "Upload Greater 5000000 Bytes(1048576)"),
        ("download > 5 packets/s", "Download Greater 5000000 Packets"),
        ("memory usage > 80% and swap usage > 5%", "Swap Greater 5000000 Percent"),
        ("cpu(wait) > 9%, total mem > 9 mb disk read > 9 kb/s children > 5", "Children Greater 5000000 One"),
        ("size changed 5", "Size NotEqual 5000000 Bytes(1)"),
        ("hardlink > 1", "Hardlink Greater 1000000 One"),
    ];
    for (text, expected) in table {
        let ServiceStatement::Rule(rule) = service(&format!("if {text} for 2 cycles then alert else stop")) else {
            panic!()
        };
        let Test::Measured { measure, limit } = rule.test else { panic!("{text}: {:?}", rule.test) };
        let found = format!("{measure:?} {:?} {} {:?}", limit.operator, limit.millionths.value, limit.unit);
        assert_eq!(found, expected, "{text}");
        assert!(rule.rate.is_some() && rule.recovery.is_some(), "{text}");
    }
}

#[test]
fn other_tests() {
    let test = |text: &str| match service(&format!("if {text} then alert")) {
        ServiceStatement::Rule(rule) => match rule.test {
            Test::Content(content) => format!("content {} {}", content.differs, content.pattern.lossy()),
            Test::Link(up) => format!("link {up}"),
            Test::Changed(attribute) => format!("{attribute:?}"),
            Test::ContentChanged(changed) => format!("content changed {changed}"),
            Test::Transferred { upload, limit, minutes } => {
                format!("{upload} {} {:?} {}", limit.millionths.value, limit.unit, minutes.value)
            }
            Test::Failed(Expectation::Checksum { kind, expected }) => {
                format!("{kind:?} {:?}", expected.map(|text| text.lossy()))
            }
            Test::Failed(
                Expectation::Permission(text)
                | Expectation::Uid(text)
                | Expectation::EffectiveUid(text)
                | Expectation::Gid(text)
                | Expectation::SecurityAttribute { attribute: text, .. },
            ) => text.lossy(),
            other => format!("{other:?}"),
        },
        other => panic!("{text}: {other:?}"),
    };
    let table = [
        ("content = \"a b\"", "content false a b"),
        ("content != /etc/x", "content true /etc/x"),
        ("content is equal to x", "content false x"),
        ("content eq x", "content false x"),
        ("content ne x", "content true x"),
        ("content notequal x", "content true x"),
        ("match x", "content false x"),
        ("not match x", "content true x"),
        ("link up", "link true"),
        ("link down", "link false"),
        ("failed link", "Failed(Link)"),
        ("changed link capacity", "Link"),
        ("changed pid", "Pid"),
        ("changed ppid 2 cycles", "ParentPid"),
        ("changed access time", "Time(Access)"),
        ("changed sha1 checksum", "Checksum(Some(Sha1))"),
        ("changed checksum", "Checksum(None)"),
        ("changed fsflags", "FilesystemFlags"),
        ("changed permission", "Permission"),
        ("changed size", "Size"),
        ("changed status", "Status"),
        ("content changed", "content changed true"),
        ("content not changed", "content changed false"),
        ("security attribute != \"x.*\"", "x.*"),
        ("failed permission 0644", "0644"),
        ("failed uid \"daemon\"", "daemon"),
        ("failed euid 0", "0"),
        ("failed gid wheel", "wheel"),
        ("failed security attribute unconfined", "unconfined"),
        ("failed md5 checksum", "Some(Md5) None"),
        (
            "failed checksum and expect the sum 8f7f419955cefa0b33a2ba316cba3659",
            "None Some(\"8f7f419955cefa0b33a2ba316cba3659\")",
        ),
        ("status changed 5", "Status"),
        ("total uploaded > 5 mb in last 2 hours", "true 5000000 Bytes(1048576) 120"),
        ("total download 5 packets last day", "false 5000000 Packets 1440"),
    ];
    for (text, expected) in table {
        assert_eq!(test(text), expected, "{text}");
    }
    let ignored = service("ignore not match \"x\"");
    assert!(matches!(ignored, ServiceStatement::Ignore(Content { differs: true, .. })));
    let ignored = service("ignore content = \"x\"");
    assert!(matches!(ignored, ServiceStatement::Ignore(Content { differs: false, .. })));
    let cron = service("not every \"* 8-19 * * 1-5\"");
    assert!(matches!(cron, ServiceStatement::Cron { not: true, fields } if fields.lossy() == "* 8-19 * * 1-5"));
}

#[test]
fn mistakes_in_tests_are_found() {
    let table = [
        ("if cpu > 5 then alert", "expected '%' behind this number", "5"),
        ("if cpu (iowait) > 5% then alert", "expected a kind of processor time", "iowait"),
        ("if memory > 50MB then alert", "expected a number", "50MB"),
        ("if memory>50MB then alert", "expected a test", "memory>50MB"),
        ("if loadavg 5min > 5 then alert", "expected a number", "5min"),
        ("if children > 5% then alert", "expected 'then'", "%"),
        ("if size > 5.5 mb then alert", "expected a whole number", "5.5"),
        ("if service time > 5 then alert", "expected 'ms' or 'seconds', found the reserved word 'then'", "then"),
        ("if uptime > 5 weeks then alert", "expected 'then'", "weeks"),
        (
            "if uptime > 99999999999999999999 days then alert",
            "the number is too large, at most 18446744073708 can be read",
            "99999999999999999999",
        ),
        ("if content \"x\" then alert", "expected '=' or '!='", "\"x\""),
        ("if content > \"x\" then alert", "expected '=' or '!='", ">"),
        ("if content gt \"x\" then alert", "expected '=' or '!=', found the reserved word 'gt'", "gt"),
        ("if uptime > 5 and cpu > 6% then alert", "expected 'then', found the reserved word 'cpu'", "cpu"),
        ("if cpu > 5% for 3 cycles and mem > 6% then alert", "expected 'then', found the reserved word 'mem'", "mem"),
        ("if failed foo then alert", "expected what is tested, such as 'port' or 'url'", "foo"),
        ("if changed foo then alert", "expected what may change, such as 'pid' or 'checksum'", "foo"),
        ("if changed pid then alert else alert", "expected a statement, found the reserved word 'else'", "else"),
        (
            "if failed uid daemon then alert",
            "expected a user name or number, found the reserved word 'daemon'",
            "daemon",
        ),
        ("if total foo > 5 then alert", "expected 'cpu', 'memory', 'filedescriptors', 'upload' or 'download'", "foo"),
        (
            "if total upload > 5 mb then alert",
            "expected 'minutes', 'hours' or 'day', found the reserved word 'then'",
            "then",
        ),
        (
            "check filesystem a path host:/x",
            "expected a path, a device or a connection string, found the reserved word 'host'",
            "host",
        ),
        ("check file a path a", "expected an absolute path", "a"),
        ("check network a eth0", "expected 'interface' or 'address'", "eth0"),
        ("check program a path = \"/x\"", "expected a program, found an operator", "="),
    ];
    for (text, message, place) in table {
        assert_eq!(mistakes(&format!("{text}\nset init")), [(message.to_owned(), place.to_owned())], "{text}");
    }
}
