//! Plays the steps of a case with one program and takes down what is to be seen.
//!
//! | step | what it does | what is seen |
//! |---|---|---|
//! | `daemon [OPTION...]` | starts it in the foreground, waits for the end of its first cycle | |
//! | `beside` | starts the original beside it, with the same control file; both run each cycle at the same moment | |
//! | `agree NAME TOLERANCE LABEL` | reads again in the next cycles while they differ | the line of the status without numbers, if both agree; else both |
//! | `same NAME TOLERANCE LABEL` | | only the label, for a reading that not every machine has |
//! | `$ COMMAND` | runs a shell command in the sandbox | output, `err` lines, `[code]` |
//! | `cycle [N]` | runs one cycle after the other | |
//! | `cycle until TEXT` | the same until the log's news have the text | |
//! | `wait TEXT` | waits until the log's news have the text | |
//! | `file PATH TEXT` | waits until a file has the text | |
//! | `log [NAME...]` | | the news of the log, or of some services |
//! | `xml PATH [NAME]` | asks for XML | the elements of a service, or of none: see `tree.rs` |
//! | `ask METHOD PATH [WORD...]` | one request over HTTP | its answer: see `ask.rs` |
//! | `sorted [NAME...]` | | the same in alphabetical order, each once: the two take the rules of a service in different order (5.11) |
//! | `forms [NAME...]` | | the same with `N` for each number |
//! | `exit` | waits for the end of the daemon | its exit code |
//!
//! The news of the log are what came after the last step `log`. Equal lines that follow each other are one.

use std::net::TcpStream;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::case::{Case, Step};
use crate::plain::{Entry, entries};
use crate::readings::{Tolerance, agree, form};
use crate::sandbox::{BESIDE, Program, Sandbox, TICKED, spawn};

/// How long something that must happen may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A cycle that was asked for while one ended may be forgotten by the original, so it is asked for again.
const AGAIN: Duration = Duration::from_secs(4);

/// How long the server of a daemon is waited for.
const HTTPD: Duration = Duration::from_secs(2);

/// On a busy machine the two do not measure over the same time: how many readings may disagree, and what lies between them. A
/// wrong reading never agrees.
const READINGS: usize = 5;
const BETWEEN_READINGS: Duration = Duration::from_millis(1500);

/// How many lines of the log are shown with a step that fails.
const TAIL: usize = 30;

/// What was seen after each step.
#[derive(Debug, Default)]
pub struct Played {
    pub seen: Vec<Vec<String>>,
    /// A step that did not come to its end, with the log.
    pub late: Option<String>,
}

/// See the module.
pub fn play(case: &Case, program: &Program) -> Played {
    let sandbox = Sandbox::new(program, &case.files, case.needs_world);
    let mut player = Player { sandbox: &sandbox, read: 0 };
    let mut played = Played::default();
    for step in &case.steps {
        match player.step(step) {
            Ok(seen) => played.seen.push(seen),
            Err(why) => {
                played.late = Some(format!("line {}: {}: {why}\n{}", step.line, step.text, player.tail()));
                break;
            }
        }
    }
    played
}

struct Player<'a> {
    sandbox: &'a Sandbox,
    /// How many entries of the log are no news any more.
    read: usize,
}

type Seen = Result<Vec<String>, String>;

impl Player<'_> {
    fn step(&mut self, step: &Step) -> Seen {
        let (verb, rest) = step.text.split_once(' ').unwrap_or((&step.text, ""));
        let rest = rest.trim();
        match verb {
            "" | "#" => Ok(Vec::new()),
            "daemon" => self.daemon("", rest),
            "beside" => self.daemon(BESIDE, rest),
            "agree" => self.agree(rest),
            "same" => {
                let mut seen = self.agree(rest)?;
                if let [_form] = &seen[..] {
                    seen = vec![rest.splitn(3, ' ').last().unwrap_or_default().to_owned()];
                }
                Ok(seen)
            }
            "$" => self.shell(rest),
            "cycle" => match rest.strip_prefix("until ") {
                Some(text) => self.cycle_until(text),
                None => {
                    for _ in 0..rest.parse().unwrap_or(1) {
                        self.cycle()?;
                    }
                    Ok(Vec::new())
                }
            },
            "wait" => self.wait_for(rest),
            "file" => {
                let (path, text) = rest.split_once(' ').ok_or("file PATH TEXT")?;
                until(|| self.sandbox.text(path).contains(text).then_some(Vec::new()))
                    .ok_or_else(|| format!("not in {path}: {}", self.sandbox.text(path)))
            }
            "log" => Ok(self.log(rest)),
            "xml" => {
                let (path, service) = rest.split_once(' ').unwrap_or((rest, ""));
                Ok(self.sandbox.plain(&crate::tree::tree(self.sandbox.ports[0], path, service)?.join("\n")))
            }
            "ask" => {
                Ok(self.sandbox.plain(&crate::ask::ask(&self.sandbox.dir, self.sandbox.ports[0], rest)?.join("\n")))
            }
            "sorted" => Ok(self.sorted(rest)),
            "forms" => {
                let mut forms: Vec<String> = self.sorted(rest).iter().map(|line| form(line)).collect();
                forms.dedup();
                Ok(forms)
            }
            "exit" => self.exit(),
            _ => panic!("line {}: no such step: {}", step.line, step.text),
        }
    }

    fn daemon(&mut self, who: &str, options: &str) -> Seen {
        let place = if who.is_empty() { &self.sandbox.daemon } else { &self.sandbox.beside };
        if let Some(mut old) = place.borrow_mut().take() {
            let _ = old.kill();
            let _ = old.wait();
        }
        let ticks = self.ticks(who);
        let terminal = self.sandbox.output(&format!("{who}terminal"));
        let mut command = self.program(who);
        command
            .arg("-I")
            .args(options.split_whitespace())
            .stdout(terminal.try_clone().map_err(|why| why.to_string())?)
            .stderr(terminal);
        let child = spawn(&mut command).map_err(|why| why.to_string())?;
        *place.borrow_mut() = Some(child);
        until(|| (self.ticks(who) > ticks).then_some(())).ok_or_else(|| "no first cycle".to_owned())?;
        // The original's server may come up behind its first cycle; some cases have none.
        let port = self.sandbox.ports[usize::from(!who.is_empty())];
        let begun = Instant::now();
        while !self.sandbox.has_world() && begun.elapsed() < HTTPD && TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(Vec::new())
    }

    /// The program under test, or the one beside it, with its control file.
    fn program(&self, who: &str) -> Command {
        let dir = &self.sandbox.dir;
        let mut command = self.sandbox.command(dir.join(if who.is_empty() { "prog/monit" } else { "prog/beside" }));
        command.env("POLLUX_RUNDIR", dir.join(format!("{who}ours"))).arg("-c").arg(dir.join(format!("{who}monitrc")));
        command
    }

    fn agree(&self, rest: &str) -> Seen {
        let usage = "agree NAME TOLERANCE LABEL";
        let [name, tolerance, label] = rest.splitn(3, ' ').collect::<Vec<_>>()[..] else { return Err(usage.into()) };
        let tolerance = Tolerance::read(tolerance).ok_or(usage)?;
        let line = |who| -> Result<String, String> {
            let mut status = self.program(who);
            status.args(["-B", "status", name]).stdout(self.sandbox.output("status"));
            let code = spawn(&mut status).ok().and_then(|mut child| ended(&mut child));
            let text = self.sandbox.text("run/status");
            let found = text.lines().find(|line| line.get(2..30).is_some_and(|start| start.trim_end() == label));
            found.map(str::to_owned).ok_or_else(|| format!("{who}status of {name}: {code:?}\n{text}"))
        };
        for tries in 1.. {
            let (here, there) = (line("")?, line(BESIDE)?);
            if let Some(form) = agree(&here, &there, tolerance) {
                return Ok(self.sandbox.plain(&form));
            }
            if tries == READINGS {
                return Ok(vec![format!("here:   {here}"), format!("beside: {there}")]);
            }
            std::thread::sleep(BETWEEN_READINGS);
            self.cycle()?;
        }
        Ok(Vec::new())
    }

    fn shell(&self, command: &str) -> Seen {
        let mut shell = self.sandbox.command("/bin/sh");
        shell.args(["-c", command]).stdout(self.sandbox.output("out")).stderr(self.sandbox.output("err"));
        let mut child = spawn(&mut shell).map_err(|why| why.to_string())?;
        let Some(code) = ended(&mut child) else {
            let _ = child.kill();
            let _ = child.wait();
            return Err("the command does not end".to_owned());
        };
        let mut seen = self.sandbox.plain(&self.sandbox.text("run/out"));
        seen.extend(self.sandbox.plain(&self.sandbox.text("run/err")).iter().map(|line| format!("err {line}")));
        if code != "0" {
            seen.push(format!("[{code}]"));
        }
        Ok(seen)
    }

    /// How many cycles are over.
    fn ticks(&self, who: &str) -> usize {
        self.sandbox.text(&format!("{who}log")).lines().filter(|line| line.ends_with(TICKED)).count()
    }

    /// The daemons at work: that of the program under test, and the one beside it.
    fn daemons(&self) -> Vec<&'static str> {
        if self.sandbox.beside.borrow().is_some() { vec!["", BESIDE] } else { vec![""] }
    }

    fn wake(&self, whom: &[&str]) -> Result<(), String> {
        let pids = whom.iter().map(|who| self.sandbox.text(&format!("{who}pid")).trim().to_owned());
        let mut shell = self.sandbox.command("/bin/sh");
        shell.args(["-c", "kill -USR1 \"$@\"", "kill"]).args(pids);
        let status = spawn(&mut shell).and_then(|mut child| child.wait()).map_err(|why| why.to_string())?;
        if status.success() { Ok(()) } else { Err("there is no daemon to wake".to_owned()) }
    }

    fn cycle(&self) -> Result<(), String> {
        let before: Vec<_> = self.daemons().into_iter().map(|who| (who, self.ticks(who))).collect();
        self.wake(&self.daemons())?;
        let mut asked = Instant::now();
        until(|| {
            let behind: Vec<_> = before.iter().filter(|(who, ticks)| self.ticks(who) <= *ticks).collect();
            if asked.elapsed() > AGAIN {
                asked = Instant::now();
                let _ = self.wake(&behind.iter().map(|(who, _)| *who).collect::<Vec<_>>());
            }
            behind.is_empty().then_some(())
        })
        .ok_or_else(|| "no cycle".to_owned())
    }

    fn cycle_until(&self, text: &str) -> Seen {
        let begun = Instant::now();
        while !self.is_news(text) {
            if begun.elapsed() > PATIENCE {
                return Err("not logged".to_owned());
            }
            self.cycle()?;
            // What a cycle sets off may take its time.
            let pause = Instant::now();
            while pause.elapsed() < Duration::from_millis(100) && !self.is_news(text) {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        Ok(Vec::new())
    }

    fn wait_for(&self, text: &str) -> Seen {
        until(|| self.is_news(text).then_some(Vec::new())).ok_or_else(|| "not logged".to_owned())
    }

    fn news(&self) -> Vec<Entry> {
        entries(&self.sandbox.text("log")).split_off(self.read)
    }

    fn is_news(&self, text: &str) -> bool {
        let text = text.replace("@DIR@", &self.sandbox.dir.display().to_string());
        self.news().iter().any(|entry| entry.lines.join("\n").contains(&text))
    }

    fn log(&mut self, names: &str) -> Vec<String> {
        self.entries(names).iter().flat_map(|text| text.lines().map(|line| line.trim_end().to_owned())).collect()
    }

    /// The news as they are told, each with its lines.
    fn entries(&mut self, names: &str) -> Vec<String> {
        let news = self.news();
        self.read += news.len();
        let names: Vec<String> = names.split_whitespace().map(|name| format!("'{name}' ")).collect();
        let mut seen: Vec<String> = Vec::new();
        for entry in news {
            let first = entry.lines.first().map_or("", String::as_str);
            let wanted = if names.is_empty() {
                !first.starts_with("'tick' ")
            } else {
                names.iter().any(|name| first.starts_with(name))
            };
            if wanted {
                let lines = self.sandbox.plain(&entry.lines.join("\n"));
                let text = format!("{}: {}", entry.level, lines.join("\n    "));
                if seen.last() != Some(&text) {
                    seen.push(text);
                }
            }
        }
        seen
    }

    /// The news by alphabet, with escapes for line ends, which are escaped here and not there (10.1).
    fn sorted(&mut self, names: &str) -> Vec<String> {
        let mut lines: Vec<String> = self.entries(names).iter().map(|text| text.replace("\n    ", r"\n")).collect();
        lines.retain(|line| !line.starts_with("info: Awakened"));
        lines.sort();
        lines.dedup();
        lines
    }

    /// The end of the log, without the cycles' own lines; else what the daemon said to its terminal.
    fn tail(&self) -> String {
        let log = self.sandbox.text("log");
        let log = if log.is_empty() { self.sandbox.text("run/terminal") } else { log };
        let lines: Vec<&str> =
            log.lines().filter(|line| !line.contains("Awakened by") && !line.ends_with(TICKED)).collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }

    fn exit(&self) -> Seen {
        let mut daemon = self.sandbox.daemon.borrow_mut();
        let code = ended(daemon.as_mut().ok_or("there is no daemon")?).ok_or("it does not end")?;
        *daemon = None;
        Ok(vec![format!("exit {code}")])
    }
}

/// The exit code, or the signal, as soon as it is there.
fn ended(child: &mut Child) -> Option<String> {
    use std::os::unix::process::ExitStatusExt;
    let status = until(|| child.try_wait().ok().flatten())?;
    let signal = || status.signal().map_or("?".to_owned(), |signal| format!("signal {signal}"));
    Some(status.code().map_or_else(signal, |code| code.to_string()))
}

/// Waits until `look` finds something, for [`PATIENCE`].
fn until<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if begun.elapsed() > PATIENCE {
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
