//! Looking at processes and signalling them.

use std::process::{Command, Stdio};

use pollux::base::process::Pid;
use pollux::sys::platform::process::ProcessTable;

/// Whether the process is there and no zombie.
pub fn lives(pid: u32) -> bool {
    let table = ProcessTable::live().expect("process table");
    let pid = i32::try_from(pid).ok().and_then(Pid::new).expect("process number");
    table.entry(pid).expect("process entry").is_some_and(|entry| !entry.zombie)
}

/// Its command line, words joined by blanks; empty when it is gone.
pub fn command(pid: u32) -> String {
    let table = ProcessTable::live().expect("process table");
    let pid = i32::try_from(pid).ok().and_then(Pid::new).expect("process number");
    let entry = table.entry(pid).expect("process entry");
    let command = entry.and_then(|entry| table.command(&entry).ok().flatten()).unwrap_or_default();
    String::from_utf8_lossy(&command).into_owned()
}

/// Sends a signal (a name without SIG) to one process; whether it was there.
pub fn signal(pid: u32, name: &str) -> bool {
    let status = Command::new("/bin/sh")
        .args(["-c", "kill -$0 $1", name, &pid.to_string()])
        .stderr(Stdio::null())
        .status()
        .expect("/bin/sh");
    status.success()
}

/// What the process has used of a CPU, in clock ticks (proc(5): fields 14 and 15 of stat). Linux only.
pub fn cpu_ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("stat");
    let (_, fields) = stat.rsplit_once(") ").expect("the name's end");
    let fields: Vec<&str> = fields.split(' ').collect();
    fields[11].parse::<u64>().expect("utime") + fields[12].parse::<u64>().expect("stime")
}

/// How often the process has gone to sleep by itself (proc(5): voluntary_ctxt_switches of status). Linux only.
pub fn sleeps(pid: u32) -> u64 {
    status_field(pid, "voluntary_ctxt_switches").parse().expect("a count")
}

/// A field of /proc/PID/status. Linux only.
pub fn status_field(pid: u32, name: &str) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("status");
    let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.expect("the field").trim().to_owned()
}

/// Whether the process is in that state (proc(5): `T` stopped, `S` sleeping, `R` running), as ps(1) has it.
pub fn status_is(pid: u32, state: char) -> bool {
    let told = Command::new("ps").args(["-o", "state=", "-p", &pid.to_string()]).output().expect("ps");
    String::from_utf8_lossy(&told.stdout).trim_start().starts_with(state)
}
