//! Verbs that the daemon answers, over its private socket. Neither `set httpd` nor a control file without errors is needed.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use super::options::{Options, Verb};
use super::output::{err, out};
use super::{CalledAs, paths, wait};
use crate::http::client::{self, Answer, Error, Question};
use crate::http::route::{DaemonVerb, Text};
use crate::sys::posix::{account, clock, fd, file};
use crate::view::plugin::Line;
use crate::view::select::{Selection, is_all};
use crate::view::text::ReportPart;
use crate::view::{Product, Style};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a reload may take, for which the daemon waits for what the control file needs, or a cycle.
const LONG_PATIENCE: Duration = Duration::from_secs(75);

/// What came of a verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Done; the exit code.
    Code(i32),
    /// No daemon runs with this control file.
    NobodyThere,
}

/// Asks the daemon of `control_file`.
pub fn ask(called_as: CalledAs, options: &Options, control_file: &Path, verb: &Verb) -> Asked {
    match verb {
        Verb::Action(command, names) => {
            let targets = selection(options, names);
            let question = match options.time {
                Some(time) => Question::unmonitor_for(&targets, time),
                None => Question::action(*command, &targets),
            };
            let asked = conclude(put(control_file, &question), |_| {});
            match options.wait {
                Some(time) if asked == Asked::Code(0) => wait::wait(control_file, *command, &targets, time),
                _ => asked,
            }
        }
        Verb::Status(names) => {
            let asked = print(control_file, &Question::status(&text(called_as, options, names)));
            match (asked, called_as) {
                (Asked::Code(0), CalledAs::Pollux) if options.verbose => print(control_file, &Question::lag()),
                _ => asked,
            }
        }
        Verb::Summary(names) => print(control_file, &Question::summary(&text(called_as, options, names))),
        Verb::Check(names) => check(control_file, &selection(options, names)),
        Verb::Report(part) => report(options, control_file, part.as_deref()),
        Verb::Reload => {
            let answer = put_within(LONG_PATIENCE, control_file, &Question::daemon(DaemonVerb::Reload));
            conclude(answer, |_| out(&format!("Reinitializing {} daemon\n", called_as.name())))
        }
        Verb::Quit => quit(called_as, control_file),
        Verb::Validate(names) => validate(called_as, options, control_file, names),
        _ => Asked::NobodyThere,
    }
}

/// Tells the daemon to run a cycle now.
///
/// # Errors
/// Nobody listens, or not in time.
pub fn wake(control_file: &Path) -> Result<(), Error> {
    put_within(LONG_PATIENCE, control_file, &Question::daemon(DaemonVerb::Validate)).map(|_| ())
}

/// The words for a missing daemon, and the exit code that goes with them.
pub fn nobody_there(called_as: CalledAs, control_file: &Path, verb: &Verb) -> i32 {
    match (called_as, verb) {
        (CalledAs::Monit, Verb::Reload) => {
            out("Reinitializing monit daemon\nMonit daemon is not running\n");
            0
        }
        (CalledAs::Monit, Verb::Quit) => {
            out("Monit daemon is not running\n");
            0
        }
        (CalledAs::Monit, _) => {
            err("Monit: the monit daemon is not running");
            1
        }
        (CalledAs::Pollux, _) => {
            err(&match std::fs::metadata(control_file) {
                Ok(about) if about.uid() != account::effective_uid() => {
                    let path = control_file.display();
                    format!(
                        "pollux: no daemon of yours runs with the control file {path}, which belongs to another user"
                    )
                }
                _ => format!("pollux: {}; 'pollux -c {}' starts it", no_daemon(control_file), control_file.display()),
            });
            1
        }
    }
}

fn no_daemon(control_file: &Path) -> String {
    format!("no daemon runs with the control file {}", control_file.display())
}

fn put(control_file: &Path, question: &Question) -> Result<Answer, Error> {
    put_within(PATIENCE, control_file, question)
}

pub(super) fn put_within(patience: Duration, control_file: &Path, question: &Question) -> Result<Answer, Error> {
    client::ask(&paths::rundir().join(paths::socket_name(control_file)), question, patience)
}

fn conclude(answer: Result<Answer, Error>, success: impl FnOnce(&str)) -> Asked {
    match answer {
        Ok(answer) if answer.is_success() => {
            success(&answer.body);
            Asked::Code(0)
        }
        Ok(answer) => {
            err(answer.body.trim_end());
            Asked::Code(1)
        }
        Err(Error::NotRunning) => Asked::NobodyThere,
        Err(error) => {
            err(&error.to_string());
            Asked::Code(1)
        }
    }
}

fn print(control_file: &Path, question: &Question) -> Asked {
    conclude(put(control_file, question), out)
}

fn selection(options: &Options, names: &[String]) -> Selection {
    match &options.group {
        Some(group) => Selection::Group(group.clone()),
        None if names.is_empty() || is_all(names) => Selection::All,
        None => Selection::Named(names.to_vec()),
    }
}

/// Of whoever looks on, who are all when nobody is named, as in the original. To act takes a name, and so does a check.
fn looked_at(options: &Options, names: &[String]) -> Selection {
    match selection(options, names) {
        Selection::Group(group) if group.is_empty() => Selection::All,
        Selection::Named(names) if names.iter().all(String::is_empty) => Selection::All,
        selection => selection,
    }
}

fn text(called_as: CalledAs, options: &Options, names: &[String]) -> Text {
    Text { selection: looked_at(options, names), product: product(called_as), style: style(options) }
}

/// Under which name texts are written.
pub fn product(called_as: CalledAs) -> Product {
    match called_as {
        CalledAs::Pollux => Product::Pollux,
        CalledAs::Monit => Product::Monit,
    }
}

/// Boxes and colours are for terminals; `NO_COLOR` takes the colours, `-B` both.
pub fn style(options: &Options) -> Style {
    let terminal = fd::is_terminal(1) && !options.batch;
    let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    Style { boxes: terminal, colour }
}

fn report(options: &Options, control_file: &Path, part: Option<&str>) -> Asked {
    let part = match part.map(|word| (word, ReportPart::from_word(word))) {
        None => None,
        Some((_, Some(part))) => Some(part),
        Some((word, None)) => {
            err(&format!("Invalid report type: '{word}'"));
            return Asked::Code(1);
        }
    };
    print(control_file, &Question::report(&looked_at(options, &[]), part))
}

/// The line and the exit code that Nagios, Sensu and their like expect, come what may.
fn check(control_file: &Path, selection: &Selection) -> Asked {
    let line = match put(control_file, &Question::check(selection)) {
        Ok(answer) if answer.is_success() => Line::unpack(&answer.body),
        Ok(answer) => Some(Line::unknown(&answer.body)),
        Err(Error::NotRunning) => Some(Line::unknown(&no_daemon(control_file))),
        Err(error) => Some(Line::unknown(&error.to_string())),
    };
    let line = line.unwrap_or_else(|| Line::unknown(&Error::Malformed.to_string()));
    out(&line.to_string());
    Asked::Code(line.code())
}

/// Ends the daemon and waits until it is gone, so that the next one can start.
fn quit(called_as: CalledAs, control_file: &Path) -> Asked {
    let pid = recorded_pid(control_file);
    let answer = put(control_file, &Question::daemon(DaemonVerb::Quit));
    let asked = conclude(answer, |_| {});
    if asked != Asked::Code(0) {
        return asked;
    }
    let record = paths::run_record(control_file);
    let begun = clock::monotonic();
    while record.exists() {
        if clock::monotonic().since(begun) > PATIENCE {
            err("the daemon was told to end, but did not within 10 seconds");
            return Asked::Code(1);
        }
        clock::pause(Duration::from_millis(20));
    }
    let pid = pid.unwrap_or_else(|| "?".to_owned());
    match called_as {
        CalledAs::Monit => out(&format!("Monit daemon with pid [{pid}] killed\n")),
        CalledAs::Pollux => out(&format!("pollux daemon with pid [{pid}] stopped\n")),
    }
    asked
}

fn recorded_pid(control_file: &Path) -> Option<String> {
    let record = file::read(&paths::run_record(control_file), 64 * 1024).ok()?;
    let text = String::from_utf8(record).ok()?;
    Some(text.lines().next()?.strip_prefix("pid ")?.to_owned())
}

/// A cycle, then the status; truthful for pollux, always 1 for the original.
fn validate(called_as: CalledAs, options: &Options, control_file: &Path, names: &[String]) -> Asked {
    let woken = conclude(put_within(LONG_PATIENCE, control_file, &Question::daemon(DaemonVerb::Validate)), |_| {});
    if woken != Asked::Code(0) {
        return woken;
    }
    let shown = print(control_file, &Question::status(&text(called_as, options, names)));
    if shown != Asked::Code(0) {
        return shown;
    }
    let down = put(control_file, &Question::report(&looked_at(options, names), Some(ReportPart::Down)));
    let all_well = matches!(&down, Ok(answer) if answer.body.trim() == "0");
    Asked::Code(i32::from(called_as == CalledAs::Monit || !all_well))
}
