//! Pidfiles on filesystems that may never answer (NFS, SMB, FUSE and the like): each is read by a short-lived helper child,
//! and the service is judged when the answer is there.
//!
//! A child in a call that cannot be interrupted cannot be killed either. So it is given up when its time is over, and as long
//! as it is there no other is started for its path; of one mount point [`PER_MOUNT`] at most are read or given up at a time.

use std::os::fd::RawFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::process::read_pidfile;
use crate::base::time::Mono;
use crate::facts::pidfile::{Content, FileKind, PidfileProblem};
use crate::sys::posix::helper::{Abandoned, Helper, Progress};

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
}

/// One pidfile that somebody wants to know about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The service's name.
    pub service: String,
    /// What for.
    pub purpose: Purpose,
    /// The pidfile.
    pub path: PathBuf,
    /// Where its filesystem is mounted.
    pub mount: PathBuf,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The file was looked at.
    Content(Content),
    /// The filesystem did not answer within [`PATIENCE`].
    Silence,
}

#[derive(Debug)]
struct Pending {
    ask: Ask,
    deadline: Mono,
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
    child: Abandoned,
}

/// All pidfiles that are being asked about.
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
            self.pending.push(Pending { ask, deadline: now.plus(PATIENCE), reading: Reading::Waits });
        }
    }

    /// Whether an answer for the service is on its way.
    pub fn is_pending(&self, service: &str) -> bool {
        self.pending.iter().any(|pending| pending.ask.service == service)
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
        self.pending.iter().map(|pending| pending.deadline).min()
    }

    /// Takes what has been answered, or was not in time. What can be read is read before deadlines are judged.
    pub fn collect(&mut self, now: Mono) -> Vec<(Ask, Answer)> {
        let mut answers = Vec::new();
        let mut place = 0;
        while let Some(pending) = self.pending.get_mut(place) {
            let answer = match &mut pending.reading {
                Reading::Failed(why) => Some(Answer::Content(Content::Failed(std::mem::take(why)))),
                Reading::By(helper) => match helper.read() {
                    Progress::Done(bytes) => Some(Answer::Content(decode(&bytes))),
                    Progress::Pending => None,
                },
                Reading::Waits => None,
            };
            let Some(answer) = answer.or((now >= pending.deadline).then_some(Answer::Silence)) else {
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
            let reading = self.pending.iter().filter(|other| matches!(other.reading, Reading::By(_)));
            let taken = reading.map(|other| (&other.ask.path, &other.ask.mount));
            let taken = taken.chain(self.stuck.iter().map(|stuck| (&stuck.path, &stuck.mount)));
            let taken: Vec<_> = taken.filter(|(_, mount)| **mount == ask.mount).collect();
            if taken.len() >= PER_MOUNT || taken.iter().any(|(path, _)| **path == ask.path) {
                continue;
            }
            let path = ask.path.clone();
            if let Some(pending) = self.pending.get_mut(place) {
                pending.reading = match Helper::start(pending.deadline, move || encode(&read_pidfile(&path))) {
                    Ok(helper) => Reading::By(helper),
                    Err(error) => {
                        pending.deadline = now;
                        Reading::Failed(format!("no helper process: {error}"))
                    }
                };
            }
        }
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
            self.stuck.push(Stuck { path: ask.path.clone(), mount: ask.mount.clone(), child: helper.abandon() });
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

fn decode(bytes: &[u8]) -> Content {
    let text = |rest: &[u8]| String::from_utf8_lossy(rest).into_owned();
    match bytes {
        [b'h', head @ ..] => Content::Head(head.to_vec()),
        [b'm'] => Content::Problem(PidfileProblem::Missing),
        [b'k', kind] => {
            let kind = KINDS.get(usize::from(*kind)).copied().unwrap_or(FileKind::Other);
            Content::Problem(PidfileProblem::NotRegular(kind))
        }
        [b'u', why @ ..] => Content::Problem(PidfileProblem::Unreadable(text(why))),
        [b'f', why @ ..] => Content::Failed(text(why)),
        _ => Content::Failed("the helper process ended without an answer".to_owned()),
    }
}

/// The event's words for a filesystem that is silent.
pub fn silence(path: &Path) -> String {
    format!("the filesystem of {} does not answer", path.display())
}

#[cfg(test)]
#[path = "remote_tests.rs"]
mod tests;
