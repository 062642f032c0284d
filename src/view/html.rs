//! Pages that a phone can show, without script and without anything fetched from elsewhere.

mod log;
mod overview;
mod runtime;
mod service;
#[cfg(test)]
mod tests;

use crate::base::escape::{self, html};
use crate::base::format;

use super::status::{ServiceStatus, Status};
use super::words::{self, Condition};

pub use log::{Log, log};
pub use overview::overview;
pub use runtime::{about, runtime};
pub use service::service;

/// Where pages find their style sheet.
pub const STYLESHEET_PATH: &str = "/_style.css";

/// Where browsers look for an icon.
pub const ICON_PATH: &str = "/favicon.ico";

/// What a browser may load for an answer of ours: our own style sheet and icon, and nothing else.
pub const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'";

/// Who looks at a page.
#[derive(Clone, Copy, Debug)]
pub struct Visitor<'a> {
    /// The name of the server, for the footer.
    pub signature: &'a str,
    /// The token with which their requests may act; `None`: they may only look, and see no buttons.
    pub token: Option<&'a str>,
}

/// The parameter of that token.
pub const TOKEN_NAME: &str = "securitytoken";

/// The icon (SVG 1.1).
pub const ICON: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 16\"><circle cx=\"8\" cy=\"8\" \
    r=\"7\" fill=\"#1a7f37\"/><path d=\"M4 8.5l3 3 5-6\" fill=\"none\" stroke=\"#fff\" stroke-width=\"2\"/></svg>";

/// The style sheet.
pub const STYLESHEET: &str = "\
:root{color-scheme:light dark;--text:#1d2329;--soft:#5b6670;--back:#fff;--line:#d9dee3;--ok:#1a7f37;--bad:#b3261e;
--note:#7a5200;--wait:#0b57a8;--alarm:#fdeceb;--link:#0b57a8}
@media (prefers-color-scheme:dark){:root{--text:#e3e7eb;--soft:#98a3ae;--back:#14181c;--line:#323a42;--ok:#57c97a;
--bad:#ff8f86;--note:#e0b04d;--wait:#7db7f5;--alarm:#3a1d1b;--link:#7db7f5}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:62rem;background:var(--back);color:var(--text);
font:1rem/1.45 system-ui,sans-serif;-webkit-text-size-adjust:100%}
a{color:var(--link)}
nav{display:flex;gap:1.2rem;margin-bottom:.8rem}
nav a{padding:.3rem 0}
h1{font-size:1.4rem;margin:.2rem 0;overflow-wrap:anywhere}
h2{font-size:1.05rem;margin:1.6rem 0 .3rem}
p{margin:.3rem 0}
.soft,footer{color:var(--soft)}
footer{margin-top:1.5rem;font-size:.9rem}
.troubles{background:var(--alarm);border-left:.3rem solid var(--bad);margin:1rem 0;padding:.6rem 1rem .6rem 1.8rem}
table{border-collapse:collapse;width:100%;margin:.6rem 0}
th,td{text-align:left;padding:.45rem .6rem;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
th{color:var(--soft);font-weight:600}
tbody th{font-weight:400;width:34%;overflow-wrap:normal}
.ok{color:var(--ok)}.failed{color:var(--bad);font-weight:600}.changed,.unmonitored{color:var(--note)}
.initializing{color:var(--wait)}
.mark{display:inline-block;width:1.3em}
.kind{color:var(--soft);font-size:.85rem;display:block}
.time{white-space:nowrap;color:var(--soft);width:1%}
form{display:flex;flex-wrap:wrap;gap:.6rem;margin:1rem 0}
button{font:inherit;color:var(--link);background:var(--back);border:1px solid var(--link);border-radius:.3rem;
padding:.45rem 1rem;min-height:2.75rem;cursor:pointer}
button:hover,button:focus-visible{background:var(--link);color:var(--back)}
pre{margin:0;white-space:pre-wrap;overflow-wrap:anywhere;font:.85rem/1.4 ui-monospace,monospace;color:var(--text)}
.log span{display:block;padding:.15rem 0;border-bottom:1px solid var(--line)}.log .failed{font-weight:400}
@media (max-width:40rem){.overview thead{display:none}
.overview tr{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);border-bottom:1px solid var(--line);padding:.35rem 0}
.overview td{border:0;padding:.1rem .2rem}.overview .now{grid-column:1/3;color:var(--soft);font-size:.9rem}
.overview .now:empty{display:none}
.events tr{display:block;padding:.35rem 0;border-bottom:1px solid var(--line)}.events td{display:block;border:0;padding:.1rem .2rem;width:auto}
th,td{padding:.4rem .2rem}}
";

impl Condition {
    fn class(self) -> &'static str {
        match self {
            Condition::Failed => "failed",
            Condition::Changed => "changed",
            Condition::Initializing => "initializing",
            Condition::NotMonitored => "unmonitored",
            Condition::Ok => "ok",
        }
    }

    /// A sign for those who do not see colours.
    fn mark(self) -> &'static str {
        match self {
            Condition::Failed => "\u{2715}",
            Condition::Changed => "\u{25b2}",
            Condition::Initializing => "\u{2026}",
            Condition::NotMonitored => "\u{25cb}",
            Condition::Ok => "\u{2713}",
        }
    }
}

/// A page with `body`. `refresh` is after how many seconds the browser asks for it again.
fn page(title: &str, refresh: Option<u64>, body: &str, signature: &str) -> String {
    let refresh = refresh.map(|seconds| format!("<meta http-equiv=\"refresh\" content=\"{seconds}\">"));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">{}<title>{}</title>\
         <link rel=\"icon\" type=\"image/svg+xml\" href=\"{ICON_PATH}\"><link rel=\"stylesheet\" href=\"{STYLESHEET_PATH}\">\
         </head>\n<body>\n<nav><a href=\"/\">Overview</a><a href=\"/_runtime\">Daemon</a><a href=\"/_viewlog\">Log</a></nav>\n\
         {body}<footer><a href=\"/_about\">{}</a></footer>\n</body></html>\n",
        refresh.unwrap_or_default(),
        html(title),
        html(signature)
    )
}

/// How often pages that show the state are asked for again, in seconds.
fn refresh(status: &Status) -> Option<u64> {
    Some(status.interval.as_secs().clamp(5, 3600))
}

/// How a service stands, with everything that is under way.
fn standing(service: &ServiceStatus) -> String {
    let condition = Condition::of(service);
    let mut text = words::status(service) + &words::pending(service);
    if let Some(time) = service.absent_until {
        text.push_str(&format!(" until {}", time.rfc_date()));
    }
    if let Some(wait) = service.next_start {
        text.push_str(&format!(" - next start in {}", format::wait(wait)));
    }
    mark(condition.class(), condition.mark(), &text)
}

/// A word with its colour, and a sign for those who do not see it.
fn mark(class: &str, sign: &str, text: &str) -> String {
    format!("<span class=\"{class}\"><span class=\"mark\" aria-hidden=\"true\">{sign}</span>{}</span>", html(text))
}

/// Rows of label and text; several lines keep their form. Nothing for no rows.
fn rows<'a>(rows: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut out = String::new();
    for (label, text) in rows {
        let text = if text.contains('\n') { format!("<pre>{}</pre>", html(&text)) } else { html(&text) };
        out.push_str(&format!("<tr><th scope=\"row\">{}</th><td>{text}</td></tr>\n", html(&capital(label))));
    }
    if out.is_empty() { out } else { format!("<table><tbody>\n{out}</tbody></table>\n") }
}

/// With a capital at the beginning.
fn capital(label: &str) -> String {
    let mut rest = label.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// Buttons that ask `path` for actions, each a word and what stands on the button; nothing for who may only look.
fn buttons(path: &str, actions: &[(&str, &str)], visitor: Visitor<'_>) -> String {
    let Some(token) = visitor.token.filter(|_| !actions.is_empty()) else { return String::new() };
    let buttons = actions
        .iter()
        .map(|(word, title)| format!("<button name=\"action\" value=\"{}\">{}</button>\n", html(word), html(title)));
    format!(
        "<form method=\"post\" action=\"{}\"><input type=\"hidden\" name=\"{TOKEN_NAME}\" value=\"{}\">\n{}</form>\n",
        html(path),
        html(token),
        buttons.collect::<String>()
    )
}

/// The address of a service's page.
fn address(name: &str) -> String {
    format!("/{}", escape::percent(name))
}

/// The page of an error, in the form from which programs cut the message: between `</h2>` and `<hr>`.
pub fn error(code: u16, reason: &str, message: &str, signature: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><title>{code} {reason}</title></head><body><h2>{reason}</h2>{}<hr>{}</body></html>\n",
        html(message),
        html(signature)
    )
}

/// What is read by whoever does not go on to `path` by themselves.
pub fn moved(path: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><title>Moved</title></head><body><a href=\"{0}\">Go on</a></body></html>\n",
        html(path)
    )
}
