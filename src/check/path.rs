//! Files, FIFOs and directories: `check file`, `check fifo`, `check directory`.

use super::limit::{self, Show, amount};
use super::{Findings, Verdict};
use crate::base::event::EventState;
use crate::base::format;
use crate::base::time::{LocalTime, Wall};
use crate::config::{
    Attribute, Content, Hash, Kind, Limit, Measure, Patterns, Service, ServiceType, Test, Timestamp, Unit,
};
use crate::facts::content::{NewText, Position};
use crate::facts::file::{self, FileFacts, Look};
use crate::facts::observation::{Checksums, LocalTimes, PathObservation};

/// What is remembered of a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// What stat(2) said last: what `changed` compares with.
    pub last: Option<Baseline>,
    /// The checksums that were computed last. As long as the file has not changed they are not computed again.
    pub computed: Option<Checksums>,
    /// The last checksum of each kind: what `changed checksum` compares with.
    pub checksums: Vec<(Hash, String)>,
    /// The first checksum of each kind: what a rule expects that names none.
    pub expected: Vec<(Hash, String)>,
    /// How far the content was read.
    pub position: Option<Position>,
    /// Whether the last new text matched a rule; `None` before any was read.
    pub matched: Option<bool>,
}

/// What `changed` compares with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// What stat(2) said.
    pub facts: FileFacts,
    /// Its times in words; `None` until those of a state file are put into words.
    pub local: Option<LocalTimes>,
}

impl Memory {
    /// Puts times that come from a state file into words.
    pub fn date(&mut self, local: impl Fn(Wall) -> LocalTime) {
        if let Some(last) = self.last.as_mut().filter(|last| last.local.is_none()) {
            last.local = Some(LocalTimes::of(&last.facts, local));
        }
    }

    /// It is not there, or something else is in its place: what will be written to a file of that name is new, even if it
    /// should get the number of the old one.
    fn is_gone(&mut self) {
        self.position = Some(Position::default());
        self.computed = None;
        self.matched = None;
    }
}

/// Most bytes of matching lines in one event.
const TOLD_MAX: usize = 512;

/// What a look at a path says of its rules.
pub fn judge(service: &Service, seen: &PathObservation, memory: &mut Memory) -> Findings {
    let kind = service.service_type();
    let word = kind.title().to_lowercase();
    let (facts, local) = match &seen.look {
        Look::Failed(why) => return Findings::unreadable(format!("{word} data cannot be read: {why}")),
        Look::Missing => {
            memory.is_gone();
            return Findings::of(service, false, |rule| existence(&rule.test, false, &format!("{word} doesn't exist")));
        }
        Look::Found(facts) => (*facts, seen.local),
    };
    let exists = format!("{word} exists");
    if !is_of(kind, facts.kind) {
        memory.is_gone();
        return Findings::of(service, false, |rule| match rule.test {
            Test::Type => Some(Verdict::failed(wrong_type(kind))),
            _ => existence(&rule.test, true, &exists),
        });
    }
    let before = memory.last.replace(Baseline { facts, local });
    let look = At { path: path(service), facts, local, before, seen };
    let computed = memory.computed.take().filter(|computed| computed.facts.is_some_and(|f| f.is_unchanged(&facts)));
    let mut findings = Findings::of(service, true, |rule| match &rule.test {
        Test::Type => Some(Verdict::passed(right_type(facts.kind))),
        Test::NotExist | Test::Exist => existence(&rule.test, true, &exists),
        Test::Content(content) => look.content(content, service),
        test => {
            let of_sum = computed.as_ref().and_then(|computed| checksum(test, computed, memory));
            of_sum.or_else(|| look.judge(test, &service.name))
        }
    });
    if let Some(computed) = computed {
        findings.unreadable = keep(&computed, memory, &look.path);
        memory.computed = Some(computed);
    }
    match &seen.text {
        Some(Ok(text)) => {
            memory.position = Some(text.position);
            let is_match = |(_, verdict): &(usize, Verdict)| matches!(verdict, Verdict::Known(EventState::Changed, text) if text.starts_with(MATCH));
            memory.matched = Some(findings.rules.iter().any(is_match));
        }
        Some(Err(why)) => findings.unreadable = Some(format!("cannot read the content of {}: {why}", look.path)),
        None => {}
    }
    findings
}

/// What checksums that have been computed say of the rules about them; `None` when that was said in the last look already,
/// and when there are none, because the file went away meanwhile.
pub fn judge_checksums(service: &Service, seen: &Checksums, memory: &mut Memory) -> Option<Findings> {
    if seen.sums.is_empty() {
        return None;
    }
    let facts = seen.facts.or(memory.last.map(|last| last.facts));
    let before = memory.computed.replace(Checksums { facts, ..seen.clone() });
    let is_old = before.is_some_and(|before| {
        before.sums == seen.sums && before.facts.zip(facts).is_some_and(|(before, facts)| before.is_unchanged(&facts))
    });
    if is_old {
        return None;
    }
    let mut findings = Findings::of(service, true, |rule| checksum(&rule.test, seen, memory));
    findings.unreadable = keep(seen, memory, &path(service));
    Some(findings)
}

/// The kinds of checksums that rules ask for and that have to be computed, because the file has changed, or because that
/// failed or came too close to a change the last time.
pub fn checksums_wanted(service: &Service, memory: &Memory) -> Vec<Hash> {
    let Some(Baseline { facts, .. }) = memory.last.filter(|last| last.facts.kind == file::Kind::Regular) else {
        return Vec::new();
    };
    let mut wanted = Vec::new();
    for rule in &service.rules {
        let kind = match &rule.test {
            Test::Checksum { kind, .. } => *kind,
            Test::Changed(Attribute::Checksum(kind)) => kind.unwrap_or(Hash::Md5),
            _ => continue,
        };
        if !wanted.contains(&kind) {
            wanted.push(kind);
        }
    }
    let is_known = |computed: &Checksums| {
        let has = |kind: &Hash| computed.sums.iter().any(|(known, sum)| known == kind && sum.is_ok());
        computed.is_settled && computed.facts.is_some_and(|read| read.is_unchanged(&facts)) && wanted.iter().all(has)
    };
    if memory.computed.as_ref().is_some_and(is_known) { Vec::new() } else { wanted }
}

/// What the text of a content event begins with.
const MATCH: &str = "content match:";

/// Remembers checksums; returned is why one could not be computed.
fn keep(computed: &Checksums, memory: &mut Memory, path: &str) -> Option<String> {
    let mut unreadable = None;
    for (kind, sum) in &computed.sums {
        match sum {
            Ok(sum) => {
                memory.checksums.retain(|(known, _)| known != kind);
                memory.checksums.push((*kind, sum.clone()));
                if !memory.expected.iter().any(|(known, _)| known == kind) {
                    memory.expected.push((*kind, sum.clone()));
                }
            }
            Err(why) => unreadable = Some(format!("cannot compute checksum for {path}: {why}")),
        }
    }
    unreadable
}

/// What a rule about a checksum says; `None` for another rule, and where there is no checksum.
fn checksum(test: &Test, computed: &Checksums, memory: &Memory) -> Option<Verdict> {
    let of =
        |list: &[(Hash, String)], kind: Hash| list.iter().find(|(known, _)| *known == kind).map(|(_, sum)| sum.clone());
    let sum = |kind: Hash| computed.sums.iter().find(|(known, _)| *known == kind)?.1.as_deref().ok();
    match test {
        Test::Checksum { kind, expected } => {
            let sum = sum(*kind)?;
            let expected = expected.clone().or_else(|| of(&memory.expected, *kind));
            Some(match expected {
                Some(expected) if !sum.eq_ignore_ascii_case(&expected) => {
                    Verdict::failed(format!("checksum failed, expected {expected} got {sum}"))
                }
                _ => Verdict::passed("checksum is valid"),
            })
        }
        Test::Changed(Attribute::Checksum(kind)) => {
            let kind = kind.unwrap_or(Hash::Md5);
            let sum = sum(kind)?;
            Some(match of(&memory.checksums, kind) {
                None => Verdict::Later,
                Some(before) if before == sum => Verdict::unchanged("checksum has not changed"),
                Some(_) => Verdict::changed(format!("checksum changed to {sum}")),
            })
        }
        _ => None,
    }
}

fn existence(test: &Test, exists: bool, text: &str) -> Option<Verdict> {
    match test {
        Test::NotExist => Some(Verdict::of(!exists, text)),
        Test::Exist => Some(Verdict::of(exists, text)),
        _ => None,
    }
}

fn path(service: &Service) -> String {
    match &service.kind {
        Kind::File(path) | Kind::Fifo(path) | Kind::Directory(path) => path.display().to_string(),
        _ => service.name.clone(),
    }
}

fn is_of(kind: ServiceType, is: file::Kind) -> bool {
    match kind {
        ServiceType::File => matches!(is, file::Kind::Regular | file::Kind::Socket),
        ServiceType::Fifo => is == file::Kind::Fifo,
        ServiceType::Directory => is == file::Kind::Directory,
        _ => false,
    }
}

fn right_type(is: file::Kind) -> &'static str {
    match is {
        file::Kind::Fifo => "is fifo",
        file::Kind::Directory => "is directory",
        file::Kind::Socket => "is a regular socket",
        file::Kind::Regular | file::Kind::Other(_) => "is a regular file",
    }
}

fn wrong_type(kind: ServiceType) -> &'static str {
    match kind {
        ServiceType::Fifo => "is not fifo",
        ServiceType::Directory => "is not directory",
        _ => "is neither a regular file nor a socket",
    }
}

/// One look at a path that is there.
struct At<'s> {
    path: String,
    facts: FileFacts,
    local: Option<LocalTimes>,
    before: Option<Baseline>,
    seen: &'s PathObservation,
}

impl At<'_> {
    fn judge(&self, test: &Test, name: &str) -> Option<Verdict> {
        let facts = &self.facts;
        let before = self.before.map(|before| before.facts);
        Some(match test {
            Test::Permission(expected) => limit::permission(facts.mode, *expected, &self.path),
            Test::Uid(user) => limit::owner("uid", Some(facts.uid), user.uid, name),
            Test::Gid(group) => limit::owner("gid", Some(facts.gid), group.gid, name),
            Test::Measured { measure: Measure::Age(which), limit } => self.age(*which, limit),
            Test::Measured { measure: Measure::Size, limit } => {
                let size = format::size(facts.size_bytes as f64);
                match limit::exceeds(facts.size_bytes as f64, limit) {
                    true => Verdict::failed(format!("size test failed for {} -- current size is {size}", self.path)),
                    false => Verdict::passed(format!("size check succeeded [current size = {size}]")),
                }
            }
            Test::Measured { measure: Measure::Hardlink, limit } => {
                amount(Some(facts.links as f64), limit, Show::Count, "hardlink")
            }
            Test::Changed(Attribute::Permission) => {
                limit::permission_changed(facts.mode, before.map(|before| before.mode), &self.path)
            }
            Test::Changed(Attribute::Size) => {
                let size = format::size(facts.size_bytes as f64);
                match before.map(|before| before.size_bytes) {
                    None => Verdict::Later,
                    Some(before) if before == facts.size_bytes => {
                        Verdict::unchanged(format!("size has not changed [current size = {size}]"))
                    }
                    Some(_) => Verdict::changed(format!("size for {} changed to {size}", self.path)),
                }
            }
            // Without a name nothing can be looked at: 0 is of Monit's state file, which does not tell.
            Test::Changed(Attribute::Hardlink) => match before.map(|before| before.links).filter(|links| *links > 0) {
                None => Verdict::Later,
                Some(before) if before == facts.links => Verdict::unchanged("hardlink has not changed"),
                Some(before) => {
                    Verdict::changed(format!("hardlink for {} changed from {before} to {}", self.path, facts.links))
                }
            },
            Test::Changed(Attribute::Time(which)) => self.time_changed(*which),
            _ => return None,
        })
    }

    fn age(&self, which: Timestamp, limit: &Limit) -> Verdict {
        let word = time_word(which);
        let millis = self.seen.at.since_epoch().saturating_sub(time(which, &self.facts).since_epoch()).as_secs() * 1000;
        // Without a unit the limit counts seconds.
        let age = if limit.unit == Unit::One { millis / 1000 } else { millis };
        let date = date(which, &self.facts, self.local);
        let path = &self.path;
        match limit::exceeds(age as f64, limit) {
            true => Verdict::failed(format!("{word} for {path} failed -- current {word} is {date}")),
            false => Verdict::passed(format!("{word} test succeeded for {path} [current {word} is {date}]")),
        }
    }

    fn time_changed(&self, which: Timestamp) -> Verdict {
        let (word, path) = (time_word(which), &self.path);
        match self.before {
            None => Verdict::Later,
            Some(before) if is_same_time(time(which, &before.facts), time(which, &self.facts)) => {
                Verdict::unchanged(format!("{word} was not changed for {path}"))
            }
            Some(before) => {
                let (from, to) = (date(which, &before.facts, before.local), date(which, &self.facts, self.local));
                Verdict::changed(format!("{word} for {path} changed from {from} to {to}"))
            }
        }
    }

    fn content(&self, content: &Content, service: &Service) -> Option<Verdict> {
        let text: &NewText = self.seen.text.as_ref()?.as_ref().ok()?;
        let mut told = String::new();
        let mut found = false;
        for line in text.lines() {
            if service.ignore.iter().any(|ignore| is_matched(ignore, line)) || !is_matched(content, line) {
                continue;
            }
            found = true;
            if told.len() >= TOLD_MAX {
                told.push_str("...\n");
                break;
            }
            told.push_str(&String::from_utf8_lossy(line));
            told.push('\n');
        }
        Some(match found {
            true => Verdict::changed(format!("{MATCH}\n{told}")),
            false => Verdict::unchanged("content doesn't match"),
        })
    }
}

/// Whether a line is what the rule is about.
fn is_matched(content: &Content, line: &[u8]) -> bool {
    let matches = match &content.patterns {
        Patterns::One(pattern) => pattern.regex.is_match(line),
        Patterns::File(_, patterns) => patterns.iter().any(|pattern| pattern.regex.is_match(line)),
    };
    matches != content.differs
}

/// Monit's state file, and some filesystems, know whole seconds only.
fn is_same_time(one: Wall, other: Wall) -> bool {
    let is_whole = |time: Wall| time.since_epoch().subsec_nanos() == 0;
    one == other || (is_whole(one) || is_whole(other)) && one.secs() == other.secs()
}

fn time(which: Timestamp, facts: &FileFacts) -> Wall {
    match which {
        Timestamp::Newest => facts.newest(),
        Timestamp::Access => facts.accessed,
        Timestamp::Change => facts.changed,
        Timestamp::Modification => facts.modified,
    }
}

fn date(which: Timestamp, facts: &FileFacts, local: Option<LocalTimes>) -> String {
    let local = local.map(|local| match which {
        Timestamp::Access => local.accessed,
        Timestamp::Change => local.changed,
        Timestamp::Modification => local.modified,
        Timestamp::Newest if facts.changed > facts.modified => local.changed,
        Timestamp::Newest => local.modified,
    });
    local.map_or("an earlier time".to_owned(), |time| time.rfc_date())
}

fn time_word(which: Timestamp) -> &'static str {
    match which {
        Timestamp::Newest => "modify/change time",
        Timestamp::Access => "access time",
        Timestamp::Change => "change time",
        Timestamp::Modification => "modify time",
    }
}
