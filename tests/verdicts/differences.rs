//! Where pollux judges otherwise than Monit 5.33, on purpose.

/// Whether pollux refuses the file, words that it holds, and why.
pub const DIFFERENCES: &[(bool, &str, &str)] = &[
    (false, "facility log_user", "new in Monit 5.34"),
    (false, "else ignore", "new in Monit 5.34"),
    (false, "every \"*/5", "steps are new in Monit 6.0"),
    (true, "every \"60 ", "cron specifications are looked at since Monit 5.34"),
    (true, "port 0 ", "there is no such port"),
    (true, "port 65536 ", "there is no such port"),
    (false, "address \"lo\"", "names are looked up when the connection is made"),
    (false, "protocol websocket then", "its options all have defaults"),
    (false, "expect 1234567890", "a checksum of digits alone is no number"),
    (false, "matching 'x'", "a pattern in single quotes may follow a name in single quotes"),
];
