//! The command line: what is asked, and everything that is answered without being the daemon.

pub mod ask;
pub mod load;
pub mod local;
pub mod options;
pub mod output;
pub mod paths;
mod wait;

/// The name and manners the program was called with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalledAs {
    /// Under its own name: exit codes tell the truth.
    Pollux,
    /// As `monit`: exit codes are the original's.
    Monit,
}

impl CalledAs {
    /// By the last component of `argv[0]`.
    pub fn new(argv0: &str) -> CalledAs {
        match argv0.rsplit('/').next() {
            Some("monit") => CalledAs::Monit,
            _ => CalledAs::Pollux,
        }
    }

    /// The program's name in messages, and its identity for syslog.
    pub fn name(self) -> &'static str {
        match self {
            CalledAs::Pollux => "pollux",
            CalledAs::Monit => "monit",
        }
    }
}
