//! The state file: what must survive the daemon. Text, one record a line, closed by a line that says it is whole; replaced
//! by rename, so that kill -9 at any instruction leaves the old one or the new one.

mod format;
mod original;
mod store;

pub use format::State;
pub use original::Original;
pub use store::{Read, Store};
