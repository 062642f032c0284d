//! How the command line asks the daemon: one blocking request over the private socket.

use std::fmt;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use crate::action::Command;
use crate::sys::posix::net;
use crate::view::select::Selection;
use crate::view::text::ReportPart;
use crate::view::{Product, Style};

use super::form;
use super::head::HEADERS_MAX;
use super::route::{DaemonVerb, Method, Text};

/// Longest answer we read, in bytes: a picture of some hundred thousand services.
const ANSWER_MAX: u64 = 64 * 1024 * 1024;

/// What the daemon says of an action that is over and has brought about what was wished.
pub const DONE: &str = "done\n";

/// What the daemon said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code; 200 when it did what was asked.
    pub code: u16,
    /// The text asked for, or the message that tells why not.
    pub body: String,
}

impl Answer {
    /// Whether the daemon did what was asked.
    pub fn is_success(&self) -> bool {
        self.code < 400
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Error {
    /// No daemon listens at the socket.
    NotRunning,
    /// The daemon did not answer in time: it is stopped, or the machine is overloaded.
    TimedOut,
    /// The socket cannot be used; permission denied for users who do not own the daemon.
    Io(io::Error),
    /// Something answered that is not our daemon.
    Malformed,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotRunning => f.write_str("the daemon is not running"),
            Error::TimedOut => f.write_str("the daemon does not answer"),
            Error::Io(error) => write!(f, "cannot talk to the daemon: {error}"),
            Error::Malformed => f.write_str("the daemon's answer is not understood"),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Error::NotRunning,
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Error::TimedOut,
            _ => Error::Io(error),
        }
    }
}

/// A question to the daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    method: Method,
    target: &'static str,
    body: String,
}

impl Question {
    /// The text of `status`.
    pub fn status(text: &Text) -> Question {
        Question::post("/_status", text_query(text))
    }

    /// The text of `summary`.
    pub fn summary(text: &Text) -> Question {
        Question::post("/_summary", text_query(text))
    }

    /// The text of `report`.
    pub fn report(selection: &Selection, part: Option<ReportPart>) -> Question {
        let mut query = selection_query(selection);
        if let Some(part) = part {
            query.push(("type", part.word().to_owned()));
        }
        Question::post("/_report", query)
    }

    /// The line of `check`, in the form of [`crate::view::plugin::Line::unpack`].
    pub fn check(selection: &Selection) -> Question {
        Question::post("/_check", selection_query(selection))
    }

    /// A sign of life.
    pub fn ping() -> Question {
        Question { method: Method::Get, target: "/_ping", body: String::new() }
    }

    /// How late the daemon's loop is.
    pub fn lag() -> Question {
        Question { method: Method::Get, target: "/_lag", body: String::new() }
    }

    /// An action on services.
    pub fn action(verb: Command, targets: &Selection) -> Question {
        Question::post("/_doaction", action_query(verb, targets))
    }

    /// The end of the watching of services for that long, in whole seconds.
    pub fn unmonitor_for(targets: &Selection, time: Duration) -> Question {
        let mut body = action_query(Command::Unmonitor, targets);
        body.push(("for", time.as_secs().to_string()));
        Question::post("/_doaction", body)
    }

    /// How an action is getting on: the answer is [`DONE`], a list of what is still to be done, or a refusal that tells what
    /// has failed.
    pub fn progress(verb: Command, targets: &Selection) -> Question {
        Question::post("/_progress", action_query(verb, targets))
    }

    /// An action on the daemon.
    pub fn daemon(verb: DaemonVerb) -> Question {
        Question::post("/_daemon", vec![("action", verb.word().to_owned())])
    }

    /// Even where we only look: a body has room for names that a request line has not.
    fn post(target: &'static str, pairs: Vec<(&str, String)>) -> Question {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={}", form::encode(value))).collect();
        Question { method: Method::Post, target, body: pairs.join("&") }
    }
}

fn action_query(verb: Command, targets: &Selection) -> Vec<(&'static str, String)> {
    let mut query = selection_query(targets);
    if *targets == Selection::All {
        query.push(("all", "1".to_owned()));
    }
    query.push(("action", verb.word().to_owned()));
    query
}

fn selection_query(selection: &Selection) -> Vec<(&'static str, String)> {
    match selection {
        Selection::All => Vec::new(),
        Selection::Named(names) => names.iter().map(|name| ("service", name.clone())).collect(),
        Selection::Group(group) => vec![("group", group.clone())],
    }
}

fn text_query(text: &Text) -> Vec<(&'static str, String)> {
    let mut query = selection_query(&text.selection);
    let product = match text.product {
        Product::Monit => "monit",
        Product::Pollux => "pollux",
    };
    let style = match text.style {
        Style { boxes: false, colour: false } => "plain",
        Style { boxes: true, colour: false } => "boxes",
        Style { boxes: false, colour: true } => "colour",
        Style { boxes: true, colour: true } => "full",
    };
    query.push(("product", product.to_owned()));
    query.push(("style", style.to_owned()));
    query
}

/// Asks the daemon whose private socket is `socket`. Connecting and each step of the dialogue take at most `patience`.
///
/// # Errors
/// There is no answer; a refusal is an answer.
pub fn ask(socket: &Path, question: &Question, patience: Duration) -> Result<Answer, Error> {
    exchange(&mut net::connect_unix(socket, patience)?, question)
}

/// Sends the question over an open stream and reads the answer to its end.
///
/// # Errors
/// Those of the stream, or the answer is not HTTP, not complete or longer than 64 MiB.
pub fn exchange(stream: &mut (impl Read + Write), question: &Question) -> Result<Answer, Error> {
    let method = match question.method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
    };
    let Question { target, body, .. } = question;
    let length = body.len();
    let request = format!(
        "{method} {target} HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    // The daemon may answer and close before it has read a question that is too long.
    let written = stream.write_all(request.as_bytes());
    let mut bytes = Vec::new();
    stream.take(ANSWER_MAX).read_to_end(&mut bytes)?;
    if bytes.is_empty() {
        written?;
    }
    parse(&bytes).ok_or(Error::Malformed)
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(start) = response.parse(bytes).ok()? else { return None };
    let length = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"))?;
    let length: usize = std::str::from_utf8(length.value).ok()?.parse().ok()?;
    let body = bytes.get(start..)?.get(..length)?;
    Some(Answer { code: response.code?, body: String::from_utf8_lossy(body).into_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::route::{Origin, Route, route};

    fn understood(question: &Question) -> Route {
        route(question.method, question.target.as_bytes(), question.body.as_bytes(), &Origin::Private).unwrap()
    }

    #[test]
    fn the_daemon_understands_each_question() {
        let names = Selection::Named(vec!["a b&c=\u{e9}".into(), "d/?#".into()]);
        for selection in [Selection::All, names, Selection::Group("g h".into())] {
            for style in
                [Style::PLAIN, Style::FULL, Style { boxes: true, colour: false }, Style { boxes: false, colour: true }]
            {
                for product in [Product::Monit, Product::Pollux] {
                    let text = Text { selection: selection.clone(), product, style };
                    assert_eq!(understood(&Question::status(&text)), Route::Status(text.clone()));
                    assert_eq!(understood(&Question::summary(&text)), Route::Summary(text));
                }
            }
            assert_eq!(understood(&Question::check(&selection)), Route::Check(selection.clone()));
            for part in [None, Some(ReportPart::Initialising), Some(ReportPart::Total)] {
                let expected = Route::Report { selection: selection.clone(), part };
                assert_eq!(understood(&Question::report(&selection, part)), expected);
            }
            let expected = Route::Action { verb: Command::Restart, targets: selection.clone(), time: None, then: None };
            assert_eq!(understood(&Question::action(Command::Restart, &selection)), expected);
            let expected = Route::Progress { verb: Command::Stop, targets: selection.clone() };
            assert_eq!(understood(&Question::progress(Command::Stop, &selection)), expected);
            let (verb, time) = (Command::Unmonitor, Duration::from_secs(7200));
            let expected = Route::Action { verb, targets: selection.clone(), time: Some(time), then: None };
            assert_eq!(understood(&Question::unmonitor_for(&selection, time)), expected);
        }
        assert_eq!(understood(&Question::daemon(DaemonVerb::Reload)), Route::Daemon(DaemonVerb::Reload));
        assert_eq!(understood(&Question::ping()), Route::Ping);
    }

    #[test]
    fn a_torn_answer_is_no_answer() {
        let whole = b"HTTP/1.0 400 Bad Request\r\nContent-Length: 4\r\n\r\nnope";
        assert_eq!(parse(whole), Some(Answer { code: 400, body: "nope".into() }));
        for end in 0..whole.len() {
            assert_eq!(parse(&whole[..end]), None, "{end}");
        }
        assert_eq!(parse(b"SSH-2.0-x\r\n"), None);
    }
}
