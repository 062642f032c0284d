//! The port: what it lists is what there is, and every verb of its rc.d script does what it says.

// a test may fail loudly; clippy's exception covers test functions only, not what they share
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, clippy::print_stderr)]

#[path = "port/dialogue.rs"]
mod dialogue;
#[path = "port/files.rs"]
mod files;
#[path = "port/lists.rs"]
mod lists;
#[path = "port/periodic.rs"]
mod periodic;
#[path = "port/rc.rs"]
mod rc;
#[path = "port/room.rs"]
mod room;
