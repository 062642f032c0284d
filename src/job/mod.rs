//! Programs the daemon runs: with a journal, a deadline, an output file, and rules about who may be killed.
//!
//! A start (or restart) program is never killed: past its deadline it is reported and left alone, because the daemon it
//! started may be in its own process group. Stop and exec programs past their deadline get TERM, and five seconds later
//! KILL, to their group, before the leader is reaped (until then its number cannot be reused).

mod environment;
mod output;
mod pipe;
mod table;

pub use environment::{Occasion, Target, environment};
pub use output::{OUTPUT_LIMIT, OutputDir};
pub use table::{Ended, Entry as JournalEntry, Jobs, News, Order, Sink};
