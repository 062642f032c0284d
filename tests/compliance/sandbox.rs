//! A directory of its own for each play of a case; nothing of it is left, neither files nor processes.

use std::cell::RefCell;
use std::fs::{self, File, Permissions};
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::case::Fixture;
use crate::plain;
use crate::scripts::SCRIPTS;

/// One of the two programs.
#[derive(Clone, Debug)]
pub struct Program {
    path: PathBuf,
}

impl Program {
    /// The one we build.
    pub fn pollux() -> Program {
        Program { path: PathBuf::from(env!("CARGO_BIN_EXE_pollux")) }
    }

    /// The original, where it is installed.
    pub fn monit() -> Option<Program> {
        let places = ["/usr/bin/monit", "/usr/local/bin/monit"];
        let path = places.into_iter().map(PathBuf::from).find(|path| path.exists())?;
        // A pollux that stands in for Monit is no original.
        let told = Command::new(&path).arg("-V").stdin(Stdio::null()).output().ok()?;
        (!String::from_utf8_lossy(&told.stdout).contains("pollux")).then_some(Program { path })
    }
}

/// See the module.
pub struct Sandbox {
    pub dir: PathBuf,
    /// Ports of the loopback that were free: for the program under test, and for the one beside it.
    pub ports: [u16; 2],
    pub daemon: RefCell<Option<Child>>,
    /// The original at work in the same place at the same time, to compare readings with.
    pub beside: RefCell<Option<Child>>,
    /// Holds the network and the mounts that the sandbox has for itself.
    world: Option<Child>,
}

/// What the names of the files begin with that belong to the program beside the one under test.
pub const BESIDE: &str = "beside.";

/// A program that is being written cannot be executed, and a child that was forked meanwhile keeps it open until it
/// executes something itself: so nobody forks while another thread writes.
static WRITING: RwLock<()> = RwLock::new(());

/// How many files a program may open, of which a rule may want the percentage.
const FILES: libc::rlim_t = 1024;

/// Descriptors up to here may have been left open by whoever runs the tests.
const INHERITED: std::os::fd::RawFd = 256;

/// Starts a program, with what programs inherit the same everywhere.
pub fn spawn(command: &mut Command) -> io::Result<Child> {
    let _nobody_writes = WRITING.read().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: all these may be called between fork and exec; what std needs until exec stays open until then.
    unsafe {
        command.pre_exec(|| {
            // Who runs in the background of a shell ignores these two.
            libc::signal(libc::SIGINT, libc::SIG_DFL);
            libc::signal(libc::SIGQUIT, libc::SIG_DFL);
            libc::umask(0o022);
            for file in 3..INHERITED {
                libc::fcntl(file, libc::F_SETFD, libc::FD_CLOEXEC);
            }
            let files = libc::rlimit { rlim_cur: FILES, rlim_max: FILES };
            match libc::setrlimit(libc::RLIMIT_NOFILE, &files) {
                0 => Ok(()),
                _ => Err(io::Error::last_os_error()),
            }
        });
    }
    command.spawn()
}

/// Whether a sandbox may have a network and mounts of its own here.
pub fn has_worlds() -> bool {
    let quiet = |command: &mut Command| spawn(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()));
    let mut unshare = Command::new("unshare");
    let tried = quiet(unshare.args(["-n", "-m", "ip", "link", "set", "lo", "up"])).and_then(|mut child| child.wait());
    tried.is_ok_and(|status| status.success())
}

static COUNT: AtomicU32 = AtomicU32::new(0);

/// The statements that control files begin with: cycles happen when they are asked for.
const HEAD: &str = "set daemon 3600
set log @DIR@/@WHO@log
set pidfile @DIR@/@WHO@pid
set idfile @DIR@/@WHO@id
set statefile @DIR@/@WHO@state
set httpd port @PORT@ and use address 127.0.0.1
    allow 127.0.0.1
    allow us:'let me in'
check system machine
";

/// The service that shows, as the last of each cycle, that one is over. It is no process: pollux looks at these at once, and
/// on a slow machine at others some turns later, in their order.
const TICK: &str = "check file tick with path @DIR@/run/tick
    if does not exist then alert
";

/// What each cycle leaves in the log at its end.
pub const TICKED: &str = "'tick' file doesn't exist";

impl Sandbox {
    /// Whether its network is its own, where nobody else can connect.
    pub fn has_world(&self) -> bool {
        self.world.is_some()
    }

    /// Files, programs, and where it is asked for a `world`: a network and mounts that nobody else has.
    pub fn new(program: &Program, files: &[Fixture], world: bool) -> Sandbox {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let tmp = fs::canonicalize(std::env::temp_dir()).expect("temporary directory");
        let dir = tmp.join(format!("plc{}x{number}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        for part in ["", "bin", "prog", "run", "home", "ours", "beside.ours"] {
            fs::create_dir(dir.join(part)).expect("directory");
            fs::set_permissions(dir.join(part), Permissions::from_mode(0o755)).expect("mode");
        }
        // Both programs bear the same name.
        symlink(&program.path, dir.join("prog/monit")).expect("link");
        symlink(Program::monit().unwrap_or_else(|| program.clone()).path, dir.join("prog/beside")).expect("link");
        let ports = [free_port(number, 0), free_port(number, 3)];
        let (daemon, beside) = (RefCell::new(None), RefCell::new(None));
        let mut sandbox = Sandbox { dir, ports, daemon, beside, world: None };
        let made = spawn(Command::new("mkfifo").arg(sandbox.dir.join("run/never"))).and_then(|mut child| child.wait());
        assert!(made.expect("mkfifo").success());
        for (name, text) in SCRIPTS {
            sandbox.put(&format!("bin/{name}"), 0o755, text);
        }
        // Without one it would be made, and told of.
        for who in ["", BESIDE] {
            sandbox.put(&format!("{who}id"), 0o600, "0123456789abcdef0123456789abcdef\n");
        }
        for file in files {
            sandbox.put(&file.path, file.mode, &file.text);
            if file.path == "monitrc" {
                sandbox.put(&format!("{BESIDE}monitrc"), file.mode, &file.text);
            }
        }
        if world {
            sandbox.open_world();
        }
        sandbox
    }

    /// Writes a file with its names filled in.
    fn put(&self, path: &str, mode: u32, text: &str) {
        let (who, port) = if path.starts_with(BESIDE) { (BESIDE, self.ports[1]) } else { ("", self.ports[0]) };
        let text = text.replace("@HEAD@\n", HEAD).replace("@TICK@\n", TICK).replace("@WHO@", who);
        let text = text.replace("@DIR@", &self.dir.display().to_string()).replace("@PORT@", &port.to_string());
        let path = self.dir.join(path);
        let _nobody_forks = WRITING.write().unwrap_or_else(PoisonError::into_inner);
        fs::write(&path, text).expect("file");
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("mode");
    }

    /// A command in the sandbox, with an environment that is the same everywhere.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = match &self.world {
            Some(world) => {
                let mut command = Command::new("nsenter");
                // The place must be looked up with the mounts of that world.
                command.args(["-n", "-m", "-t", &world.id().to_string(), "sh", "-c", r#"cd "$DIR" && exec "$0" "$@""#]);
                command.arg(program.as_ref());
                command
            }
            None => Command::new(program.as_ref()),
        };
        let dir = self.dir.display();
        command
            .current_dir(&self.dir)
            .env_clear()
            .env("DIR", &self.dir)
            .env("PORT", self.ports[0].to_string())
            .env("HOME", self.dir.join("home"))
            .env("POLLUX_RUNDIR", self.dir.join("ours"))
            .env("PATH", format!("{dir}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"))
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .stdin(Stdio::null());
        command
    }

    /// Takes a network and mounts of its own; the loopback is up.
    fn open_world(&mut self) {
        let mut command = self.command("unshare");
        command.args(["-n", "-m", "bin/world"]).stdout(self.output("terminal")).stderr(self.output("err"));
        self.world = Some(spawn(&mut command).expect("unshare"));
        let begun = Instant::now();
        while !self.dir.join("run/world").exists() {
            assert!(begun.elapsed() < Duration::from_secs(20), "no world: {}", self.text("run/err"));
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// A file that takes what a command says; for a pipe a daemon could be waited for in vain.
    pub fn output(&self, name: &str) -> File {
        File::create(self.dir.join("run").join(name)).expect("output")
    }

    /// What is in a file; nothing if there is none.
    pub fn text(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.dir.join(name)).unwrap_or_default()).into_owned()
    }

    /// Ends every process that can be seen. What is under way may start another one before it is ended.
    fn end_processes(&self) {
        for _ in 0..20 {
            let left = naming(&self.dir);
            if left.is_empty() {
                break;
            }
            let killed = spawn(Command::new("kill").arg("-KILL").args(left).stderr(Stdio::null()));
            assert!(killed.and_then(|mut child| child.wait()).is_ok());
        }
    }

    /// A text's lines, without what changes from run to run.
    pub fn plain(&self, text: &str) -> Vec<String> {
        let places = [(self.dir.display().to_string(), "@DIR@"), (format!(":{}", self.ports[0]), ":@PORT@")];
        text.lines().map(|line| plain::plain(line, &places)).collect()
    }
}

/// The processes whose command lines name a path below that directory.
pub fn naming(dir: &Path) -> Vec<String> {
    let ps = spawn(Command::new("ps").args(["-axww", "-o", "pid=,args="]).stdout(Stdio::piped()));
    let told = ps.and_then(Child::wait_with_output).expect("ps");
    let dir = format!("{}/", dir.display());
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let ours = told.lines().filter(|line| line.contains(&dir));
    ours.filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect()
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let daemons = [self.daemon.borrow_mut().take(), self.beside.borrow_mut().take(), self.world.take()];
        for mut child in daemons.into_iter().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
        // Of a process that is just about to become another program nothing can be read, and a new one may have a number
        // that was looked at already. Either finds nothing to begin once the files are gone, or is found then.
        for _ in 0..2 {
            self.end_processes();
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

/// A port that nobody has, and that the system gives nobody by itself.
fn free_port(number: u32, more: u32) -> u16 {
    let first = (std::process::id() * 97 + number * 7 + more) % 20_000;
    let mut ports = (first..first + 1000).filter_map(|port| u16::try_from(10_000 + port).ok());
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("a free port")
}
