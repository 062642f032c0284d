//! The overview page: one table that a phone can show, without script and without anything fetched from elsewhere.

use crate::base::escape::html;
use crate::base::format;

use super::status::{Readings, ServiceStatus, Status};
use super::words::{self, Condition};

/// Where the page finds its style sheet.
pub const STYLESHEET_PATH: &str = "/_style.css";

/// What a browser may load for an answer of ours: our own style sheet and nothing else.
pub const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// The style sheet.
pub const STYLESHEET: &str = "\
:root{color-scheme:light dark;--text:#1d2329;--soft:#5b6670;--back:#fff;--line:#d9dee3;--ok:#1a7f37;--bad:#b3261e;
--note:#7a5200;--wait:#0b57a8;--alarm:#fdeceb}
@media (prefers-color-scheme:dark){:root{--text:#e3e7eb;--soft:#98a3ae;--back:#14181c;--line:#323a42;--ok:#57c97a;
--bad:#ff8f86;--note:#e0b04d;--wait:#7db7f5;--alarm:#3a1d1b}}
body{margin:0 auto;padding:1rem;max-width:62rem;background:var(--back);color:var(--text);
font:1rem/1.45 system-ui,sans-serif}
h1{font-size:1.4rem;margin:.2rem 0}
p{margin:.3rem 0}
.soft,footer{color:var(--soft)}
.troubles{background:var(--alarm);border-left:.3rem solid var(--bad);margin:1rem 0;padding:.6rem 1rem .6rem 1.8rem}
table{border-collapse:collapse;width:100%;margin:1rem 0}
th,td{text-align:left;padding:.45rem .6rem;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
th{color:var(--soft);font-weight:600}
.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.ok{color:var(--ok)}.failed{color:var(--bad);font-weight:600}.changed,.unmonitored{color:var(--note)}
.initializing{color:var(--wait)}
dl{margin:.3rem 0;font-size:.9rem}dt{color:var(--soft)}dd{margin:0 0 .3rem}
pre{margin:.4rem 0 0;white-space:pre-wrap;font-size:.85rem;color:var(--text);font-weight:400}
summary{cursor:pointer}
@media (max-width:34rem){.minor{display:none}th,td{padding:.45rem .3rem}}
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
}

/// The page. Problems come first, then what is under way, then the rest in the order of the configuration. `signature` is
/// the name in the footer.
pub fn overview(status: &Status, signature: &str) -> String {
    let mut services: Vec<&ServiceStatus> = status.services.iter().collect();
    services.sort_by_key(|service| rank(service));
    let problems = services.iter().filter(|s| matches!(Condition::of(s), Condition::Failed)).count();

    let host = html(&status.host);
    let verdict = match problems {
        0 => "no failures".to_owned(),
        1 => "1 failure".to_owned(),
        n => format!("{n} failures"),
    };
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta http-equiv=\"refresh\" content=\"{}\">\
         <title>{host}: {verdict}</title><link rel=\"stylesheet\" href=\"{STYLESHEET_PATH}\"></head>\n<body>\n\
         <h1>{host}</h1>\n<p class=\"soft\">{} services, {verdict}; up {}; a cycle every {} s</p>\n",
        status.interval.as_secs().clamp(5, 3600),
        services.len(),
        format::uptime(status.uptime),
        status.interval.as_secs(),
    );
    if !status.troubles.is_empty() {
        out.push_str("<ul class=\"troubles\">");
        for trouble in &status.troubles {
            out.push_str(&format!("<li>{}</li>", html(trouble)));
        }
        out.push_str("</ul>\n");
    }
    out.push_str(
        "<table><thead><tr><th>Service</th><th class=\"minor\">Type</th><th>Status</th><th class=\"number\">Uptime</th>\
         <th class=\"number minor\">PID</th></tr></thead>\n<tbody>\n",
    );
    for service in services {
        row(&mut out, service);
    }
    out.push_str(&format!("</tbody></table>\n<footer>{}</footer>\n</body></html>\n", html(signature)));
    out
}

/// What comes first on the page.
fn rank(service: &ServiceStatus) -> u8 {
    match (Condition::of(service), service.pending) {
        (Condition::Failed, _) => 0,
        (Condition::Changed, _) => 1,
        (_, Some(_)) => 2,
        (Condition::Initializing, None) => 3,
        (Condition::NotMonitored, None) => 4,
        (Condition::Ok, None) => 5,
    }
}

fn row(out: &mut String, service: &ServiceStatus) {
    let (uptime, pid) = match &service.readings {
        Readings::Process(process) => (process.facts.uptime, Some(process.facts.identity.pid)),
        Readings::System(system) => (system.facts.uptime, None),
        Readings::None | Readings::Link(_) | Readings::Program(_) | Readings::Path(_) | Readings::Filesystem(_) => {
            (None, None)
        }
    };
    let name = html(&service.name);
    out.push_str("<tr><td>");
    if service.settings.is_empty() && service.events.is_empty() {
        out.push_str(&name);
    } else {
        out.push_str(&format!("<details><summary>{name}</summary><dl>"));
        for (label, text) in &service.settings {
            out.push_str(&format!("<dt>{}</dt><dd>{}</dd>", html(label), html(text)));
        }
        for (time, text) in &service.events {
            out.push_str(&format!("<dt>{}</dt><dd>{}</dd>", time.rfc_date(), html(text)));
        }
        out.push_str("</dl></details>");
    }
    out.push_str(&format!(
        "</td><td class=\"minor\">{}</td><td class=\"{}\">{}{}",
        service.service_type.title(),
        Condition::of(service).class(),
        words::status(service),
        words::pending(service),
    ));
    if let Some(time) = service.absent_until {
        out.push_str(&format!(" until {}", time.rfc_date()));
    }
    if let Some(wait) = service.next_start {
        out.push_str(&format!(" - next start in {}", format::wait(wait)));
    }
    if let Some(failure) = &service.last_failure {
        out.push_str(&format!("<pre>{}</pre>", html(failure)));
    }
    out.push_str(&format!(
        "</td><td class=\"number\">{}</td><td class=\"number minor\">{}</td></tr>\n",
        uptime.map_or_else(|| "-".to_owned(), format::uptime),
        pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string()),
    ));
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::status::sample;
    use super::*;

    #[test]
    fn problems_come_first_and_everything_is_escaped() {
        let mut status = sample::status();
        status.services[1].name = "<script>alert(1)</script>".to_owned();
        status.services[1].settings[0].1 = "a\"onmouseover='x'".to_owned();
        status.services[1].events[0].1 = "<script".to_owned();
        status.host = "a<b".to_owned();
        status.services[3].absent_until = status.services[0].collected;
        status.services[2].next_start = Some(Duration::from_secs(40));
        let page = overview(&status, "pollux/<0>");
        assert!(page.contains("<dt>Sun, 22 Nov 2026 21:40:07</dt><dd>start action done</dd>"));
        assert!(page.contains("Not monitored until Sun, 22 Nov 2026 21:52:26"));
        assert!(page.contains("Does not exist - next start in 40 s"));
        for hostile in ["<script", "a<b", "<no space>", "\"onmouseover", "pollux/<0>", "\u{1b}"] {
            assert!(!page.contains(hostile), "{hostile}");
        }
        let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is missing"));
        assert!(place("cannot write the state file: &lt;no space&gt;") < place(">passwd<"));
        let order = [">passwd<", ">deadsvc<", ">slow<", ">unm<", "&lt;script&gt;", ">lazy<"];
        assert!(order.windows(2).all(|pair| place(pair[0]) < place(pair[1])));
        assert!(page.contains("8 services, 2 failures; up 16m; a cycle every 30 s"));
        assert!(page.contains("Initializing - start pending"));
    }

    #[test]
    fn the_page_asks_for_nothing_but_its_style_sheet() {
        let page = overview(&sample::status(), "pollux") + STYLESHEET;
        for foreign in ["http:", "https:", "//", "<script", " style=", "url(", "@import", " on"] {
            assert!(!page.contains(foreign), "{foreign}");
        }
        assert_eq!(page.matches("href=").count(), 1);
    }

    #[test]
    fn the_message_of_an_error_can_be_cut_out() {
        let page = error(404, "Not Found", "There is no service named \"<b>\"", "pollux");
        let message = page.split("</h2>").nth(1).and_then(|rest| rest.split("<hr>").next());
        assert_eq!(message, Some("There is no service named &quot;&lt;b&gt;&quot;"));
    }
}
