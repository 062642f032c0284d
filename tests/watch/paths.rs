//! Files, FIFOs, directories and filesystems on the real daemon.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::harness::{Sandbox, turns};

fn append(sandbox: &Sandbox, name: &str, text: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(sandbox.path(name)).expect("file");
    file.write_all(text.as_bytes()).expect("file");
}

fn set_mode(sandbox: &Sandbox, name: &str, mode: u32) {
    fs::set_permissions(sandbox.path(name), Permissions::from_mode(mode)).expect("mode");
}

#[test]
fn a_file_is_compared_with_limits_and_with_what_it_was() {
    let sandbox = Sandbox::new();
    append(&sandbox, "file", "hello");
    set_mode(&sandbox, "file", 0o640);
    sandbox.control(
        "check file f with path @DIR@/file\n if not exist then alert\n if size > 10 B then alert\n \
         if failed permission 640 then alert\n if changed size then alert\n if changed mtime then alert\n \
         if changed hardlink then alert\n if timestamp > 2 days then alert\n",
    );
    sandbox.start();
    sandbox.cycle();
    sandbox.assert_not_logged("'f'");
    append(&sandbox, "file", " world");
    set_mode(&sandbox, "file", 0o600);
    fs::hard_link(sandbox.path("file"), sandbox.path("second")).expect("link");
    sandbox.cycle();
    let path = sandbox.path("file").display().to_string();
    sandbox.await_all(&[
        &format!("'f' size test failed for {path} -- current size is 11 B\n"),
        &format!("'f' permission test failed for {path} [current permission 0600]\n"),
        &format!("'f' size for {path} changed to 11 B\n"),
        &format!("'f' modify time for {path} changed from "),
        &format!("'f' hardlink for {path} changed from 1 to 2\n"),
    ]);
    let status = sandbox.cli(&["status", "f"]).out;
    assert!(status.contains("  permission                   600\n"), "{status}");
    assert!(status.contains("  size                         11 B\n  access timestamp "), "{status}");
    fs::remove_file(sandbox.path("file")).expect("file");
    sandbox.skip_log();
    sandbox.cycle();
    sandbox.await_log("'f' file doesn't exist\n");
    let status = sandbox.cli(&["status", "f"]).out;
    assert!(status.contains("Does not exist") && !status.contains("permission  "), "{status}");
    fs::create_dir(sandbox.path("file")).expect("directory");
    sandbox.cycle();
    sandbox.await_log("'f' is neither a regular file nor a socket\n");
}

#[test]
fn new_lines_are_told_once_over_rotation_truncation_and_restarts_of_the_daemon() {
    let sandbox = Sandbox::new();
    append(&sandbox, "messages", "error before anybody looked\nerr");
    sandbox.control(
        "check file f with path @DIR@/messages\n ignore content = \"debug\"\n if content = \"err\" then alert\n\
         check file late with path @DIR@/late\n if not exist then alert\n if content = \"err\" then alert\n",
    );
    sandbox.start();
    sandbox.await_log("'late' file doesn't exist\n");
    let news = |told: &str| {
        sandbox.cycle();
        sandbox.await_log(&format!("'f' content match:\\n{told}\n"));
        sandbox.cycle();
        sandbox.await_log("'f' content doesn't match\n");
    };
    append(&sandbox, "messages", "or 1\nfine\ndebug error\n\u{fffd}error 2\nerror unfini");
    news("\u{fffd}error 2");
    append(&sandbox, "messages", "shed\n");
    news("error unfinished");
    fs::rename(sandbox.path("messages"), sandbox.path("messages.0")).expect("rename");
    append(&sandbox, "messages", "error 3\n");
    news("error 3");
    fs::write(sandbox.path("messages"), "err 4\n").expect("file");
    news("err 4");
    append(&sandbox, "late", "error from the start\n");
    sandbox.cycle();
    sandbox.await_log("'late' content match:\\nerror from the start\n");
    // What is written while no daemon runs, or while one was killed, is read by the next.
    append(&sandbox, "messages", "fine\n");
    sandbox.cycle();
    sandbox.stop();
    append(&sandbox, "messages", "error 5\n");
    sandbox.start();
    sandbox.await_log("'f' content match:\\nerror 5\n");
    sandbox.kill();
    append(&sandbox, "messages", "error 6\n");
    sandbox.start();
    sandbox.await_log("error 6\n");
    sandbox.cycle();
    sandbox.await_log("'f' content doesn't match\n");
    let log = sandbox.log();
    for told in ["error 2", "error 3", "err 4", "error 5", "error 6", "from the start"] {
        assert_eq!(log.matches(told).count(), 1, "{told}");
    }
    assert!(!log.contains("before anybody") && !log.contains("debug"), "told what is none of ours");
}

#[test]
#[cfg_attr(not(feature = "tls"), ignore = "OpenSSL computes checksums and MD5")]
fn a_changed_checksum_is_told_as_soon_as_it_is_known() {
    let sandbox = Sandbox::new();
    append(&sandbox, "file", "hello");
    sandbox.control(
        "check file f with path @DIR@/file\n if changed md5 checksum then alert\n\
         check file g with path @DIR@/file\n if failed checksum then alert\n\
         check file h with path @DIR@/file\n \
         if failed sha1 checksum expect aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d then alert\n",
    );
    sandbox.start();
    let status = |name: &str, words: &str| {
        crate::harness::until(words, || sandbox.cli(&["status", name]).out.contains(words).then_some(()));
    };
    status("f", "  checksum                     5d41402abc4b2a76b9719d911017c592 (MD5)\n");
    status("g", "  checksum                     5d41402abc4b2a76b9719d911017c592 (MD5)\n");
    status("h", "  checksum                     aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d (SHA1)\n");
    sandbox.cycle();
    for name in ["'f'", "'g'", "'h'"] {
        sandbox.assert_not_logged(name);
    }
    append(&sandbox, "file", " world");
    sandbox.cycle();
    sandbox.await_all(&[
        "'f' checksum changed to 5eb63bbbe01eeed093cb22bb8f5acdc3\n",
        "'g' checksum failed, expected 5d41402abc4b2a76b9719d911017c592 got 5eb63bbbe01eeed093cb22bb8f5acdc3\n",
        "'h' checksum failed, expected aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d got 2aae6c35c94fcfb415dbe95f408b9ce91ee846ed\n",
    ]);
    // The baseline outlives the daemon.
    sandbox.stop();
    fs::write(sandbox.path("file"), "hello").expect("file");
    sandbox.start();
    sandbox.await_log("'f' checksum changed to 5d41402abc4b2a76b9719d911017c592\n");
}

#[test]
#[cfg_attr(not(feature = "tls"), ignore = "OpenSSL computes checksums and MD5")]
fn the_checksum_that_is_expected_outlives_the_daemon_and_is_taken_anew_at_a_reload() {
    let sandbox = Sandbox::new();
    append(&sandbox, "file", "hello");
    sandbox.control("check file f with path @DIR@/file\n if failed checksum then alert\n");
    sandbox.start();
    crate::harness::until("the checksum", || sandbox.cli(&["status", "f"]).out.contains("(MD5)").then_some(()));
    sandbox.stop();
    append(&sandbox, "file", " world");
    sandbox.start();
    sandbox.await_log("'f' checksum failed, expected 5d41402abc4b2a76b9719d911017c592");
    assert_eq!(sandbox.cli(&["reload"]).code, Some(0));
    sandbox.await_log("'f' checksum is valid\n");
    append(&sandbox, "file", "!");
    sandbox.cycle();
    sandbox.await_log("'f' checksum failed, expected 5eb63bbbe01eeed093cb22bb8f5acdc3");
}

#[test]
fn directories_fifos_and_filesystems_are_looked_at_and_none_blocks() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("directory")).expect("directory");
    set_mode(&sandbox, "directory", 0o750);
    assert!(Command::new("mkfifo").arg(sandbox.path("fifo")).status().expect("mkfifo").success());
    sandbox.control(
        "check directory d with path @DIR@/directory\n if failed permission 700 then alert\n \
         if changed timestamp then alert\n\
         check fifo p with path @DIR@/fifo\n if failed permission 7777 then alert\n\
         check fifo np with path @DIR@/directory\n\
         check file pf with path @DIR@/fifo\n if content = \"x\" then alert\n\
         check filesystem root with path /\n if space > 0% then alert\n if space free < 1 B then alert\n\
         check filesystem none with path @DIR@/directory\n if not exist then alert\n",
    );
    sandbox.start();
    sandbox.await_all(&[
        "[current permission 0750]\n",
        "'p' permission test failed for ",
        "'np' is not fifo\n",
        "'pf' is neither a regular file nor a socket\n",
        "'root' space usage ",
        "'none' unable to read filesystem ",
    ]);
    sandbox.skip_log();
    append(&sandbox, "directory/new", "x");
    sandbox.cycle();
    sandbox.await_log("'d' modify/change time for ");
    let status = sandbox.cli(&["status"]).out;
    for row in ["  filesystem type              ", "  space free total             ", "  modify timestamp             "]
    {
        assert!(status.contains(row), "{row}\n{status}");
    }
    sandbox.stop();
}

#[test]
fn many_logs_with_much_news_are_read_in_one_cycle_and_several_turns() {
    const LOGS: usize = 60;
    let sandbox = Sandbox::new();
    let checks = (0..LOGS).map(|number| {
        append(&sandbox, &format!("log{number}"), "old\n");
        format!("check file log{number} with path @DIR@/log{number}\n if content = \"^last\" then alert\n")
    });
    sandbox.control(&checks.collect::<String>());
    sandbox.start();
    sandbox.settled();
    let news = "nothing to see in this line\n".repeat(4000) + "last\n";
    (0..LOGS).for_each(|number| append(&sandbox, &format!("log{number}"), &news));
    let before = turns(&sandbox);
    sandbox.cycle();
    // The next cycle is far away.
    let told: Vec<String> = (0..LOGS).map(|number| format!("'log{number}' content match:\\nlast")).collect();
    sandbox.await_all(&told.iter().map(String::as_str).collect::<Vec<_>>());
    let turns = turns(&sandbox) - before;
    assert!(turns > LOGS as u64 / 10, "{turns} turns");
}
