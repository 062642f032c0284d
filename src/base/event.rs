//! The one table of event kinds: the bit readers of the XML know, the word of alert filters, and the four descriptions.

use std::fmt;

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // the table below documents each: its filter word and descriptions
pub enum EventKind {
    Checksum,
    Resource,
    Timeout,
    Timestamp,
    Size,
    Connection,
    Permission,
    Uid,
    Gid,
    NonExist,
    Invalid,
    Data,
    Exec,
    FsFlags,
    Icmp,
    Content,
    Instance,
    Action,
    Pid,
    Ppid,
    Heartbeat,
    Status,
    Uptime,
    Link,
    Speed,
    Saturation,
    ByteIn,
    ByteOut,
    PacketIn,
    PacketOut,
    Exist,
}

/// How a rule stands after a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventState {
    /// The test passed.
    Succeeded,
    /// The test failed.
    Failed,
    /// A watched value changed.
    Changed,
    /// A watched value did not change.
    NotChanged,
}

/// One row of the table.
struct Row {
    #[cfg(test)]
    kind: EventKind,
    word: &'static str,
    failed: &'static str,
    succeeded: &'static str,
    changed: &'static str,
    not_changed: &'static str,
}

macro_rules! rows {
    ($($kind:ident $word:literal $failed:literal $succeeded:literal $changed:literal $not:literal;)*) => {
        [$(Row {
            #[cfg(test)]
            kind: EventKind::$kind,
            word: $word, failed: $failed, succeeded: $succeeded, changed: $changed, not_changed: $not }),*]
    };
}

/// In bit order: the row's place is the number of its bit.
static TABLE: [Row; 31] = rows! {
    Checksum "checksum" "Checksum failed" "Checksum succeeded" "Checksum changed" "Checksum not changed";
    Resource "resource" "Resource limit matched" "Resource limit succeeded" "Resource limit changed" "Resource limit not changed";
    Timeout "timeout" "Timeout" "Timeout recovery" "Timeout changed" "Timeout not changed";
    Timestamp "timestamp" "Timestamp failed" "Timestamp succeeded" "Timestamp changed" "Timestamp not changed";
    Size "size" "Size failed" "Size succeeded" "Size changed" "Size not changed";
    Connection "connection" "Connection failed" "Connection succeeded" "Connection changed" "Connection not changed";
    Permission "permission" "Permission failed" "Permission succeeded" "Permission changed" "Permission not changed";
    Uid "uid" "UID failed" "UID succeeded" "UID changed" "UID not changed";
    Gid "gid" "GID failed" "GID succeeded" "GID changed" "GID not changed";
    NonExist "nonexist" "Does not exist" "Exists" "Existence changed" "Existence not changed";
    Invalid "invalid" "Invalid type" "Type succeeded" "Type changed" "Type not changed";
    Data "data" "Data access error" "Data access succeeded" "Data access changed" "Data access not changed";
    Exec "exec" "Execution failed" "Execution succeeded" "Execution changed" "Execution not changed";
    FsFlags "fsflags" "Filesystem flags failed" "Filesystem flags succeeded" "Filesystem flags changed" "Filesystem flags not changed";
    Icmp "icmp" "ICMP failed" "ICMP succeeded" "ICMP changed" "ICMP not changed";
    Content "content" "Content failed" "Content succeeded" "Content match" "Content doesn't match";
    Instance "instance" "Monit instance failed" "Monit instance succeeded" "Monit instance changed" "Monit instance not changed";
    Action "action" "Action done" "Action done" "Action done" "Action done";
    Pid "pid" "PID failed" "PID succeeded" "PID changed" "PID not changed";
    Ppid "ppid" "PPID failed" "PPID succeeded" "PPID changed" "PPID not changed";
    Heartbeat "heartbeat" "Heartbeat failed" "Heartbeat succeeded" "Heartbeat changed" "Heartbeat not changed";
    Status "status" "Status failed" "Status succeeded" "Status changed" "Status not changed";
    Uptime "uptime" "Uptime failed" "Uptime succeeded" "Uptime changed" "Uptime not changed";
    Link "link" "Link down" "Link up" "Link changed" "Link not changed";
    Speed "speed" "Speed failed" "Speed ok" "Speed changed" "Speed not changed";
    Saturation "saturation" "Saturation exceeded" "Saturation ok" "Saturation changed" "Saturation not changed";
    ByteIn "bytein" "Download bytes exceeded" "Download bytes ok" "Download bytes changed" "Download bytes not changed";
    ByteOut "byteout" "Upload bytes exceeded" "Upload bytes ok" "Upload bytes changed" "Upload bytes not changed";
    PacketIn "packetin" "Download packets exceeded" "Download packets ok" "Download packets changed" "Download packets not changed";
    PacketOut "packetout" "Upload packets exceeded" "Upload packets ok" "Upload packets changed" "Upload packets not changed";
    Exist "exist" "Does exist" "Exists not" "Existence changed" "Existence not changed";
};

/// The kinds in the order in which a status text lists failures.
pub const DISPLAY_ORDER: [EventKind; 31] = {
    use EventKind::*;
    [
        Action, ByteIn, ByteOut, Checksum, Connection, Content, Data, Exec, FsFlags, Gid, Heartbeat, Icmp, Instance,
        Invalid, Link, NonExist, PacketIn, PacketOut, Permission, Pid, Ppid, Resource, Saturation, Size, Speed, Status,
        Timeout, Timestamp, Uid, Uptime, Exist,
    ]
};

impl EventKind {
    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// The bit that stands for this kind in XML `status`, `status_hint` and event ids.
    pub fn bit(self) -> u32 {
        1 << (self as u32)
    }

    /// The word that selects this kind in an alert filter.
    pub fn word(self) -> &'static str {
        self.row().word
    }

    /// The description people and mail readers see, such as `Does not exist`.
    pub fn description(self, state: EventState) -> &'static str {
        let row = self.row();
        match state {
            EventState::Succeeded => row.succeeded,
            EventState::Failed => row.failed,
            EventState::Changed => row.changed,
            EventState::NotChanged => row.not_changed,
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_stands_at_the_place_of_its_kind() {
        for (place, row) in TABLE.iter().enumerate() {
            assert_eq!(row.kind as usize, place);
        }
        assert_eq!(EventKind::Exist.bit(), 0x4000_0000);
        assert_eq!(EventKind::NonExist.bit(), 0x200);
        assert_eq!(EventKind::NonExist.description(EventState::Failed), "Does not exist");
    }

    #[test]
    fn the_display_order_names_each_kind_once() {
        let mut seen = DISPLAY_ORDER.to_vec();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), TABLE.len());
    }
}
