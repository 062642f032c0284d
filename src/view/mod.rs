//! What people and programs read. Everything here is written from one [`status::Status`] alone. Pure.
#![forbid(unsafe_code)]

pub mod connection;
pub mod html;
mod paths;
pub mod plugin;
pub mod procmatch;
pub mod readings;
pub mod select;
pub mod status;
mod table;
pub mod text;
mod words;
pub mod xml;

/// The version of the original whose interfaces these texts follow.
pub const COMPATIBLE_WITH: &str = "5.35.2";

/// Under which name a text is written: readers of the original look for `Monit` at its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Product {
    /// `Monit` and the version we are compatible with; nothing that the original would not say.
    #[default]
    Monit,
    /// `pollux` and our own version; also tells what troubles the daemon and why the last action of a service failed.
    Pollux,
}

impl Product {
    /// The name alone.
    pub const fn name(self) -> &'static str {
        match self {
            Product::Monit => "Monit",
            Product::Pollux => "pollux",
        }
    }

    /// Name and version, such as `Monit 5.35.2`.
    pub fn title(self) -> String {
        let version = match self {
            Product::Monit => COMPATIBLE_WITH,
            Product::Pollux => env!("CARGO_PKG_VERSION"),
        };
        format!("{} {version}", self.name())
    }
}

/// How a text may be decorated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Tables have lines of UTF-8 box characters.
    pub boxes: bool,
    /// ANSI colours (ECMA-48 SGR).
    pub colour: bool,
}

impl Style {
    /// Neither lines nor colours: for programs and `-B`.
    pub const PLAIN: Style = Style { boxes: false, colour: false };
    /// Both: for terminals, and what the original answers over HTTP.
    pub const FULL: Style = Style { boxes: true, colour: true };
}
