//! Leaving the terminal.

use std::fs::File;
use std::io::{self, Read, Write};

use super::errno::cerr;
use super::signal;

/// Which side of the fork returns.
#[derive(Debug)]
pub enum Side {
    /// The process the user started; [`Starter::wait`] tells how the daemon fared.
    Starter(Starter),
    /// The daemon, in its own session without a terminal.
    Daemon(Daemon),
}

/// The user's side.
#[derive(Debug)]
pub struct Starter {
    news: File,
}

impl Starter {
    /// Waits for the daemon's word.
    ///
    /// # Errors
    /// The text the daemon failed with, or that it died without a word.
    pub fn wait(mut self) -> Result<(), String> {
        let mut text = String::new();
        let _ = self.news.read_to_string(&mut text);
        match text.strip_prefix("ok") {
            Some(_) => Ok(()),
            None if text.is_empty() => Err("the daemon died while it started; see its log".to_owned()),
            None => Err(text),
        }
    }
}

/// The daemon's side.
#[derive(Debug)]
pub struct Daemon {
    news: File,
}

impl Daemon {
    /// Tells the starter that all is well.
    pub fn ready(mut self) {
        let _ = self.news.write_all(b"ok");
    }

    /// Tells the starter why not.
    pub fn failed(mut self, why: &str) {
        let _ = self.news.write_all(why.as_bytes());
    }
}

/// Forks twice (so that the daemon leads no session and can never acquire a terminal) and moves to `/`. Standard
/// descriptors stay as they are until [`super::fd::detach_standard`].
///
/// # Errors
/// No process or descriptor left.
pub fn detach() -> io::Result<Side> {
    let (read, write) = signal::pipe()?;
    // SAFETY: one thread; the child goes on as an ordinary copy of this program.
    if cerr(unsafe { libc::fork() })? > 0 {
        drop(write);
        // The handlers write into a pipe that is the daemon's too: Ctrl-C here must not end the daemon.
        signal::reset_in_child();
        return Ok(Side::Starter(Starter { news: read.into() }));
    }
    drop(read);
    // SAFETY: plain system calls; `_exit` of the process in the middle runs no destructors, which are the daemon's now.
    unsafe {
        cerr(libc::setsid())?;
        if cerr(libc::fork())? > 0 {
            libc::_exit(0);
        }
    }
    std::env::set_current_dir("/")?;
    Ok(Side::Daemon(Daemon { news: write.into() }))
}
