//! Plays the steps of a case with one program and takes down what is to be seen.
//!
//! | step | what it does | what is seen |
//! |---|---|---|
//! | `daemon [OPTION...]` | starts it in the foreground, waits for the end of its first cycle | |
//! | `$ COMMAND` | runs a shell command in the sandbox | output, `err` lines, `[code]` |
//! | `cycle [N]` | runs one cycle after the other | |
//! | `cycle until TEXT` | the same until the log's news have the text | |
//! | `wait TEXT` | waits until the log's news have the text | |
//! | `file PATH TEXT` | waits until a file has the text | |
//! | `log [NAME...]` | | the news of the log, or of some services |
//! | `xml PATH [NAME]` | asks for XML | the elements of a service, or of none: see `tree.rs` |
//! | `exit` | waits for the end of the daemon | its exit code |
//!
//! The news of the log are what came after the last step `log`. Equal lines that follow each other are one.

use std::process::Child;
use std::time::{Duration, Instant};

use crate::case::{Case, Step};
use crate::plain::{Entry, entries};
use crate::sandbox::{Program, Sandbox, TICKED, spawn};

/// How long something that must happen may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A cycle that was asked for while one ended may be forgotten by the original, so it is asked for again.
const AGAIN: Duration = Duration::from_secs(4);

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
    let sandbox = Sandbox::new(program, &case.files);
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
            "daemon" => self.daemon(rest),
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
                Ok(self.sandbox.plain(&crate::tree::tree(self.sandbox.port, path, service)?.join("\n")))
            }
            "exit" => self.exit(),
            _ => panic!("line {}: no such step: {}", step.line, step.text),
        }
    }

    fn daemon(&mut self, options: &str) -> Seen {
        if let Some(mut old) = self.sandbox.daemon.borrow_mut().take() {
            let _ = old.kill();
            let _ = old.wait();
        }
        let ticks = self.ticks();
        let terminal = self.sandbox.output("terminal");
        let mut command = self.sandbox.command(self.sandbox.dir.join("prog/monit"));
        command
            .arg("-c")
            .arg(self.sandbox.dir.join("monitrc"))
            .arg("-I")
            .args(options.split_whitespace())
            .stdout(terminal.try_clone().map_err(|why| why.to_string())?)
            .stderr(terminal);
        let child = spawn(&mut command).map_err(|why| why.to_string())?;
        *self.sandbox.daemon.borrow_mut() = Some(child);
        until(|| (self.ticks() > ticks).then_some(Vec::new())).ok_or_else(|| "no first cycle".to_owned())
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
    fn ticks(&self) -> usize {
        self.sandbox.text("log").lines().filter(|line| line.ends_with(TICKED)).count()
    }

    fn wake(&self) -> Result<(), String> {
        let pid = self.sandbox.text("pid");
        let mut shell = self.sandbox.command("/bin/sh");
        shell.args(["-c", "kill -USR1 $0", pid.trim()]);
        let status = spawn(&mut shell).and_then(|mut child| child.wait()).map_err(|why| why.to_string())?;
        if status.success() { Ok(()) } else { Err("there is no daemon to wake".to_owned()) }
    }

    fn cycle(&self) -> Result<(), String> {
        let ticks = self.ticks();
        self.wake()?;
        let mut asked = Instant::now();
        until(|| {
            if asked.elapsed() > AGAIN {
                asked = Instant::now();
                let _ = self.wake();
            }
            (self.ticks() > ticks).then_some(())
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
        seen.iter().flat_map(|text| text.lines().map(|line| line.trim_end().to_owned())).collect()
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
