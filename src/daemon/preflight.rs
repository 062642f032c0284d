//! Before the daemon takes a control file again, a helper child reads it: programs, included files, users, groups and the
//! address to listen on may all be with somebody who does not answer. The child tells every question and every answer; the
//! daemon then loads from these answers without asking anybody.

use std::io::Write;
use std::net::IpAddr;
use std::os::fd::RawFd;
use std::path::Path;
use std::time::Duration;

use super::accounts::{self, Accounts};
use super::front;
use crate::base::time::Mono;
use crate::cli::load;
use crate::cli::options::Options;
use crate::config::Config;
use crate::config::load::{Machine, TOTAL_MAX};
use crate::config::recording::{Recorder, Recording};
use crate::http::ConnectionId;
use crate::sys::posix::account;
use crate::sys::posix::helper::{Abandoned, Helper, Progress};

/// How long the child may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes of a recording that are kept: the largest control file and what is asked for it.
const RECORDING_MAX: usize = 2 * TOTAL_MAX as usize;

/// The child's last answer: nothing, or the refusal.
const VERDICT: &str = "the verdict";

/// The check that is under way, and what is asked for meanwhile.
#[derive(Debug, Default)]
pub(super) struct Preflight {
    round: Option<Round>,
    /// Who asked since it began: the file may have changed, so one more round serves all of them.
    next: Option<Vec<ConnectionId>>,
    /// A child of an earlier round that could not be ended. No other is started beside it.
    stuck: Option<Abandoned>,
}

#[derive(Debug)]
struct Round {
    waiters: Vec<ConnectionId>,
    deadline: Mono,
    helper: Option<Helper>,
}

/// The end of a round.
pub(super) struct Landed {
    /// The connections that wait for the answer.
    pub waiters: Vec<ConnectionId>,
    /// What the control file asks and was answered, or why it is refused.
    pub outcome: Result<Recording, String>,
}

impl Preflight {
    /// Asks for a round; `who` is told how it ended.
    pub fn ask(&mut self, who: Option<ConnectionId>, now: Mono) {
        if self.round.is_some() {
            self.next.get_or_insert_default().extend(who);
        } else {
            self.begin(who.into_iter().collect(), now);
        }
    }

    fn begin(&mut self, waiters: Vec<ConnectionId>, now: Mono) {
        self.round = Some(Round { waiters, deadline: now.plus(PATIENCE), helper: None });
    }

    /// Ends everything; returns who waits.
    pub fn cancel(&mut self) -> Vec<ConnectionId> {
        let mut waiters = self.round.take().map(|round| round.waiters).unwrap_or_default();
        waiters.extend(self.next.take().unwrap_or_default());
        waiters
    }

    /// The descriptor to poll for reading; then call [`Preflight::turn`].
    pub fn fd(&self) -> Option<RawFd> {
        self.round.as_ref()?.helper.as_ref().map(Helper::fd)
    }

    /// When [`Preflight::turn`] has something to do even if nothing is readable.
    pub fn next_deadline(&self) -> Option<Mono> {
        self.round.as_ref().map(|round| round.deadline)
    }

    /// Goes on, and returns a round that has ended. `record` is the child's work.
    pub fn turn(&mut self, now: Mono, record: impl FnOnce(&mut dyn Write)) -> Option<Landed> {
        let round = self.round.as_mut()?;
        let outcome = match &mut round.helper {
            Some(helper) => match helper.read() {
                Progress::Done(bytes) => Some(judge(&bytes)),
                Progress::Pending if now >= round.deadline => Some(Err(late(helper.so_far()))),
                Progress::Pending => None,
            },
            None => {
                self.stuck.take_if(|child| !child.lives());
                if now >= round.deadline {
                    Some(Err("an earlier check of the control file still hangs and cannot be ended".to_owned()))
                } else if self.stuck.is_some() {
                    None
                } else {
                    match Helper::start_telling(round.deadline, RECORDING_MAX, record) {
                        Ok(helper) => {
                            round.helper = Some(helper);
                            None
                        }
                        Err(error) => Some(Err(format!("cannot create a process to check the control file: {error}"))),
                    }
                }
            }
        };
        let outcome = outcome?;
        let round = self.round.take()?;
        if now >= round.deadline {
            self.stuck = round.helper.map(Helper::abandon).or(self.stuck.take());
        }
        if let Some(waiters) = self.next.take() {
            self.begin(waiters, now);
        }
        Some(Landed { waiters: round.waiters, outcome })
    }
}

/// The child's work: the whole load, and what the daemon needs to know besides.
pub(super) fn record(control_file: &Path, options: &Options, pipe: &mut dyn Write) {
    let mut write = |piece: &[u8]| {
        let _ = pipe.write_all(piece);
    };
    let recorder = Recorder::new(&Machine, &mut write);
    let verdict = check(&recorder, control_file, options);
    recorder.other(VERDICT, || verdict.err().unwrap_or_default().into_bytes());
}

fn check(recorder: &Recorder<'_>, control_file: &Path, options: &Options) -> Result<(), String> {
    let (config, _) = load::usable_in(recorder, control_file, options)?;
    if let Some(name) = front::name(&config) {
        let mut found = Ok(None);
        recorder.other(&front::question(name), || {
            found = front::address(&config);
            found.as_ref().ok().copied().flatten().map(|ip| ip.to_string().into_bytes()).unwrap_or_default()
        });
        found?;
    }
    for uid in accounts::users(&config) {
        recorder.other(&accounts::question(uid), || accounts::encode(account::account(uid).as_ref()));
    }
    Ok(())
}

/// The address and the accounts that were found for `config`.
pub(super) fn findings(recording: &Recording, config: &Config) -> (Option<IpAddr>, Accounts) {
    let address = front::name(config).and_then(|name| recording.other(&front::question(name)));
    let address = address.and_then(|bytes| std::str::from_utf8(bytes).ok()?.parse().ok());
    let account = |uid| recording.other(&accounts::question(uid)).and_then(|answer| accounts::decode(uid, answer));
    (address, accounts::users(config).into_iter().map(|uid| (uid, account(uid))).collect())
}

fn judge(bytes: &[u8]) -> Result<Recording, String> {
    let recording = Recording::new(bytes);
    match (recording.other(VERDICT), recording.unanswered()) {
        (Some([]), _) => Ok(recording),
        (Some(refusal), _) => Err(String::from_utf8_lossy(refusal).into_owned()),
        (None, Some(question)) => Err(format!("the check of the control file broke off while it asked for {question}")),
        (None, None) => Err("the check of the control file broke off".to_owned()),
    }
}

fn late(bytes: &[u8]) -> String {
    let seconds = PATIENCE.as_secs();
    match Recording::new(bytes).unanswered() {
        Some(question) => format!("no answer within {seconds} seconds about {question}"),
        None => format!("the control file could not be checked within {seconds} seconds"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::posix::clock;
    use crate::sys::posix::poll::{Interest, PollSet};

    /// Turns until the round ends.
    fn land(preflight: &mut Preflight, now: Mono, record: impl Fn(&mut dyn Write)) -> Result<Recording, String> {
        loop {
            if let Some(landed) = preflight.turn(now, &record) {
                return landed.outcome;
            }
            let mut set = PollSet::default();
            set.add(preflight.fd().unwrap(), Interest::Read, ());
            assert!(!set.wait(Some(Duration::from_secs(20))).unwrap().is_empty());
        }
    }

    fn answering(verdict: &'static str) -> impl Fn(&mut dyn Write) {
        move |pipe| {
            let mut write = |piece: &[u8]| pipe.write_all(piece).unwrap();
            Recorder::new(&Machine, &mut write).other(VERDICT, || verdict.as_bytes().to_vec());
        }
    }

    #[test]
    fn the_childs_verdict_counts() {
        let now = clock::monotonic();
        let mut preflight = Preflight::default();
        preflight.ask(None, now);
        assert!(land(&mut preflight, now, answering("")).is_ok());
        assert_eq!((preflight.fd(), preflight.next_deadline()), (None, None));
        preflight.ask(None, now);
        assert_eq!(land(&mut preflight, now, answering("a:1:1: error: no")).unwrap_err(), "a:1:1: error: no");
        preflight.ask(None, now);
        let broken = land(&mut preflight, now, |pipe| pipe.write_all(b"?u\x01\0\0\0x").unwrap()).unwrap_err();
        assert_eq!(broken, "the check of the control file broke off while it asked for the user 'x'");
    }

    #[test]
    fn all_who_ask_meanwhile_share_one_more_round() {
        let now = clock::monotonic();
        let mut preflight = Preflight::default();
        for _ in 0..4 {
            preflight.ask(None, now);
        }
        assert!(land(&mut preflight, now, answering("")).is_ok());
        assert!(preflight.next_deadline().is_some());
        assert!(land(&mut preflight, now, answering("")).is_ok());
        assert!(preflight.turn(now, answering("")).is_none() && preflight.next_deadline().is_none());
    }

    #[test]
    fn a_question_without_an_answer_is_named_and_its_child_not_doubled() {
        let now = clock::monotonic();
        let late = now.plus(PATIENCE);
        let hang = |pipe: &mut dyn Write| {
            let mut write = |piece: &[u8]| pipe.write_all(piece).unwrap();
            Recorder::new(&Machine, &mut write).other("the owner", || {
                clock::pause(Duration::from_secs(60));
                Vec::new()
            });
        };
        let mut preflight = Preflight::default();
        preflight.ask(None, now);
        assert!(preflight.turn(now, hang).is_none());
        let mut set = PollSet::default();
        set.add(preflight.fd().unwrap(), Interest::Read, ());
        assert_eq!(set.wait(Some(Duration::from_secs(20))).unwrap().len(), 1);
        let refusal = preflight.turn(late, hang).unwrap().outcome.unwrap_err();
        assert_eq!(refusal, "no answer within 30 seconds about the owner");
        // Nobody reaps it here.
        preflight.ask(None, late);
        assert!(preflight.turn(late, hang).is_none());
        assert_eq!(preflight.fd(), None);
        let refusal = preflight.turn(late.plus(PATIENCE), hang).unwrap().outcome.unwrap_err();
        assert!(refusal.contains("still hangs"), "{refusal}");
    }
}
