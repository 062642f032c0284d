//! Vocabulary that every other layer may use: instants, process identities, event kinds, schedules, text formats.
//! Pure: nothing here reads a clock, a file or the system.

pub mod base64;
pub mod baselines;
pub mod cron;
pub mod digest;
pub mod ere;
pub mod escape;
pub mod event;
pub mod format;
pub mod lag;
pub mod logging;
pub mod process;
pub mod program;
pub mod schedule;
pub mod time;
