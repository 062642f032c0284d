//! The lines of a state file.
//!
//! ```text
//! pollux-state 1
//! boot 0b9f…
//! service puma monitored restarts=1 cycles=2 pid=4711 start=98765432
//! time 98765999
//! rule puma If%20doesn't%20exist%20then%20restart failed:ffffffffffffffff:64:2:
//! base puma position 4096
//! job start 4712 98765500 puma
//! end 5
//! ```
//! Names are percent-encoded; times are microseconds since boot; words a reader does not know are passed over, so that
//! fields can be added within a version. `time` is when the file was written; `rule` is the history of the rule with that
//! text, `base` one of a service's baselines.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use crate::base::cron::Minute;
use crate::base::process::{BootId, Identity, Pid, StartTime};
use crate::base::program::Purpose;
use crate::base::time::Mono;
use crate::event::ledger::{Absence, Saved};
use crate::event::track::Track;
use crate::job::JournalEntry;

/// What a state file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The boot during which it was written.
    pub boot: BootId,
    /// When, on the monotonic clock of that boot.
    pub written: Mono,
    /// By name in lower case.
    pub services: HashMap<String, Saved>,
    /// Programs that ran.
    pub journal: Vec<JournalEntry>,
}

/// Why a state file cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It does not begin like a state file at all.
    Unknown,
    /// It was written by a newer version.
    Newer,
    /// Its last line is missing or a record cannot be read.
    Torn,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::Unknown => "it is no state file",
            Refusal::Newer => "it was written by a newer version",
            Refusal::Torn => "it is damaged",
        })
    }
}

const MAGIC: &str = "pollux-state";
const VERSION: u32 = 1;

impl State {
    /// The file's text; the same state gives the same text.
    pub fn print(&self) -> String {
        let mut text = format!("{MAGIC} {VERSION}\nboot {}\n", encode(&self.boot.0));
        let head = text.len();
        text.push_str(&format!("time {}\n", self.written.since_origin().as_micros()));
        text.push_str(&self.records());
        let count = text.bytes().skip(head).filter(|byte| *byte == b'\n').count();
        text.push_str(&format!("end {count}\n"));
        text
    }

    /// What is told of services and programs; the same as long as nothing has happened.
    pub fn records(&self) -> String {
        let mut text = String::new();
        let mut names: Vec<_> = self.services.iter().collect();
        names.sort_by_key(|(name, _)| *name);
        for (name, saved) in &names {
            text.push_str(&format!("service {}", encode(name)));
            if saved.monitored {
                text.push_str(" monitored");
            }
            if saved.taken_along {
                text.push_str(" along");
            }
            if saved.restarts > 0 {
                text.push_str(&format!(" restarts={} cycles={}", saved.restarts, saved.restart_cycles));
            }
            if saved.pace.starts > 0 {
                text.push_str(&format!(" starts={} next={}", saved.pace.starts, micros_of(saved.pace.next)));
            }
            if let Some(absence) = saved.absence_ends {
                let word = if absence.along { "absent-along" } else { "absent" };
                text.push_str(&format!(" {word}={}", micros_of(absence.until)));
            }
            if let Some(goal) = saved.goal {
                text.push_str(&format!(" goal={}", goal.word()));
            }
            if saved.by_user {
                text.push_str(" asked");
            }
            if let Some((purpose, until)) = saved.appearing {
                text.push_str(&format!(" appearing={} until={}", purpose.word(), micros_of(until)));
            }
            if let Some(process) = saved.process {
                text.push_str(&format!(" pid={} start={}", process.pid, micros(process.start)));
            }
            if let Some(minute) = saved.scheduled {
                text.push_str(&format!(" scheduled={}", minute.number()));
            }
            text.push('\n');
            for (rule, track) in &saved.tracks {
                if let Some(word) = track.save() {
                    text.push_str(&format!("rule {} {} {word}\n", encode(name), encode(rule)));
                }
            }
            for (key, value) in saved.baselines.iter() {
                text.push_str(&format!("base {} {} {}\n", encode(name), encode(key), encode(value)));
            }
        }
        for job in &self.journal {
            let identity = job.identity;
            let name = encode(&job.service);
            text.push_str(&format!("job {} {} {} {name}\n", job.purpose.word(), identity.pid, micros(identity.start)));
        }
        text
    }

    /// Reads a file's bytes.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn parse(bytes: &[u8]) -> Result<State, Refusal> {
        let text = std::str::from_utf8(bytes).map_err(|_| Refusal::Unknown)?;
        let mut lines = text.lines();
        let head = lines.next().and_then(|line| line.strip_prefix(MAGIC)).ok_or(Refusal::Unknown)?;
        let version: u32 = head.trim().parse().map_err(|_| Refusal::Torn)?;
        if version > VERSION {
            return Err(Refusal::Newer);
        }
        let boot = lines.next().and_then(|line| line.strip_prefix("boot ")).ok_or(Refusal::Torn)?;
        let boot = BootId(decode(boot)?);
        let mut state = State { boot, written: Mono::default(), services: HashMap::new(), journal: Vec::new() };
        for (records, line) in lines.enumerate() {
            let mut words = line.split(' ');
            match words.next() {
                Some("service") => {
                    let name = decode(words.next().ok_or(Refusal::Torn)?)?;
                    state.services.insert(name, service(words)?);
                }
                Some("time") => {
                    let micros = words.next().and_then(|word| word.parse().ok()).ok_or(Refusal::Torn)?;
                    state.written = Mono::from_origin(Duration::from_micros(micros));
                }
                // Of a service without a record nothing is known, least of all that it is not monitored.
                Some("rule") => {
                    let (service, key, word) = three(words)?;
                    if let (Some(saved), Some(track)) = (state.services.get_mut(&service), Track::load(&word)) {
                        saved.tracks.push((key, track));
                    }
                }
                Some("base") => {
                    let (service, key, text) = three(words)?;
                    if let Some(saved) = state.services.get_mut(&service) {
                        saved.baselines.set(&key, text);
                    }
                }
                Some("job") => state.journal.extend(job(words)?),
                Some("end") => {
                    let counted = words.next().and_then(|word| word.parse().ok());
                    return if counted == Some(records) { Ok(state) } else { Err(Refusal::Torn) };
                }
                _ => {}
            }
        }
        Err(Refusal::Torn)
    }
}

fn service<'a>(words: impl Iterator<Item = &'a str>) -> Result<Saved, Refusal> {
    let mut saved = Saved::default();
    let (mut pid, mut start) = (None, None);
    let (mut appearing, mut until) = (None, None);
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        let number = || value.parse::<u64>().map_err(|_| Refusal::Torn);
        let instant = || number().map(|micros| Mono::from_origin(Duration::from_micros(micros)));
        match key {
            "monitored" => saved.monitored = true,
            "along" => saved.taken_along = true,
            "restarts" => saved.restarts = u32::try_from(number()?).map_err(|_| Refusal::Torn)?,
            "cycles" => saved.restart_cycles = u32::try_from(number()?).map_err(|_| Refusal::Torn)?,
            "goal" => saved.goal = Purpose::from_word(value),
            "asked" => saved.by_user = true,
            "appearing" => appearing = Purpose::from_word(value),
            "until" => until = Some(instant()?),
            "starts" => saved.pace.starts = u32::try_from(number()?).map_err(|_| Refusal::Torn)?,
            "next" => saved.pace.next = instant()?,
            "absent" => saved.absence_ends = Some(Absence { until: instant()?, along: false }),
            "absent-along" => saved.absence_ends = Some(Absence { until: instant()?, along: true }),
            "pid" => pid = Some(number()?),
            "start" => start = Some(number()?),
            "scheduled" => saved.scheduled = Some(Minute::from_number(value.parse().map_err(|_| Refusal::Torn)?)),
            _ => {}
        }
    }
    if let (Some(pid), Some(start)) = (pid, start) {
        saved.process = Some(identity(pid, start)?);
    }
    saved.appearing = appearing.zip(until);
    Ok(saved)
}

/// The next three words.
fn three<'a>(mut words: impl Iterator<Item = &'a str>) -> Result<(String, String, String), Refusal> {
    let mut next = || decode(words.next().ok_or(Refusal::Torn)?);
    Ok((next()?, next()?, next()?))
}

/// A job of a purpose this version does not know is passed over.
fn job<'a>(mut words: impl Iterator<Item = &'a str>) -> Result<Option<JournalEntry>, Refusal> {
    let purpose = Purpose::from_word(words.next().ok_or(Refusal::Torn)?);
    let mut number = || words.next().and_then(|word| word.parse().ok()).ok_or(Refusal::Torn);
    let identity = identity(number()?, number()?)?;
    let service = decode(words.next().ok_or(Refusal::Torn)?)?;
    Ok(purpose.map(|purpose| JournalEntry { service, purpose, identity }))
}

fn identity(pid: u64, start: u64) -> Result<Identity, Refusal> {
    let pid = i32::try_from(pid).ok().and_then(Pid::new).ok_or(Refusal::Torn)?;
    Ok(Identity { pid, start: StartTime::from_boot(Duration::from_micros(start)) })
}

fn micros_of(instant: Mono) -> u128 {
    instant.since_origin().as_micros()
}

fn micros(start: StartTime) -> u128 {
    start.since_boot().as_micros()
}

fn encode(text: &str) -> String {
    let mut word = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || c.is_whitespace() || c == '%' {
            let mut bytes = [0; 4];
            c.encode_utf8(&mut bytes).bytes().for_each(|byte| word.push_str(&format!("%{byte:02X}")));
        } else {
            word.push(c);
        }
    }
    // An empty word would be lost between two blanks.
    if word.is_empty() { "%".to_owned() } else { word }
}

fn decode(word: &str) -> Result<String, Refusal> {
    if word == "%" {
        return Ok(String::new());
    }
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16)).ok_or(Refusal::Torn);
        let value = digit(rest.next())? * 16 + digit(rest.next())?;
        bytes.push(u8::try_from(value).map_err(|_| Refusal::Torn)?);
    }
    String::from_utf8(bytes).map_err(|_| Refusal::Torn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::baselines::Baselines;
    use crate::event::ledger::Pace;

    fn sample() -> State {
        let identity = identity(4711, 98_765_432).unwrap();
        let mut open = Track::default();
        open.reopen();
        let mut baselines = Baselines::default();
        baselines.set("position", "4096");
        baselines.set("If content changed", "");
        let busy = Saved {
            monitored: true,
            restarts: 2,
            restart_cycles: 3,
            taken_along: true,
            pace: Pace { starts: 4, next: Mono::from_origin(Duration::from_millis(2500)), waits: false },
            absence_ends: Some(Absence { until: Mono::from_origin(Duration::from_secs(7200)), along: true }),
            goal: Some(Purpose::Stop),
            by_user: true,
            appearing: Some((Purpose::Start, Mono::from_origin(Duration::from_millis(1500)))),
            process: Some(identity),
            scheduled: Some(Minute::from_number(29_000_000)),
            tracks: vec![("If a b then\nalert".to_owned(), open.clone()), (String::new(), open)],
            baselines,
        };
        let services =
            [("a b%\n".to_owned(), busy), (String::new(), Saved::default()), ("é".to_owned(), Saved::default())];
        State {
            boot: BootId("0b9f-11".to_owned()),
            written: Mono::from_origin(Duration::from_secs(77)),
            services: services.into_iter().collect(),
            journal: vec![JournalEntry { service: "a b%\n".to_owned(), purpose: Purpose::Start, identity }],
        }
    }

    #[test]
    fn what_is_printed_is_read_back() {
        assert_eq!(State::parse(sample().print().as_bytes()), Ok(sample()));
    }

    #[test]
    fn a_file_cut_anywhere_is_refused_and_never_half_believed() {
        let text = sample().print();
        for end in 0..text.len() - 1 {
            assert!(State::parse(&text.as_bytes()[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn damage_is_told_apart_from_strangers() {
        assert_eq!(State::parse(b""), Err(Refusal::Unknown));
        assert_eq!(State::parse(b"\0\0\0\0\x04\0\0\0rest"), Err(Refusal::Unknown));
        assert_eq!(State::parse(b"pollux-state 2\nboot x\nend 0\n"), Err(Refusal::Newer));
        assert_eq!(State::parse(b"pollux-state 1\nboot x\nend 1\n"), Err(Refusal::Torn));
        assert_eq!(State::parse(b"pollux-state 1\nboot x\njob start 0 5 a\nend 1\n"), Err(Refusal::Torn));
        assert_eq!(State::parse(b"hello\n"), Err(Refusal::Unknown));
    }

    #[test]
    fn a_file_of_the_first_version_is_read() {
        let text =
            "pollux-state 1\nboot x\nservice a monitored restarts=1 cycles=2 pid=7 start=9\njob start 8 9 a\nend 2\n";
        let state = State::parse(text.as_bytes()).unwrap();
        assert_eq!((state.services["a"].restarts, state.journal.len(), state.written), (1, 1, Mono::default()));
    }

    #[test]
    fn histories_and_baselines_of_nobody_make_nobody_unmonitored() {
        let text = "pollux-state 1\nboot x\nrule a b failed:1:1:1:\nbase a b c\nend 2\n";
        assert!(State::parse(text.as_bytes()).unwrap().services.is_empty());
    }

    #[test]
    fn unknown_words_and_records_are_passed_over() {
        let text = "pollux-state 1\nboot x\nservice a monitored colour=red\nnews 7\njob dance 5 5 a\nend 3\n";
        let state = State::parse(text.as_bytes()).unwrap();
        assert!(state.services["a"].monitored);
        assert!(state.journal.is_empty());
    }

    #[test]
    fn mutated_bytes_never_panic() {
        let text = sample().print().into_bytes();
        for place in 0..text.len() {
            for byte in [0, b' ', b'%', b'9', b'\n', 0xff] {
                let mut changed = text.clone();
                changed[place] = byte;
                let _ = State::parse(&changed);
            }
        }
    }
}
