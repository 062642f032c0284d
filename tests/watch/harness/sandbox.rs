//! A directory of its own for each test, with a control file, a daemon and stand-in services; nothing of it is left.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::{process, scripts, until};

/// What a call of the program left behind.
#[derive(Debug)]
pub struct Told {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// See the module.
pub struct Sandbox {
    /// Where everything is.
    pub dir: PathBuf,
    /// A word nothing else on this machine has in its command line.
    pub tag: String,
    /// Under which name the program is called.
    program: PathBuf,
    environment: Vec<(String, String)>,
    daemon: RefCell<Option<Child>>,
    /// How much of the log was read.
    cursor: Cell<usize>,
    /// FIFOs are kept open, so that neither side ever waits for the other to open.
    fifos: RefCell<HashMap<String, File>>,
}

static COUNT: AtomicU32 = AtomicU32::new(0);

impl Sandbox {
    /// An empty sandbox, with scripts and without a control file.
    pub fn new() -> Sandbox {
        let tag = format!("plx{}x{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        // The real path: command lines must show it as it is written here. Short: a socket's path may have 104 bytes.
        let dir = fs::canonicalize(std::env::temp_dir()).expect("temporary directory").join(&tag);
        let _ = fs::remove_dir_all(&dir);
        for part in ["", "bin", "run", "state"] {
            fs::create_dir(dir.join(part)).expect("directory");
        }
        let sandbox = Sandbox {
            dir,
            tag,
            program: PathBuf::from(env!("CARGO_BIN_EXE_pollux")),
            environment: Vec::new(),
            daemon: RefCell::new(None),
            cursor: Cell::new(0),
            fifos: RefCell::new(HashMap::new()),
        };
        sandbox.script("service", scripts::SERVICE);
        sandbox.script("standin", scripts::STANDIN);
        sandbox.script("logger", scripts::LOGGER);
        sandbox.script("code", scripts::CODE);
        sandbox.script("stubborn", scripts::STUBBORN);
        sandbox
    }

    /// Calls the program under another name from now on.
    pub fn called(mut self, name: &str) -> Sandbox {
        let link = self.dir.join("bin").join(name);
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_pollux"), &link).expect("link");
        self.program = link;
        self
    }

    /// Adds a variable to the daemon's environment.
    pub fn with_env(mut self, name: &str, value: &str) -> Sandbox {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// An executable shell script in `bin`; `@DIR@` becomes the sandbox.
    pub fn script(&self, name: &str, text: &str) -> String {
        let path = self.dir.join("bin").join(name);
        let text = text.replace("@DIR@", &self.dir.display().to_string());
        fs::write(&path, text).expect("script");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("mode");
        path.display().to_string()
    }

    /// A path in the sandbox.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The control file's path.
    pub fn control_path(&self) -> PathBuf {
        self.path("monitrc")
    }

    /// The statements every control file here begins with: cycles happen when they are asked for.
    pub fn head(&self) -> String {
        self.head_with_interval(3600)
    }

    /// The same with a cycle every so many seconds.
    pub fn head_with_interval(&self, seconds: u32) -> String {
        let dir = self.dir.display();
        format!(
            "set daemon {seconds} with start delay 0\nset log {dir}/log\nset pidfile {dir}/state/pid\nset idfile {dir}/state/id\n\
             set statefile {dir}/state/state\n"
        )
    }

    /// Writes the control file, mode 600.
    pub fn control_raw(&self, text: &str) {
        let path = self.control_path();
        let _ = fs::remove_file(&path);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).expect("control file");
        file.write_all(text.replace("@DIR@", &self.dir.display().to_string()).as_bytes()).expect("control file");
    }

    /// Writes the control file: [`Sandbox::head`] and `body`.
    pub fn control(&self, body: &str) {
        self.control_raw(&(self.head() + body));
    }

    /// A stand-in service: its title, its control FIFO, and the statements that watch it by pattern.
    pub fn service(&self, name: &str) -> String {
        self.service_with(name, "")
    }

    /// The same with more statements.
    pub fn service_with(&self, name: &str, more: &str) -> String {
        self.prepare(name);
        let (dir, tag) = (self.dir.display(), &self.tag);
        format!(
            "check process {name} matching \"{name} .* \\[{tag}\\]\"\n\
             \x20 start program \"{dir}/bin/service {name} restart\" with timeout 60 seconds\n\
             \x20 stop program \"{dir}/bin/service {name} stop\" with timeout 60 seconds\n\
             \x20 {more}\n"
        )
    }

    /// The same watched by its pidfile.
    pub fn service_by_pidfile(&self, name: &str) -> String {
        self.prepare(name);
        let dir = self.dir.display();
        format!(
            "check process {name} with pidfile {dir}/run/{name}.pid\n\
             \x20 start program \"{dir}/bin/service {name} restart\" with timeout 60 seconds\n\
             \x20 stop program \"{dir}/bin/service {name} stop\" with timeout 60 seconds\n"
        )
    }

    fn prepare(&self, name: &str) {
        fs::write(self.path(&format!("run/{name}.title")), format!("5.6.7 [{}]\n", self.tag)).expect("title");
        self.fifo(&format!("run/{name}.ctl"));
    }

    /// Makes a FIFO and keeps it open.
    pub fn fifo(&self, name: &str) {
        if self.fifos.borrow().contains_key(name) {
            return;
        }
        let path = self.path(name);
        let made = Command::new("mkfifo").args(["-m", "600"]).arg(&path).status().expect("mkfifo");
        assert!(made.success());
        let file = OpenOptions::new().read(true).write(true).open(&path).expect("fifo");
        self.fifos.borrow_mut().insert(name.to_owned(), file);
    }

    /// Writes into a FIFO of [`Sandbox::fifo`].
    pub fn tell(&self, name: &str, text: &str) {
        self.fifos.borrow_mut().get_mut(name).expect("a fifo").write_all(text.as_bytes()).expect("fifo");
    }

    /// From now on the service's programs wait for [`Sandbox::let_go`].
    pub fn shut_gate(&self, name: &str) {
        self.fifo(&format!("run/{name}.gate"));
    }

    /// Lets so many waiting programs of the service go on.
    pub fn let_go(&self, name: &str, count: usize) {
        self.tell(&format!("run/{name}.gate"), &"\n".repeat(count));
    }

    /// No program of the service waits any longer.
    pub fn remove_gate(&self, name: &str) {
        fs::remove_file(self.path(&format!("run/{name}.gate"))).expect("gate");
        self.let_go(name, 8);
    }

    /// The command for the program with these arguments, in a defined environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.dir)
            .env("TZ", "UTC")
            .env("POLLUX_RUNDIR", self.path("state"))
            .envs(self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())))
            .current_dir(&self.dir)
            .stdin(Stdio::null());
        if self.program.ends_with("monit") {
            command.arg0("monit");
        }
        command
    }

    /// Calls the program with these arguments, as they are.
    pub fn call(&self, arguments: &[&str]) -> Told {
        self.finish(self.command(arguments))
    }

    /// Runs a command to its end, which must come.
    pub fn finish(&self, mut command: Command) -> Told {
        let (out, err) = (self.path("call.out"), self.path("call.err"));
        // Files, because a pipe would also wait for whoever inherits it.
        let mut child = command
            .stdout(File::create(&out).expect("file"))
            .stderr(File::create(&err).expect("file"))
            .spawn()
            .expect("the program");
        let pid = child.id();
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            until(&format!("the end of {command:?}"), || child.try_wait().expect("wait"))
        }));
        let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
        match ended {
            Ok(status) => Told { code: status.code(), out: read(&out), err: read(&err) },
            Err(panic) => {
                process::signal(pid, "KILL");
                eprintln!("its output:\n{}{}", read(&out), read(&err));
                std::panic::resume_unwind(panic)
            }
        }
    }

    /// Calls the program with `-c` and these arguments.
    pub fn cli(&self, arguments: &[&str]) -> Told {
        let control = self.control_path().display().to_string();
        let mut all = vec!["-c", &control];
        all.extend(arguments);
        self.call(&all)
    }

    /// Starts the daemon in the foreground and waits until it says it has started.
    pub fn start(&self) {
        let control = self.control_path();
        self.start_by(self.command(&["-I", "-c", control.to_str().expect("path")]));
    }

    /// Starts the daemon by a command of the caller's.
    pub fn start_by(&self, command: Command) {
        let from = self.log().len();
        self.launch(command);
        self.cursor.set(from);
        until("the daemon's start", || {
            if let Some(status) = self.daemon.borrow_mut().as_mut().and_then(|child| child.try_wait().expect("wait")) {
                panic!("the daemon ended at once: {status}: {}", self.daemon_said());
            }
            self.log().get(from..)?.contains(" started\n").then_some(())
        });
        self.await_log(" started\n");
        // Questions are answered after the first cycle.
        self.settled();
    }

    /// Comes back when the daemon has done what it was asked for before: it answers in a later turn of its loop.
    pub fn settled(&self) {
        assert_eq!(self.cli(&["report", "total"]).code, Some(0));
    }

    /// Starts the daemon and waits for nothing.
    pub fn launch(&self, mut command: Command) {
        assert!(self.daemon.borrow().is_none(), "a daemon runs already");
        let output = OpenOptions::new().append(true).create(true).open(self.path("daemon.out")).expect("file");
        command.stdout(output.try_clone().expect("file")).stderr(output);
        *self.daemon.borrow_mut() = Some(command.spawn().expect("the daemon"));
    }

    /// What the daemon wrote to its terminal.
    pub fn daemon_said(&self) -> String {
        fs::read_to_string(self.path("daemon.out")).unwrap_or_default()
    }

    /// The daemon's process number.
    pub fn pid(&self) -> u32 {
        self.daemon.borrow().as_ref().expect("a daemon").id()
    }

    /// Signals the daemon.
    pub fn signal(&self, name: &str) {
        assert!(process::signal(self.pid(), name), "the daemon is gone");
    }

    /// Waits for the daemon's end and tells its exit code.
    pub fn ended(&self) -> Option<i32> {
        let mut child = self.daemon.borrow_mut().take().expect("a daemon");
        let pid = child.id();
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            until("the daemon's end", || child.try_wait().expect("wait"))
        }));
        ended
            .unwrap_or_else(|panic| {
                process::signal(pid, "KILL");
                let _ = child.wait();
                std::panic::resume_unwind(panic)
            })
            .code()
    }

    /// Ends the daemon as an administrator does; it must end well.
    pub fn stop(&self) {
        self.signal("TERM");
        assert_eq!(self.ended(), Some(0));
    }

    /// Kills the daemon.
    pub fn kill(&self) {
        self.signal("KILL");
        assert_eq!(self.ended(), None);
    }

    /// Runs one cycle and comes back when it is done.
    pub fn cycle(&self) -> Told {
        // The status that `validate` prints is drawn by a turn of the loop that comes after the cycle's.
        let told = self.cli(&["validate"]);
        assert!(told.out.contains("uptime"), "{told:?}");
        told
    }

    /// The whole log.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.path("log")).unwrap_or_default()).into_owned()
    }

    /// What was logged since the last [`Sandbox::await_log`] or [`Sandbox::skip_log`].
    pub fn log_news(&self) -> String {
        self.log().get(self.cursor.get()..).unwrap_or_default().to_owned()
    }

    /// Forgets what was logged so far.
    pub fn skip_log(&self) {
        self.cursor.set(self.log().len());
    }

    /// The log is a new file.
    pub fn rewind_log(&self) {
        self.cursor.set(0);
    }

    /// Waits for a line with this text, after those that were waited for before; returns what was passed over, with the
    /// line.
    pub fn await_log(&self, text: &str) -> String {
        let end = until(&format!("log line with: {text}"), || {
            let news = self.log_news();
            let end = news.find(text)? + text.len();
            Some(news.get(end.saturating_sub(1)..)?.find('\n')? + end)
        });
        let passed = self.log_news().get(..end).unwrap_or_default().to_owned();
        self.cursor.set(self.cursor.get() + end);
        passed
    }

    /// Waits until each of these texts is in the news of the log, in any order.
    pub fn await_all(&self, texts: &[&str]) {
        for text in texts {
            until(&format!("log line with: {text}"), || self.log_news().contains(text).then_some(()));
        }
    }

    /// Asserts that no line of the log so far has this text since the last wait.
    pub fn assert_not_logged(&self, text: &str) {
        assert!(!self.log_news().contains(text), "logged but should not be: {text}");
    }

    /// The live process of a stand-in, once it has registered.
    pub fn standin(&self, name: &str) -> u32 {
        until(&format!("the stand-in {name}"), || {
            let pid = fs::read_to_string(self.path(&format!("run/{name}.pid"))).ok()?.trim().parse().ok()?;
            process::lives(pid).then_some(pid)
        })
    }

    /// Starts a stand-in by its service script, as an administrator would; returns its process.
    pub fn bring_up(&self, name: &str) -> u32 {
        let script = self.path("bin/service");
        let mut command = Command::new(script);
        command.args([name, "start"]).stdin(Stdio::null()).stdout(Stdio::null());
        let status = command.stderr(Stdio::null()).status().expect("service");
        assert!(status.success());
        self.standin(name)
    }

    /// Kills a stand-in and returns the number it had, when it is gone.
    pub fn kill_standin(&self, name: &str) -> u32 {
        let pid = self.standin(name);
        assert!(process::signal(pid, "KILL"));
        until("its end", || (!process::lives(pid)).then_some(()));
        pid
    }

    /// Ends this process too when the test is over.
    pub fn register(&self, pid: u32) {
        let mut file = OpenOptions::new().append(true).create(true).open(self.path("run/pids")).expect("pids");
        writeln!(file, "{pid} test").expect("pids");
    }

    /// The command lines of all stand-ins that live.
    pub fn live_standins(&self) -> Vec<String> {
        let mark = format!("{}/bin/standin ", self.dir.display());
        self.left_over().into_iter().map(process::command).filter(|command| command.contains(&mark)).collect()
    }

    /// Those that registered and still are what they were: a number alone may be somebody else's by now.
    fn left_over(&self) -> Vec<u32> {
        let text = fs::read_to_string(self.path("run/pids")).unwrap_or_default();
        let numbers = text.lines().filter_map(|line| line.split(' ').next()?.parse().ok());
        let dir = format!("{}/", self.dir.display());
        numbers.filter(|pid| process::lives(*pid) && process::command(*pid).contains(&dir)).collect()
    }

    fn report(&self) {
        let texts = [
            ("control file", fs::read_to_string(self.control_path()).unwrap_or_default()),
            ("log", self.log()),
            ("terminal", self.daemon_said()),
            ("record", fs::read_to_string(self.path("run/record")).unwrap_or_default()),
            ("state", fs::read_to_string(self.path("state/state")).unwrap_or_default()),
        ];
        for (name, text) in texts {
            eprintln!("--- {name}\n{}", ends_of(&text));
        }
    }
}

/// The first and the last lines of a long text: a report must not push the failure itself out of sight.
fn ends_of(text: &str) -> String {
    const ENDS: usize = 20;
    let lines: Vec<String> = text.lines().map(|line| line.chars().take(300).collect()).collect();
    match lines.len().checked_sub(2 * ENDS) {
        None | Some(0) => lines.join("\n"),
        Some(between) => {
            let (first, last) = (&lines[..ENDS], &lines[ENDS + between..]);
            format!("{}\n... {between} lines ...\n{}", first.join("\n"), last.join("\n"))
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.report();
        }
        if let Some(mut child) = self.daemon.borrow_mut().take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        // A script that is under way may start another process before it is ended; one that has not registered yet finds
        // its directory gone and ends by itself.
        for _ in 0..20 {
            let left = self.left_over();
            if left.is_empty() {
                break;
            }
            for pid in left {
                process::signal(pid, "KILL");
            }
        }
        let _ = fs::remove_dir_all(&self.dir);
    }
}
