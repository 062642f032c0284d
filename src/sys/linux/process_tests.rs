//! Trees that look like /proc, read whole, torn, hidden and gone.

use super::*;
use crate::sys::linux::fake::{FakeProc, FakeProcess};
use std::fs;

fn pid(number: i32) -> Pid {
    Pid::new(number).unwrap()
}

fn cost<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let before = count::taken();
    let result = work();
    (result, count::taken() - before)
}

fn commands(table: &ProcessTable) -> Vec<(i32, String)> {
    let mut all: Vec<_> = table
        .scan(true)
        .unwrap()
        .into_iter()
        .map(|p| (p.entry.identity.pid.get(), String::from_utf8(p.command).unwrap()))
        .collect();
    all.sort();
    all
}

#[test]
fn a_name_may_hold_anything() {
    let proc = FakeProc::new();
    for (number, name) in [(10, &b"a) Z 99 ("[..]), (11, b"x\ny) R 1 1"), (12, b")))"), (13, b""), (14, b"\xff\xfe")] {
        let process = FakeProcess { name: name.to_vec(), ..FakeProcess::new(number, 7, 12_345, "x") };
        proc.add(&process);
        let entry = proc.table().entry(pid(number)).unwrap().unwrap();
        assert_eq!(entry.parent, Pid::new(7));
        assert_eq!(entry.identity.start.since_boot(), Duration::from_millis(123_450));
        assert!(!entry.zombie && !entry.kernel);
        proc.file(&format!("{number}/cmdline"), b"");
        assert_eq!(proc.table().command(&entry).unwrap().unwrap(), name);
    }
}

#[test]
fn who_is_there_and_who_is_not() {
    let proc = FakeProc::new();
    proc.add(&FakeProcess::new(20, 0, 1, "init"));
    proc.add(&FakeProcess::new(21, 20, 2, "dead").zombie());
    proc.add(&FakeProcess::kernel_thread(22, "kthreadd"));
    proc.add(&FakeProcess { exit_signal: -1, ..FakeProcess::new(23, 20, 3, "thread") });
    proc.add_vanishing(24);
    let table = proc.table();
    let entry = |number| table.entry(pid(number)).unwrap();
    assert_eq!(entry(20).unwrap().parent, None);
    assert!(entry(21).unwrap().zombie);
    assert!(entry(22).unwrap().kernel);
    assert_eq!(entry(23), None);
    assert_eq!(entry(24), None);
    assert_eq!(entry(25), None);
    let everyone = [(20, "init".into()), (21, "dead".into()), (22, "kthreadd".into())];
    assert_eq!(commands(&table), everyone);
}

#[test]
fn command_lines_are_joined_cut_and_replaced_by_names() {
    let proc = FakeProc::new();
    let arguments = |number, bytes: &[u8]| {
        proc.add(&FakeProcess { arguments: bytes.to_vec(), ..FakeProcess::new(number, 1, 1, "name") });
    };
    arguments(30, b"ruby\0-e\0a b\0");
    arguments(31, b"sidekiq 6.1.1 mastodon [3 of 25 busy]\0\0\0\0\0");
    arguments(32, b"");
    arguments(33, &vec![b'x'; 2 * 1024 * 1024]);
    let table = proc.table();
    let all = commands(&table);
    assert_eq!(all[0], (30, "ruby -e a b".into()));
    assert_eq!(all[1], (31, "sidekiq 6.1.1 mastodon [3 of 25 busy]".into()));
    assert_eq!(all[2], (32, "name".into()));
    assert_eq!(all[3].1.len(), table::COMMAND_MAX);
    let entry = table.entry(pid(33)).unwrap().unwrap();
    assert_eq!(table.command(&entry).unwrap().unwrap().len(), table::COMMAND_MAX);
    proc.remove(33);
    assert_eq!(table.command(&entry).unwrap(), None);
}

#[test]
fn the_largest_number_is_one_and_a_larger_one_is_none() {
    let proc = FakeProc::new();
    for number in [4_194_304, i32::MAX] {
        proc.add(&FakeProcess::new(number, 1, 1, "x"));
        assert_eq!(proc.table().entry(pid(number)).unwrap().unwrap().identity.pid, pid(number));
    }
    for name in ["2147483648", "0", "+7", "-7", "7x", "99999999999999999999"] {
        proc.file(&format!("{name}/stat"), &FakeProcess::new(7, 1, 1, "x").stat());
    }
    assert_eq!(commands(&proc.table()), [(4_194_304, "x".into()), (i32::MAX, "x".into())]);
}

/// Some hundreds of processes; work must grow with their number alone.
#[test]
fn a_table_of_any_size_is_read_once() {
    let proc = FakeProc::new();
    let calls = |first: i32, number: i32| {
        for pid in first..=number {
            proc.add(&FakeProcess::new(pid, 1, 1, "x"));
        }
        let (everyone, calls) = cost(|| proc.table().scan(true).unwrap());
        assert_eq!(everyone.len(), number as usize);
        calls
    };
    assert_eq!(calls(1, 200), 1 + 200 * 6);
    assert_eq!(calls(201, 400), 1 + 400 * 6);
}

#[test]
fn what_vanishes_between_two_reads_is_left_out() {
    let proc = FakeProc::new();
    for number in 10..20 {
        proc.add(&FakeProcess::new(number, 1, 1, "x"));
    }
    // Between its `stat` and its command line: it would pass under its name.
    fs::remove_file(proc.root().join("10/cmdline")).unwrap();
    assert_eq!(commands(&proc.table()).len(), 9);
    // Between the listing and its `stat`: each that is seen takes its neighbour along.
    let mut seen = Vec::new();
    let see = |stat: Stat| {
        let number = stat.entry.identity.pid.get();
        seen.push(number);
        let neighbour = number ^ 1;
        if proc.root().join(neighbour.to_string()).exists() {
            proc.remove(neighbour);
        }
        Ok(())
    };
    proc.table().each(see).unwrap();
    assert_eq!(seen.len(), 5);
    let left: Vec<i32> = commands(&proc.table()).into_iter().map(|(number, _)| number).collect();
    seen.sort_unstable();
    assert_eq!(left, seen.iter().copied().filter(|number| *number != 10).collect::<Vec<_>>());
}

#[test]
fn a_proc_that_does_not_show_process_1_hides_others() {
    let proc = FakeProc::new();
    proc.add(&FakeProcess::new(50, 1, 1, "own"));
    assert!(!proc.table().may_hide(None), "nothing is hidden from the superuser");
    assert!(proc.table().unprivileged().may_hide(None));
    proc.add(&FakeProcess::new(1, 0, 0, "init"));
    assert!(!proc.table().unprivileged().may_hide(None));
}

#[cfg(debug_assertions)]
#[test]
fn hidden_is_not_dead_and_out_of_descriptors_is_not_empty() {
    let proc = FakeProc::new();
    proc.add(&FakeProcess::new(50, 1, 1, "seen"));
    proc.add(&FakeProcess::new(51, 1, 1, "seen too"));
    let table = proc.table();
    let errno = |error: io::Error| error.raw_os_error();
    fault::set("readproc=EACCES:1"); // hidepid=1
    assert_eq!(table.entry(pid(50)).map_err(errno), Err(Some(libc::EACCES)));
    fault::set("readproc@2=EACCES:1"); // the first stat
    assert_eq!(commands(&table).len(), 1);
    fault::set("readproc@3=EACCES:1"); // the first cmdline
    assert_eq!(commands(&table).len(), 2);
    for call in 1..=5 {
        fault::set(&format!("readproc@{call}=EMFILE:1"));
        assert_eq!(table.scan(true).map_err(errno), Err(Some(libc::EMFILE)), "call {call}");
    }
    fault::set("");
    assert_eq!(commands(&table).len(), 2);
}

#[test]
fn in_an_unmounted_proc_nothing_is_dead() {
    let empty = FakeProc::new();
    fs::remove_file(empty.root().join("self")).unwrap();
    assert!(empty.table().entry(pid(60)).is_err());
    assert!(empty.table().scan(false).is_err());
}

#[test]
fn torn_records_are_errors_not_deaths() {
    let proc = FakeProc::new();
    let whole = FakeProcess::new(70, 1, 5, "x").stat();
    let table = proc.table();
    for end in 0..whole.len() {
        proc.file("70/stat", &whole[..end]);
        if let Ok(entry) = table.entry(pid(70)) {
            // Whatever is left still holds the start time, or the first digits of it.
            assert!(entry.is_some(), "{end}");
        }
    }
    proc.file("70/stat", b"70 (x) S 1 70 70 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 99999999999999999999999 0");
    assert_eq!(table.entry(pid(70)).unwrap_err().kind(), io::ErrorKind::InvalidData);
    proc.file("70/stat", format!("70 (x) S 1 70 70 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 {} 0", u64::MAX).as_bytes());
    assert!(table.entry(pid(70)).unwrap().is_some());
}

#[test]
fn owners_come_from_status() {
    let proc = FakeProc::new();
    proc.file("80/status", b"Name:\tUid:\nUmask:\t0022\nUid:\t33\t0\t0\t0\nGid:\t34\t35\t35\t35\n");
    assert_eq!(proc.table().owner(pid(80)).unwrap(), Some(Owner { uid: 33, euid: 0, gid: 34 }));
    assert_eq!(proc.table().owner(pid(81)).unwrap(), None);
    proc.file("80/status", b"Name:\tx\n");
    assert_eq!(proc.table().owner(pid(80)).unwrap_err().kind(), io::ErrorKind::InvalidData);
}

#[test]
fn every_reading_costs_what_it_says() {
    let proc = FakeProc::new();
    for number in 100..120 {
        proc.add(&FakeProcess::new(number, 1, 1, "x"));
    }
    proc.add(&FakeProcess::kernel_thread(120, "kworker"));
    proc.add(&FakeProcess::new(121, 1, 1, "x").zombie());
    proc.file("100/status", b"Uid:\t1 1\nGid:\t1 1\n");
    let table = proc.table();
    let (entry, calls) = cost(|| table.entry(pid(100)).unwrap().unwrap());
    assert_eq!(calls, 3);
    assert_eq!(cost(|| table.command(&entry).unwrap()).1, 3);
    assert_eq!(cost(|| table.owner(pid(100)).unwrap()).1, 3);
    assert_eq!(cost(|| table.scan(false).unwrap()).1, 1 + 22 * 3);
    assert_eq!(cost(|| table.scan(true).unwrap()).1, 1 + 22 * 3 + 20 * 3);
}

#[cfg(target_os = "linux")]
#[test]
fn the_running_system_shows_this_program() {
    let table = ProcessTable::live().unwrap();
    let own = table.own_identity().unwrap();
    let entry = table.entry(own.pid).unwrap().unwrap();
    let parent = std::os::unix::process::parent_id();
    assert_eq!(entry.parent.map(Pid::get), Some(parent as i32));
    let command = String::from_utf8_lossy(&table.command(&entry).unwrap().unwrap()).into_owned();
    assert!(command.contains("pollux"), "{command}");
    let everyone = table.scan(true).unwrap();
    assert!(everyone.iter().any(|p| p.entry == entry && p.command == command.as_bytes()));
    // A thread has a number that /proc answers to, and is no process.
    let (tell, told) = std::sync::mpsc::channel();
    let (end, wait) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        let name = fs::read_link("/proc/thread-self").unwrap();
        tell.send(name.file_name().unwrap().to_str().unwrap().parse::<i32>().unwrap()).unwrap();
        let _ = wait.recv();
    });
    let thread_number = pid(told.recv().unwrap());
    assert!(fs::exists(format!("/proc/{thread_number}/stat")).unwrap());
    assert_eq!(table.entry(thread_number).unwrap(), None);
    drop(end);
    thread.join().unwrap();
}
