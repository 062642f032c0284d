//! Pages that a phone can show, without script and without anything fetched from elsewhere.

mod log;
mod overview;
mod runtime;
mod service;
#[cfg(test)]
mod tests;

use std::time::Duration;

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
:root{color-scheme:light dark;--text:#1d2329;--soft:#5b6670;--back:#fff;--line:#dde2e7;--ok:#1a7f37;--bad:#b3261e;
--note:#7a5200;--wait:#0b57a8;--alarm:#fdf0ef;--link:#0b57a8;--code:#f5f7f8}
@media (prefers-color-scheme:dark){:root{--text:#e3e7eb;--soft:#98a3ae;--back:#14181c;--line:#2c343b;--ok:#57c97a;
--bad:#ff8f86;--note:#e0b04d;--wait:#7db7f5;--alarm:#2b1a1a;--link:#7db7f5;--code:#1c2228}}
*{box-sizing:border-box}
body{margin:0 auto;padding:.6rem 1rem 2rem;max-width:70rem;background:var(--back);color:var(--text);
font:1rem/1.45 system-ui,sans-serif;-webkit-text-size-adjust:100%}
a{color:var(--link);text-underline-offset:.15em}
nav{display:flex;flex-wrap:wrap;gap:0 1.4rem;border-bottom:1px solid var(--line);margin-bottom:1rem}
nav a{padding:.6rem 0;min-height:2.75rem;text-decoration:none}
nav a:hover,.name a:hover{text-decoration:underline}
nav a[aria-current]{color:var(--text);font-weight:600;box-shadow:inset 0 -2px var(--link)}
h1{font-size:1.4rem;line-height:1.25;margin:.2rem 0;overflow-wrap:anywhere}
h2{font-size:1.05rem;margin:1.5rem 0 .2rem}
p{margin:.3rem 0;overflow-wrap:anywhere}
hr{border:0;border-top:1px solid var(--line);margin:1rem 0}
.soft,footer{color:var(--soft)}
.verdict{font-size:1.1rem;font-weight:600}
footer{margin-top:1.8rem;font-size:.9rem}
footer a{display:inline-block;min-height:1.5rem}
.troubles{background:var(--alarm);border-left:.25rem solid var(--bad);margin:1rem 0;padding:.6rem 1rem .6rem 1.8rem}
table{border-collapse:collapse;width:100%;margin:.4rem 0}
th,td{text-align:left;padding:.32rem .5rem;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
th{color:var(--soft);font-weight:600}
tbody th{font-weight:400;width:36%;overflow-wrap:break-word}
.ok{color:var(--ok)}.failed{color:var(--bad);font-weight:600}.changed,.unmonitored{color:var(--note)}
.initializing{color:var(--wait)}
.standing{display:inline-block;padding-left:1.4em;text-indent:-1.4em}
.mark{display:inline-block;width:1.1em;text-indent:0}
.alarm{background:var(--alarm)}
.name{width:27%}.name a{display:inline-block;min-height:1.5rem;text-decoration:none;font-weight:500}
.kind{color:var(--soft);white-space:nowrap;width:1%}
.state{width:24%}
.time{white-space:nowrap;color:var(--soft);width:1%}
.events td+td{font-variant-numeric:tabular-nums}
form{display:flex;flex-wrap:wrap;gap:.6rem;margin:1rem 0}
button{font:inherit;color:var(--link);background:var(--back);border:1px solid var(--link);border-radius:.3rem;
padding:.45rem 1rem;min-height:2.75rem;cursor:pointer}
button:hover,button:focus-visible{background:var(--link);color:var(--back)}
pre{margin:.4rem 0;white-space:pre-wrap;overflow-wrap:anywhere;font:.85rem/1.45 ui-monospace,monospace;color:var(--text)}
td pre{margin:0;max-height:12rem;overflow:auto}
.output{background:var(--code);padding:.6rem .8rem;border-radius:.3rem;max-height:24rem;overflow:auto}
.log span{display:block;padding:.12rem 0 .12rem 1.5rem;text-indent:-1.5rem}.log .failed{font-weight:400}
@media (min-width:60rem){body{font-size:.95rem}
.columns{display:grid;grid-template:auto 1fr/minmax(0,1fr) minmax(0,1fr);gap:0 2.5rem}
.readings{grid-area:1/2/3/3}.settings{grid-area:2/1}}
@media (max-width:40rem){th,td{padding:.4rem .2rem}tbody th{width:32%}
.overview thead{display:none}
.overview tr{display:grid;grid-template-columns:auto minmax(0,1fr) fit-content(60%);gap:0 .6rem;padding:.3rem .2rem;
border-bottom:1px solid var(--line)}
.overview td{border:0;padding:.1rem 0;width:auto}
.name{grid-area:1/1/2/3}.name a{padding:.2rem 0;min-height:1.9rem}.state{grid-area:1/3;padding-top:.3rem!important}
.kind{grid-area:2/1;font-size:.9rem}.now{grid-area:2/2/3/4;font-size:.9rem;color:var(--soft)}
.events tr{display:block;padding:.3rem 0;border-bottom:1px solid var(--line)}
.events td{display:block;border:0;padding:.1rem .2rem;width:auto}}
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

/// What all pages of ours begin with; `style` asks for the style sheet and the icon.
fn head(title: &str, refresh: Option<u64>, style: bool) -> String {
    let refresh = refresh.map(|seconds| format!("<meta http-equiv=\"refresh\" content=\"{seconds}\">\n"));
    let links = format!(
        "<link rel=\"icon\" type=\"image/svg+xml\" href=\"{ICON_PATH}\">\n<link rel=\"stylesheet\" href=\"{STYLESHEET_PATH}\">\n"
    );
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n{}<title>{}</title>\n{}</head>\n",
        refresh.unwrap_or_default(),
        html(title),
        if style { &links } else { "" },
    )
}

/// The pages that every page leads to, of which those who may only look cannot have the last.
const PLACES: [(&str, &str); 3] = [("/", "Overview"), ("/_runtime", "Daemon"), (LOG_PATH, "Log")];

/// Where the log is.
const LOG_PATH: &str = "/_viewlog";

/// The page at `path` with `body`. `refresh` is after how many seconds the browser asks for it again.
fn page(title: &str, path: &str, refresh: Option<u64>, body: &str, visitor: Visitor<'_>) -> String {
    let mut places = String::new();
    for (place, name) in PLACES.iter().filter(|(place, _)| visitor.token.is_some() || *place != LOG_PATH) {
        let here = if *place == path { " aria-current=\"page\"" } else { "" };
        places.push_str(&format!("<a href=\"{place}\"{here}>{name}</a>\n"));
    }
    format!(
        "{}<body>\n<nav>\n{places}</nav>\n<main>\n{body}</main>\n<footer><a href=\"/_about\">{}</a></footer>\n</body></html>\n",
        head(title, refresh, true),
        html(visitor.signature)
    )
}

/// How often a page that shows `services` is asked for again, in seconds: with each cycle, sooner while something is under
/// way, and before its buttons go stale.
fn refresh<'a>(status: &Status, services: impl IntoIterator<Item = &'a ServiceStatus>) -> Option<u64> {
    let is_under_way = services.into_iter().any(|service| service.pending.is_some());
    Some(if is_under_way { SOON } else { status.interval.as_secs().clamp(SOON, LATE) })
}

/// The shortest time after which a page is asked for again, in seconds.
const SOON: u64 = 5;
/// The longest: what the buttons need is forgotten by browsers after twice as long.
const LATE: u64 = 300;

/// A time between cycles, in the largest unit that needs no fraction.
fn interval(span: Duration) -> String {
    match span.as_secs() {
        seconds if seconds > 0 && seconds % 3600 == 0 => format!("{} h", seconds / 3600),
        seconds if seconds > 0 && seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
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
    // What is well and being stopped is not what people need not look at.
    let shown = match (condition, service.pending) {
        (Condition::Ok, Some(_)) => Condition::Initializing,
        (condition, _) => condition,
    };
    mark(shown.class(), shown.mark(), &text)
}

/// A word with its colour, and a sign for those who do not see it.
fn mark(class: &str, sign: &str, text: &str) -> String {
    format!(
        "<span class=\"standing {class}\"><span class=\"mark\" aria-hidden=\"true\">{sign}</span> {}</span>",
        html(text)
    )
}

/// A text; several lines keep their form.
fn message(text: &str) -> String {
    if text.contains('\n') { format!("<pre>{}</pre>", html(text)) } else { html(text) }
}

/// Rows of label and text. Nothing for no rows.
fn rows<'a>(rows: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut out = String::new();
    for (label, text) in rows {
        let text = message(&text);
        out.push_str(&format!("<tr><th scope=\"row\">{}</th><td>{text}</td></tr>\n", html(&capital(label))));
    }
    if out.is_empty() { out } else { format!("<table><tbody>\n{out}</tbody></table>\n") }
}

/// With a capital at the beginning, and abbreviations in capitals.
fn capital(label: &str) -> String {
    let word = |word: &str| match word {
        "pid" | "uid" | "gid" | "cpu" | "id" => word.to_uppercase(),
        word => word.to_owned(),
    };
    let label = label.split(' ').map(word).collect::<Vec<_>>().join(" ");
    let mut rest = label.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// Buttons that ask `path` for actions, each a word and what stands on the button; who may only look is told so.
fn buttons(path: &str, actions: &[(&str, &str)], visitor: Visitor<'_>) -> String {
    let Some(token) = visitor.token else {
        return "<p class=\"soft\">You may look, but not act (read-only).</p>\n".to_owned();
    };
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

/// The page of an error, in the form from which programs cut the message: between `</h2>` and `<hr>`. Who is not let in (401,
/// 429) is not sent for a style sheet either: the browser would ask for the password once more.
pub fn error(code: u16, reason: &str, message: &str, signature: &str) -> String {
    let is_let_in = !matches!(code, 401 | 429);
    let back = if is_let_in { "<a href=\"/\">Overview</a> \u{b7} " } else { "" };
    // Monit's command line looks at the first line alone, at a thousand bytes of it, and prints what it finds as it stands.
    let head = head(&format!("{code} {reason}"), None, is_let_in).replace('\n', "");
    let message = html(message).replace("&quot;", "\"").replace("&#39;", "'");
    format!("{head}<body><h2>{reason}</h2>{message}<hr>\n<footer>{back}{}</footer></body></html>\n", html(signature))
}

/// What is read by whoever does not go on to `path` by themselves.
pub fn moved(path: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><title>Moved</title></head><body><a href=\"{0}\">Go on</a></body></html>\n",
        html(path)
    )
}
