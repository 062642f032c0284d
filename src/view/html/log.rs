//! The end of the log.

use crate::base::escape::html;

use super::{LOG_PATH, Visitor, page};

/// What there is to show of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Log {
    /// The end of a file.
    File {
        /// Its path.
        path: String,
        /// Its last lines.
        text: String,
        /// There is more before them.
        cut: bool,
    },
    /// It goes elsewhere, or cannot be read; the sentence says so.
    Elsewhere(String),
}

/// The page, latest line first.
pub fn log(log: &Log, visitor: Visitor<'_>) -> String {
    let mut body = String::from("<h1>Log</h1>\n");
    match log {
        Log::Elsewhere(sentence) => body.push_str(&format!("<p>{}</p>\n", html(sentence))),
        Log::File { path, text, .. } if text.is_empty() => {
            body.push_str(&format!("<p class=\"soft\">{} is empty</p>\n", html(path)));
        }
        Log::File { path, text, cut } => {
            let more = if *cut { "; what is older is in the file" } else { "" };
            body.push_str(&format!("<p class=\"soft\">{}, latest first{more}</p>\n<pre class=\"log\">", html(path)));
            for line in text.lines().rev() {
                // `[2026-11-22T19:38:03+0000] error    : text`
                let level = line.split("] ").nth(1).and_then(|rest| rest.split(' ').next());
                let class = match level {
                    Some("error") => " class=\"failed\"",
                    Some("warning") => " class=\"changed\"",
                    _ => "",
                };
                body.push_str(&format!("<span{class}>{}\n</span>", html(line)));
            }
            body.push_str("</pre>\n");
        }
    }
    page("Log", LOG_PATH, None, &body, visitor)
}
