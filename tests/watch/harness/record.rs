//! What the programs of a sandbox wrote down about themselves: which ran, in which order, and whether side by side.

use std::fs;

use super::{Sandbox, until};

/// One line of `run/record`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Whether a run began, or ended.
    pub begins: bool,
    /// The service.
    pub name: String,
    /// `start`, `stop`, `restart`.
    pub verb: String,
    /// The process that ran.
    pub pid: u32,
}

impl Sandbox {
    /// Everything the services' programs did.
    pub fn record(&self) -> Vec<Entry> {
        let text = fs::read_to_string(self.path("run/record")).unwrap_or_default();
        let entry = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            let [state, name, verb, pid] = words.as_slice() else { panic!("torn record: {line}") };
            let pid = pid.parse().expect("number");
            Entry { begins: *state == "begin", name: (*name).to_owned(), verb: (*verb).to_owned(), pid }
        };
        // The last line may be under way.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(entry).collect()
    }

    /// How many programs of that verb began for the service.
    pub fn begun(&self, name: &str, verb: &str) -> usize {
        self.record().iter().filter(|e| e.begins && e.name == name && e.verb == verb).count()
    }

    /// How many of them have ended.
    pub fn done(&self, name: &str, verb: &str) -> usize {
        self.record().iter().filter(|e| !e.begins && e.name == name && e.verb == verb).count()
    }

    /// Waits until so many of them have begun, and returns the last one's process.
    pub fn await_begun(&self, name: &str, verb: &str, count: usize) -> u32 {
        until(&format!("{count} x {verb} of {name}"), || (self.begun(name, verb) >= count).then_some(()));
        let record = self.record();
        record.iter().rev().find(|e| e.begins && e.name == name && e.verb == verb).expect("one").pid
    }

    /// The most programs that ran at once, of one service or of all.
    pub fn most_at_once(&self, name: Option<&str>) -> usize {
        let (mut now, mut most) = (0usize, 0);
        for entry in self.record().iter().filter(|e| name.is_none_or(|name| e.name == name)) {
            now = if entry.begins { now + 1 } else { now - 1 };
            most = most.max(now);
        }
        most
    }
}
