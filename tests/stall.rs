//! A filesystem that never answers delays nobody: the real daemon beside a FUSE mount whose server is silent. Needs root and
//! /dev/fuse; says `skipped` otherwise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The loop may be away for so long.
const LAG_MAX: Duration = Duration::from_millis(100);

/// A mount that swallows every question.
struct SilentMount {
    point: PathBuf,
    /// Closing it fails all who wait.
    server: Option<File>,
}

impl SilentMount {
    #[cfg(target_os = "linux")]
    fn new(point: &Path) -> Option<SilentMount> {
        use std::ffi::CString;
        use std::os::fd::AsRawFd;
        use std::os::unix::ffi::OsStrExt;
        fs::create_dir_all(point).unwrap();
        let server = OpenOptions::new().read(true).write(true).open("/dev/fuse").ok()?;
        let target = CString::new(point.as_os_str().as_bytes()).unwrap();
        let data = format!("fd={},rootmode=40000,user_id=0,group_id=0", server.as_raw_fd());
        let data = CString::new(data).unwrap();
        // SAFETY: all pointers are to strings that end in NUL.
        let result =
            unsafe { libc::mount(c"silent".as_ptr(), target.as_ptr(), c"fuse".as_ptr(), 0, data.as_ptr().cast()) };
        (result == 0).then(|| SilentMount { point: point.to_owned(), server: Some(server) })
    }

    #[cfg(not(target_os = "linux"))]
    fn new(_: &Path) -> Option<SilentMount> {
        None
    }
}

impl Drop for SilentMount {
    fn drop(&mut self) {
        self.server = None;
        #[cfg(target_os = "linux")]
        {
            use std::ffi::CString;
            use std::os::unix::ffi::OsStrExt;
            let target = CString::new(self.point.as_os_str().as_bytes()).unwrap();
            // SAFETY: a string that ends in NUL and a constant.
            unsafe { libc::umount2(target.as_ptr(), libc::MNT_DETACH) };
        }
        let _ = fs::remove_dir(&self.point);
    }
}

/// The daemon with everything around it.
struct Scene {
    daemon: Child,
    port: u16,
    mount: Option<SilentMount>,
    folder: PathBuf,
}

impl Scene {
    /// `None` where there can be no silent mount.
    fn new(name: &str, silent_services: usize) -> Option<Scene> {
        let folder = std::env::temp_dir().join(format!("pollux-stall-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let Some(mount) = SilentMount::new(&folder.join("silent")) else {
            println!("skipped: {name}: no root or no /dev/fuse");
            let _ = fs::remove_dir_all(&folder);
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let start = format!("#!/bin/sh\nsleep 1000 >/dev/null 2>&1 &\necho $! > {}/normal.pid\n", folder.display());
        write_file(&folder.join("start"), &start, 0o755);
        let more = (0..silent_services).map(|number| {
            format!("check process silent{number} with pidfile {}/silent/{number}.pid\n", folder.display())
        });
        write_control_file(&folder, port, &more.collect::<String>());
        let output = File::create(folder.join("log")).unwrap();
        let daemon = pollux(&folder)
            .arg("-I")
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let scene = Scene { daemon, port, mount: Some(mount), folder };
        scene.wait_for(10, "the page", || scene.get("/_ping").is_some());
        Some(scene)
    }

    fn rewrite(&self, more: &str) {
        write_control_file(&self.folder, self.port, more);
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap()
    }

    fn get(&self, path: &str) -> Option<String> {
        get(self.port, path)
    }

    fn normal(&self) -> Option<i32> {
        fs::read_to_string(self.folder.join("normal.pid")).ok()?.trim().parse().ok()
    }

    fn signal(&self, signal: i32) {
        // SAFETY: plain integers; the child was not waited for yet.
        assert_eq!(unsafe { libc::kill(self.daemon.id() as i32, signal) }, 0);
    }

    fn wait_for(&self, seconds: u64, what: &str, mut done: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !done() {
            assert!(begun.elapsed() < Duration::from_secs(seconds), "no {what} in {seconds} s\n{}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Asks the daemon to end and tells how long it took.
    fn terminate(&mut self) -> Duration {
        let begun = Instant::now();
        self.signal(libc::SIGTERM);
        while self.daemon.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(20), "the daemon does not end\n{}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
        begun.elapsed()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
        if let Some(pid) = self.normal() {
            // SAFETY: plain integers.
            unsafe { libc::kill(pid, libc::SIGKILL) };
        }
        self.mount = None;
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn write_control_file(folder: &Path, port: u16, more: &str) {
    let dir = folder.display();
    let text = format!(
        "set daemon 1\nset pidfile {dir}/pid\nset statefile {dir}/state\nset idfile {dir}/id\n\
         set httpd port {port} and use address 127.0.0.1 allow 127.0.0.1\n\
         check process stalled with pidfile {dir}/silent/x.pid\n start program = \"/bin/touch {dir}/started\"\n\
         check process normal with pidfile {dir}/normal.pid\n start program = \"{dir}/start\"\n{more}"
    );
    write_file(&folder.join("monitrc"), &text, 0o600);
}

fn write_file(path: &Path, text: &str, mode: u32) {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(mode).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn pollux(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pollux"));
    command.arg("-c").arg(folder.join("monitrc")).env("POLLUX_RUNDIR", folder.join("run"));
    command
}

fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    text.starts_with("HTTP/1.0 200").then_some(text)
}

/// Asks for `/_ping` again and again, to give the loop something that can be late, and keeps the longest answer and how late
/// this thread itself was run at worst.
struct Pinger {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<(Duration, Duration, usize)>,
}

/// What the daemon has measured of itself: the longest lag of its loop, and the line that tells it.
fn lag(folder: &Path) -> (Duration, String) {
    let output = pollux(folder).args(["-v", "status"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find(|line| line.starts_with("loop lag:")).unwrap_or_else(|| panic!("no lag in {text}"));
    let longest = line.split_whitespace().nth(3).unwrap().parse::<f64>().unwrap();
    (Duration::from_secs_f64(longest / 1000.0), line.to_owned())
}

impl Pinger {
    fn start(port: u16) -> Pinger {
        const PAUSE: Duration = Duration::from_millis(10);
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let (mut lag, mut noise, mut count) = (Duration::ZERO, Duration::ZERO, 0);
            while !told.load(Ordering::Relaxed) {
                let begun = Instant::now();
                assert!(get(port, "/_ping").is_some(), "no answer to a ping");
                lag = lag.max(begun.elapsed());
                let begun = Instant::now();
                thread::sleep(PAUSE);
                noise = noise.max(begun.elapsed().saturating_sub(PAUSE));
                count += 1;
            }
            (lag, noise, count)
        });
        Pinger { stop, thread }
    }

    /// The figure that counts is the daemon's own; a machine on which nobody gets the processor in time adds to it.
    fn judge(self, what: &str, folder: &Path) {
        self.stop.store(true, Ordering::Relaxed);
        let (ping, noise, count) = self.thread.join().unwrap();
        let (longest, line) = lag(folder);
        println!("{what}: {line}; longest of {count} pings {ping:?}, machine's own noise {noise:?}");
        assert!(longest < LAG_MAX + 4 * noise, "{what}: {line}; the machine's noise is {noise:?}");
        assert!(ping < LAG_MAX + 4 * noise, "{what}: a ping took {ping:?}, the machine's noise is {noise:?}");
    }
}

#[test]
fn a_silent_filesystem_delays_nobody_and_starts_nothing() {
    let Some(mut scene) = Scene::new("look", 200) else { return };
    let pinger = Pinger::start(scene.port);
    scene.wait_for(10, "normal service", || scene.normal().is_some());
    let first = scene.normal().unwrap();
    thread::sleep(Duration::from_millis(100));
    // SAFETY: plain integers; the stand-in is the test's own.
    unsafe { libc::kill(first, libc::SIGKILL) };
    scene.wait_for(5, "second life of the normal service", || scene.normal().is_some_and(|pid| pid != first));
    scene.wait_for(20, "event for the stalled service", || {
        scene.get("/_status").is_some_and(|text| text.contains("Data access error"))
    });
    // A user's wish does not make a dead process of an unknown one either.
    let asked = pollux(&scene.folder).args(["start", "stalled"]).output().unwrap();
    assert_eq!(asked.status.code(), Some(0), "{}", String::from_utf8_lossy(&asked.stderr));
    scene.wait_for(20, "end of the start", || scene.log().contains("cannot tell whether it runs"));
    pinger.judge("a pidfile that cannot be read", &scene.folder);
    let log = scene.log();
    let silent = format!("the filesystem of {}/silent/x.pid does not answer", scene.folder.display());
    assert!(log.matches(&silent).count() >= 2, "{log}");
    assert!(!scene.folder.join("started").exists(), "{log}");
    let took = scene.terminate();
    println!("end: {took:?}");
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn a_reload_that_waits_for_a_silent_filesystem_delays_nobody_and_can_be_ended() {
    let Some(mut scene) = Scene::new("reload", 0) else { return };
    scene.rewrite(&format!("include {}/silent/*.conf\n", scene.folder.display()));
    let pinger = Pinger::start(scene.port);
    scene.signal(libc::SIGHUP);
    let asked = pollux(&scene.folder).arg("reload").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    scene.wait_for(5, "reload", || scene.log().matches("Reinitializing").count() == 2);
    thread::sleep(Duration::from_secs(3));
    pinger.judge("a reload that waits", &scene.folder);
    assert!(!scene.log().contains("refused"), "{}", scene.log());
    let took = scene.terminate();
    println!("end: {took:?}");
    assert!(took < Duration::from_secs(1), "{took:?}");
    let output = asked.wait_with_output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), words.contains("the daemon ends")), (Some(1), true), "{words}");
}

#[test]
#[ignore = "takes a minute"]
fn a_reload_without_an_answer_is_refused_and_says_what_it_waits_for() {
    let Some(mut scene) = Scene::new("refusal", 0) else { return };
    scene.rewrite(&format!(
        "check process other matching x start program = \"{}/silent/run\"\n",
        scene.folder.display()
    ));
    let pinger = Pinger::start(scene.port);
    let output = pollux(&scene.folder).arg("reload").output().unwrap();
    pinger.judge("a reload that is refused", &scene.folder);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    let question = format!("no answer within 30 seconds about the program '{}/silent/run'", scene.folder.display());
    assert_eq!((output.status.code(), words.contains(&question)), (Some(1), true), "{words}");
    scene.rewrite("");
    let output = pollux(&scene.folder).arg("reload").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let took = scene.terminate();
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn files_and_filesystems_that_never_answer_are_reported_and_delay_nobody() {
    let Some(mut scene) = Scene::new("paths", 0) else { return };
    let dir = scene.folder.display().to_string();
    std::os::unix::fs::symlink(scene.folder.join("silent/log"), scene.folder.join("link")).unwrap();
    scene.rewrite(&format!(
        "check file sf with path {dir}/silent/log\n if content = \"x\" then alert\n\
         check file sl with path {dir}/link\n if not exist then alert\n\
         check directory sd with path {dir}/silent\n if not exist then alert\n\
         check filesystem ss with path {dir}/silent\n if not exist then alert\n if space > 1% then alert\n"
    ));
    let reloaded = pollux(&scene.folder).arg("reload").output().unwrap();
    assert_eq!(reloaded.status.code(), Some(0), "{}", String::from_utf8_lossy(&reloaded.stderr));
    let pinger = Pinger::start(scene.port);
    let told = |log: &str, name: &str| log.contains(&format!("'{name}' ")) && log.contains("does not answer");
    scene.wait_for(30, "what is told of each", || {
        let log = scene.log();
        let lines: Vec<&str> = log.lines().collect();
        ["sf", "sl", "sd", "ss"].iter().all(|name| lines.iter().any(|line| told(line, name)))
    });
    pinger.judge("files and filesystems that never answer", &scene.folder);
    let log = scene.log();
    for name in ["sf", "sl", "sd", "ss"] {
        assert!(!log.lines().any(|line| line.contains(&format!("'{name}' ")) && !told(line, name)), "{log}");
    }
    let took = scene.terminate();
    println!("end: {took:?}");
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
#[ignore = "reads 100 GiB; worth it in a release build on an idle machine"]
fn a_hundred_huge_files_with_checksums_beside_a_silent_filesystem_delay_nobody() {
    const FILES: usize = 100;
    let Some(mut scene) = Scene::new("huge", 200) else { return };
    let dir = scene.folder.display().to_string();
    let mut more = format!("check file sf with path {dir}/silent/log\n if content = \"x\" then alert\n");
    for number in 0..FILES {
        let path = format!("{dir}/huge{number}");
        File::create(&path).unwrap().set_len(1 << 30).unwrap();
        let kind = if number % 2 == 0 { "md5" } else { "sha1" };
        more.push_str(&format!("check file huge{number} with path {path}\n if changed {kind} checksum then alert\n"));
    }
    scene.rewrite(&more);
    let reloaded = pollux(&scene.folder).arg("reload").output().unwrap();
    assert_eq!(reloaded.status.code(), Some(0), "{}", String::from_utf8_lossy(&reloaded.stderr));
    let pinger = Pinger::start(scene.port);
    let known =
        || scene.get("/_status").map_or(0, |text| text.lines().filter(|line| line.contains("checksum")).count());
    let begun = Instant::now();
    while known() < FILES && begun.elapsed() < Duration::from_secs(1800) {
        thread::sleep(Duration::from_secs(5));
    }
    println!("{} of {FILES} checksums after {:?}", known(), begun.elapsed());
    pinger.judge("a hundred huge files", &scene.folder);
    assert_eq!(known(), FILES, "{}", scene.log());
    let took = scene.terminate();
    assert!(took < Duration::from_secs(1), "{took:?}");
}
