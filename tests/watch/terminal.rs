//! Lines and colours are for terminals, and for those who want them.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::{Command, Stdio};

use crate::harness::{Sandbox, skipped};

/// Both ends of a terminal; `None` where there is none to be had.
fn terminal() -> Option<(File, File)> {
    // SAFETY: no pointer is passed, and the descriptor is nobody else's.
    let master = unsafe { libc::posix_openpt(libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC) };
    if master < 0 {
        return None;
    }
    // SAFETY: it was opened here, just now.
    let master = File::from(unsafe { OwnedFd::from_raw_fd(master) });
    // SAFETY: the descriptor is open; ptsname's text is copied before anybody else can call it: one test uses it.
    let path = unsafe {
        if libc::grantpt(master.as_raw_fd()) != 0 || libc::unlockpt(master.as_raw_fd()) != 0 {
            return None;
        }
        let name = libc::ptsname(master.as_raw_fd());
        (!name.is_null()).then(|| std::ffi::CStr::from_ptr(name).to_string_lossy().into_owned())?
    };
    let slave = File::options().read(true).write(true).open(path).ok()?;
    Some((master, slave))
}

/// What a command writes to a terminal, with the line ends it has there taken back.
fn shown(mut command: Command) -> Option<String> {
    let (mut master, slave) = terminal()?;
    let mut child = command.stdout(slave).stderr(Stdio::null()).spawn().expect("the program");
    // The last copy of the other end must go with the child.
    drop(command);
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    // Its end is told by an error on Linux, and by nothing more to read elsewhere.
    while let Ok(count) = master.read(&mut buffer)
        && count > 0
    {
        text.extend_from_slice(&buffer[..count]);
    }
    assert!(child.wait().expect("its end").success());
    Some(String::from_utf8_lossy(&text).replace("\r\n", "\n"))
}

#[test]
fn a_terminal_gets_lines_and_colours_and_nothing_else_does() {
    for name in ["pollux", "monit"] {
        let sandbox = Sandbox::new().called(name);
        sandbox.control(&sandbox.service("puma"));
        sandbox.bring_up("puma");
        sandbox.start();
        sandbox.cycle();
        let control = sandbox.control_path().display().to_string();
        let call = |words: &[&str], no_color: Option<&str>| {
            let mut command = sandbox.command(&["-c", &control]);
            command.args(words);
            if let Some(value) = no_color {
                command.env("NO_COLOR", value);
            }
            command
        };
        let plain = sandbox.cli(&["summary"]).out;
        assert!(!plain.contains('\x1b') && !plain.contains('│'), "{plain}");
        assert_eq!(sandbox.cli(&["summary", "-B"]).out, plain);
        let Some(full) = shown(call(&["summary"], None)) else {
            skipped("a_terminal_gets_lines_and_colours_and_nothing_else_does", "there are no terminals here");
            return;
        };
        assert!(full.contains("\x1b[0;90m┌") && full.contains("\x1b[0;92mOK"), "{full}");
        assert_eq!(shown(call(&["summary"], Some(""))).as_deref(), Some(full.as_str()), "an empty NO_COLOR is none");
        let lines = shown(call(&["summary"], Some("1"))).expect("a terminal");
        assert!(lines.contains("┌─") && !lines.contains('\x1b'), "{lines}");
        assert_eq!(shown(call(&["-B", "summary"], None)).as_deref(), Some(plain.as_str()));
        assert!(
            shown(call(&["status", "puma"], None)).expect("a terminal").contains("\x1b[1;36mProcess 'puma'\x1b[0m")
        );
        assert!(!shown(call(&["status", "puma"], Some("1"))).expect("a terminal").contains('\x1b'));
        assert!(!shown(call(&["status", "puma", "-B"], None)).expect("a terminal").contains('\x1b'));
        // A line for another program has neither, wherever it goes.
        assert!(!shown(call(&["check", "puma"], None)).expect("a terminal").contains('\x1b'));
    }
}
