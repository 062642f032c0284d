//! Tables of words: what means nothing, what is reserved, and which word was probably meant.

/// Words that are skipped between tokens.
#[rustfmt::skip]
const NOISE: &[&str] = &[
    "activity", "and", "are", "as", "but", "capacity", "does", "for", "has", "in", "is", "last", "of", "on", "only",
    "option", "options", "or", "per", "program", "programs", "rate", "sum", "than", "the", "times", "to", "usage",
    "use", "using", "via", "was", "with", "within", "without",
];

/// Words that mean something when they are not quoted, wherever they stand; sorted.
#[rustfmt::skip]
const RESERVED: &[&str] = &[
    "action", "active", "address", "alert", "allow", "allowselfcertification", "apache-status", "atime",
    "attribute", "auto", "b", "basedir", "batch", "byte", "bytein", "byteout", "bytes", "cacertificatefile",
    "cacertificatepath", "certificate", "certmd5", "changed", "checksum", "child", "children", "ciphers", "clamav",
    "cleanuplimit", "cleartext", "clientpemfile", "closelimit", "connection", "content", "core", "count", "cpu",
    "credentials", "crypt", "ctime", "cycle", "cycles", "daemon", "data", "database", "day", "days", "default",
    "delay", "disable", "disk", "dns", "dnslimit", "down", "download", "downloaded", "dwp", "echo", "else",
    "enable", "eq", "equal", "euid", "eventqueue", "every", "exec", "execute", "exist", "exists", "expect",
    "expectbuffer", "facility", "fail2ban", "failed", "filecontentbuffer", "filedescriptors", "fips", "free",
    "fsflag", "fsflags", "ftp", "gb", "ge", "get", "gid", "gigabyte", "gigabytes", "gps", "gracefullimit",
    "greater", "gt", "h", "head", "host", "hostheader", "hostname", "hour", "hours", "http", "httpcontentbuffer",
    "httpd", "https", "icmp", "idfile", "if", "ignore", "imap", "imaps", "include", "init", "inode", "inodes",
    "instance", "interface", "invalid", "ipv4", "ipv6", "kb", "keepalivelimit", "kilobyte", "kilobytes",
    "laststate", "ldap2", "ldap3", "le", "less", "limits", "link", "lmtp", "loadavg", "log", "logfile", "loglimit",
    "lt", "m", "mail-format", "mailserver", "manual", "match", "matching", "maxforward", "mb", "md5", "megabyte",
    "megabytes", "mem", "memcache", "memory", "method", "millisecond", "milliseconds", "minute", "minutes",
    "mmonit", "mode", "mongodb", "month", "months", "more", "mqtt", "ms", "mtime", "mysql", "mysqls", "ne",
    "networktimeout", "newer", "nntp", "noalert", "nonexist", "nostart", "not", "notequal", "ntp3", "older",
    "onreboot", "operation", "operations", "origin", "packet", "packetin", "packetout", "packets", "passed",
    "passive", "password", "path", "pemchain", "pemfile", "pemkey", "percent", "perm", "permission", "pgsql", "pid",
    "pidfile", "ping", "ping4", "ping6", "pop", "pops", "port", "portnumber", "postfix-policy", "ppid",
    "programoutput", "programtimeout", "proto", "protocol", "radius", "rdate", "read", "read-only", "readonly",
    "recovered", "redis", "register", "reject", "reminder", "repeat", "replylimit", "request", "requestlimit",
    "resource", "responsetime", "restart", "restarts", "restarttimeout", "retry", "rsakey", "rsync", "s",
    "saturation", "second", "seconds", "secret", "security", "selfsigned", "send", "sendexpectbuffer",
    "servicetime", "set", "sha1", "sieve", "signature", "sip", "size", "slot", "slots", "smtp", "smtps", "space",
    "spamassassin", "speed", "ssh", "ssl", "sslauto", "sslv2", "sslv3", "start", "startlimit", "starttimeout",
    "statefile", "status", "stop", "stoptimeout", "succeeded", "swap", "syslog", "target", "tcp", "tcpssl",
    "terminal", "then", "thread", "threads", "time", "timeout", "timestamp", "tls", "tlsv1", "tlsv11", "tlsv12",
    "tlsv13", "tns", "total", "totalmem", "totalmemory", "type", "udp", "uid", "unix", "unixsocket", "unmonitor",
    "up", "upload", "uploaded", "uptime", "url", "username", "valid", "verify", "version", "waitlimit", "websocket",
    "write",
];

/// Settings of `set`.
#[rustfmt::skip]
pub const SETTINGS: &[&str] = &[
    "alert", "backoff", "daemon", "environment", "eventqueue", "expectbuffer", "fips", "httpd", "idfile", "init",
    "limits", "log", "logfile",
    "mail-format", "mailserver", "mmonit", "onreboot", "pidfile", "ssl", "statefile", "terminal", "tls",
];

/// Types of `check`.
pub const CHECKS: &[&str] =
    &["process", "system", "device", "directory", "fifo", "file", "filesystem", "host", "network", "program"];

/// First words of service statements.
#[rustfmt::skip]
pub const SERVICE_STATEMENTS: &[&str] = &[
    "alert", "backoff", "depend", "depends", "every", "group", "if", "ignore", "mode", "noalert", "not", "onreboot", "restart",
    "start", "stop",
];

/// Subjects of tests.
#[rustfmt::skip]
pub const TESTS: &[&str] = &[
    "access", "atime", "change", "changed", "children", "content", "cpu", "ctime", "disk", "download", "exist",
    "exited", "failed", "filedescriptors", "hardlink", "inode", "inodes", "link", "loadavg", "match", "mem", "memory",
    "modification", "modify", "mtime", "not", "read", "saturation", "security", "service", "size", "space", "status",
    "succeeded", "swap", "threads", "time", "timestamp", "total", "totalmem", "totalmemory", "upload", "uptime",
    "write",
];

/// Whether `word` is skipped between tokens.
pub fn is_noise(word: &[u8]) -> bool {
    is_one_of(word, NOISE)
}

/// Whether `word` must be quoted to stand for itself. Noise words are not among them.
pub fn is_reserved(word: &[u8]) -> bool {
    is_one_of(word, RESERVED)
}

/// Whether `word` is one of `words`, without regard to case.
pub fn is_one_of(word: &[u8], words: &[&str]) -> bool {
    words.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
}

/// The word of `words` that `word` probably stands for: at most two letters differ, one in short words.
pub fn nearest(word: &[u8], words: &[&'static str]) -> Option<&'static str> {
    const LONGEST: usize = 32;
    if word.len() > LONGEST || word.len() < 3 {
        return None;
    }
    if is_one_of(word, words) {
        return None;
    }
    let allowed = if word.len() < 5 { 1 } else { 2 };
    let ranked = words.iter().map(|known| (distance(&word.to_ascii_lowercase(), known.as_bytes()), *known));
    ranked.filter(|(distance, _)| *distance <= allowed).min().map(|(_, known)| known)
}

/// Insertions, deletions, replacements and swaps of neighbours that lead from `a` to `b` (optimal string alignment).
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], place: usize| row.get(place).copied().unwrap_or(usize::MAX - 1);
            let mut best = (at(&above, j) + usize::from(x != y)).min(at(&above, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = j > 0 && i > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_known_in_any_case() {
        assert!(is_noise(b"With") && !is_noise(b"width"));
        assert!(is_reserved(b"DAEMON") && !is_reserved(b"demon") && !is_reserved(b"with"));
        assert!(RESERVED.iter().all(|word| !NOISE.contains(word)));
    }

    #[test]
    fn the_table_of_reserved_words_is_sorted() {
        assert!(RESERVED.windows(2).all(|pair| pair.first() < pair.last()));
    }

    #[test]
    fn near_words_are_found() {
        assert_eq!(nearest(b"deamon", SETTINGS), Some("daemon"));
        assert_eq!(nearest(b"Limit", SETTINGS), Some("limits"));
        assert_eq!(nearest(b"strat", SERVICE_STATEMENTS), Some("start"));
        assert_eq!(nearest(b"xyzzy", SETTINGS), None);
        assert_eq!(nearest(b"start", SERVICE_STATEMENTS), None);
        assert_eq!(nearest(&[b'x'; 100_000], SETTINGS), None);
    }
}
