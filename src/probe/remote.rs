//! Questions to filesystems that may never answer (NFS, SMB, FUSE and the like), and work that takes long: each is given to a
//! helper child, and the service is judged when the answer is there.
//!
//! A child in a call that cannot be interrupted cannot be killed either. So it is given up when its time is over, and as long
//! as it is there no other is started for its path; of one mount point [`PER_MOUNT`] at most are read or given up at a time.

use std::io::Write;
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::process::read_pidfile;
use super::{checksum, filesystem, path};
use crate::base::digest::Hash;
use crate::base::time::Mono;
use crate::facts::observation::{Checksums, FilesystemObservation};
use crate::facts::pidfile::{Content, FileKind, PidfileProblem};
use crate::sys::posix::helper::{self, Abandoned, Helper, Progress};

/// How long an answer may take.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Most children for one mount point.
pub const PER_MOUNT: usize = 8;

/// What an answer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The cycle's check.
    Check,
    /// A look that an action waits for.
    Action,
    /// A look because the process has ended.
    Exit,
    /// Checksums, which come beside the checks.
    Checksums,
}

/// How long a child that computes checksums may go without getting on.
pub const CHECKSUM_PATIENCE: Duration = Duration::from_secs(60);

/// Most children that compute checksums at a time.
pub const CHECKSUMS_AT_A_TIME: usize = 2;

/// Something that somebody wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The service's name.
    pub service: String,
    /// What for.
    pub purpose: Purpose,
    /// What is asked about.
    pub path: PathBuf,
    /// Where its filesystem is mounted.
    pub mount: PathBuf,
    /// What is asked.
    pub question: Question,
}

/// What is asked about a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// What does the pidfile say?
    Pidfile,
    /// What is there, and what was written to it?
    Path(path::Question),
    /// How full is the filesystem?
    Filesystem(filesystem::Question),
    /// Which checksums does the file have?
    Checksums(Vec<Hash>),
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The pidfile was read.
    Pidfile(Content),
    /// The path was looked at.
    Path(path::Seen),
    /// The filesystem was asked.
    Filesystem(FilesystemObservation),
    /// The file was read.
    Checksums(Checksums),
    /// Nobody could be asked; why.
    Failed(String),
    /// The filesystem did not answer within [`PATIENCE`], or not further within [`CHECKSUM_PATIENCE`].
    Silence,
}

impl Question {
    /// Asks. May wait for ever.
    fn ask(&self, about: &Path, pipe: &mut dyn Write) {
        let answer = match self {
            Question::Pidfile => encode(&read_pidfile(about)),
            Question::Path(question) => path::encode(&path::look(question)),
            Question::Filesystem(question) => filesystem::encode(&filesystem::look(question)),
            Question::Checksums(kinds) => {
                helper::yield_to_others();
                checksum::compute(about, kinds, pipe)
            }
        };
        let _ = pipe.write_all(&answer);
    }

    /// It takes long, and shows that it gets on; then nobody waits for it, and it has places of its own.
    fn is_long(&self) -> bool {
        matches!(self, Question::Checksums(_))
    }

    /// What [`Question::ask`] sent through the pipe.
    fn answer(&self, bytes: &[u8]) -> Answer {
        let answer = match self {
            Question::Pidfile => decode(bytes).map(Answer::Pidfile),
            Question::Path(_) => path::decode(bytes).map(Answer::Path),
            Question::Filesystem(_) => filesystem::decode(bytes).map(Answer::Filesystem),
            Question::Checksums(_) => checksum::decode(bytes).map(Answer::Checksums),
        };
        answer.unwrap_or_else(|| Answer::Failed("the helper process ended without an answer".to_owned()))
    }
}

/// Bytes of the longest answer: the news of a file and what belongs to them.
const ANSWER_MAX: usize = crate::facts::content::READ_MAX + 64 * 1024;

#[derive(Debug)]
struct Pending {
    ask: Ask,
    /// When it is given up; `None` while long work waits for a place.
    deadline: Option<Mono>,
    reading: Reading,
}

#[derive(Debug)]
enum Reading {
    /// Waits for a place.
    Waits,
    /// By this child.
    By(Helper),
    /// No child could be had.
    Failed(String),
}

#[derive(Debug)]
struct Stuck {
    path: PathBuf,
    mount: PathBuf,
    is_long: bool,
    child: Abandoned,
}

/// All that is being asked.
#[derive(Debug, Default)]
pub struct Remote {
    pending: Vec<Pending>,
    stuck: Vec<Stuck>,
}

impl Remote {
    /// Asks, unless the service has asked for that purpose already. A read that is under way for another purpose is not
    /// shared: it began earlier, and an action must not rest on what was true before it.
    pub fn ask(&mut self, ask: Ask, now: Mono) {
        let same = |pending: &Pending| pending.ask.service == ask.service && pending.ask.purpose == ask.purpose;
        if !self.pending.iter().any(same) {
            let deadline = (!ask.question.is_long()).then(|| now.plus(PATIENCE));
            self.pending.push(Pending { ask, deadline, reading: Reading::Waits });
        }
    }

    /// A service has another name now.
    pub fn rename(&mut self, old: &str, new: &str) {
        for pending in self.pending.iter_mut().filter(|pending| pending.ask.service.eq_ignore_ascii_case(old)) {
            new.clone_into(&mut pending.ask.service);
        }
    }

    /// Whether an answer that the service's check waits for is on its way.
    pub fn is_pending(&self, service: &str) -> bool {
        self.pending.iter().any(|pending| pending.ask.service == service && !pending.ask.question.is_long())
    }

    /// Whether any answer is on its way.
    pub fn is_busy(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The descriptors to poll for reading; then call [`Remote::collect`].
    pub fn fds(&self) -> impl Iterator<Item = RawFd> {
        self.pending.iter().filter_map(|pending| match &pending.reading {
            Reading::By(helper) => Some(helper.fd()),
            _ => None,
        })
    }

    /// When [`Remote::collect`] has something to do even if nothing is readable.
    pub fn next_deadline(&self) -> Option<Mono> {
        self.pending.iter().filter_map(|pending| pending.deadline).min()
    }

    /// Takes what has been answered, or was not in time. What can be read is read before deadlines are judged.
    pub fn collect(&mut self, now: Mono) -> Vec<(Ask, Answer)> {
        let mut answers = Vec::new();
        let mut place = 0;
        while let Some(pending) = self.pending.get_mut(place) {
            let answer = match &mut pending.reading {
                Reading::Failed(why) => Some(Answer::Failed(std::mem::take(why))),
                Reading::By(helper) => {
                    let before = helper.so_far().len();
                    match helper.read() {
                        Progress::Done(bytes) => Some(pending.ask.question.answer(&bytes)),
                        Progress::Pending => {
                            if pending.ask.question.is_long() && helper.so_far().len() > before {
                                pending.deadline = Some(now.plus(CHECKSUM_PATIENCE));
                            }
                            None
                        }
                    }
                }
                Reading::Waits => None,
            };
            let is_late = pending.deadline.is_some_and(|deadline| now >= deadline);
            let Some(answer) = answer.or(is_late.then_some(Answer::Silence)) else {
                place += 1;
                continue;
            };
            let Pending { ask, reading, .. } = self.pending.remove(place);
            if answer == Answer::Silence {
                self.give_up(&ask, reading);
            }
            answers.push((ask, answer));
        }
        answers
    }

    /// Starts the children for which there is a place.
    pub fn begin(&mut self, now: Mono) {
        if !self.stuck.is_empty() {
            self.stuck.retain(|stuck| stuck.child.lives());
        }
        for place in 0..self.pending.len() {
            let Some(ask) = self.pending.get(place).filter(|p| matches!(p.reading, Reading::Waits)).map(|p| &p.ask)
            else {
                continue;
            };
            if !self.has_place(ask) {
                continue;
            }
            if let Some(pending) = self.pending.get_mut(place) {
                let Ask { question, path, .. } = &pending.ask;
                let deadline = *pending.deadline.get_or_insert(now.plus(CHECKSUM_PATIENCE));
                pending.reading = match Helper::start_telling(deadline, ANSWER_MAX, |pipe| question.ask(path, pipe)) {
                    Ok(helper) => Reading::By(helper),
                    Err(error) => {
                        pending.deadline = Some(now);
                        Reading::Failed(format!("no helper process: {error}"))
                    }
                };
            }
        }
    }

    /// Whether a child may be started for it: none is at its path, and not too many are at work on the same.
    fn has_place(&self, ask: &Ask) -> bool {
        let is_long = ask.question.is_long();
        let reading = self.pending.iter().filter(|other| matches!(other.reading, Reading::By(_)));
        let reading: Vec<&Ask> =
            reading.map(|other| &other.ask).filter(|other| other.question.is_long() == is_long).collect();
        let stuck: Vec<&Stuck> = self.stuck.iter().filter(|stuck| stuck.is_long == is_long).collect();
        let at_path = |path: &Path| *path == *ask.path;
        if reading.iter().any(|other| at_path(&other.path)) || stuck.iter().any(|stuck| at_path(&stuck.path)) {
            return false;
        }
        let of_mount = reading.iter().filter(|other| other.mount == ask.mount).count();
        let stuck_there = stuck.iter().filter(|stuck| stuck.mount == ask.mount).count();
        of_mount + stuck_there < PER_MOUNT && (!is_long || reading.len() < CHECKSUMS_AT_A_TIME)
    }

    /// Forgets what is no longer wanted after the configuration changed, and returns it.
    pub fn retain(&mut self, mut is_wanted: impl FnMut(&Ask) -> bool) -> Vec<Ask> {
        let mut dropped = Vec::new();
        for pending in std::mem::take(&mut self.pending) {
            if is_wanted(&pending.ask) {
                self.pending.push(pending);
            } else {
                self.give_up(&pending.ask, pending.reading);
                dropped.push(pending.ask);
            }
        }
        dropped
    }

    fn give_up(&mut self, ask: &Ask, reading: Reading) {
        if let Reading::By(helper) = reading {
            let (path, mount, is_long) = (ask.path.clone(), ask.mount.clone(), ask.question.is_long());
            self.stuck.push(Stuck { path, mount, is_long, child: helper.abandon() });
        }
    }
}

/// Kinds of files in the order of their numbers in an answer.
const KINDS: [FileKind; 6] = [
    FileKind::Directory,
    FileKind::Fifo,
    FileKind::Socket,
    FileKind::CharacterDevice,
    FileKind::BlockDevice,
    FileKind::Other,
];

/// A letter, then what belongs to it.
fn encode(content: &Content) -> Vec<u8> {
    let (letter, rest) = match content {
        Content::Head(head) => (b'h', head.clone()),
        Content::Problem(PidfileProblem::Missing) => (b'm', Vec::new()),
        Content::Problem(PidfileProblem::NotRegular(kind)) => (
            b'k',
            KINDS.iter().position(|known| known == kind).and_then(|n| u8::try_from(n).ok()).into_iter().collect(),
        ),
        Content::Problem(PidfileProblem::Unreadable(why)) => (b'u', why.clone().into_bytes()),
        // The rest is said of what was read, by who reads the answer.
        Content::Problem(problem) => (b'f', problem.to_string().into_bytes()),
        Content::Failed(why) => (b'f', why.clone().into_bytes()),
    };
    let mut bytes = vec![letter];
    bytes.extend(rest);
    bytes
}

/// `None` for what is no answer.
fn decode(bytes: &[u8]) -> Option<Content> {
    let text = |rest: &[u8]| String::from_utf8_lossy(rest).into_owned();
    Some(match bytes {
        [b'h', head @ ..] => Content::Head(head.to_vec()),
        [b'm'] => Content::Problem(PidfileProblem::Missing),
        [b'k', kind] => {
            let kind = KINDS.get(usize::from(*kind)).copied().unwrap_or(FileKind::Other);
            Content::Problem(PidfileProblem::NotRegular(kind))
        }
        [b'u', why @ ..] => Content::Problem(PidfileProblem::Unreadable(text(why))),
        [b'f', why @ ..] => Content::Failed(text(why)),
        _ => return None,
    })
}

/// The event's words for a filesystem that is silent.
pub fn silence(path: &Path) -> String {
    format!("the filesystem of {} does not answer", path.display())
}

#[cfg(test)]
#[path = "remote_tests.rs"]
mod tests;
