//! The page of one service: how it stands, what was measured, its rules, what happened, what the control file says of it.

use crate::base::escape::html;
use crate::view::readings;
use crate::view::status::{Monitoring, ServiceStatus, Standing, Status};
use crate::view::{text, words};

use super::{Visitor, address, buttons, mark, page, refresh, rows, standing};

/// The page of `service`, which is one of `status`.
pub fn service(status: &Status, service: &ServiceStatus, visitor: Visitor<'_>) -> String {
    let mut body = format!(
        "<h1>{}</h1>\n<p class=\"soft\">{} on {}</p>\n<p>{}</p>\n",
        html(&service.name),
        service.service_type.title(),
        html(&status.host),
        standing(service),
    );
    body.push_str(&buttons(&address(&service.name), &actions(service), visitor));
    if let Some(failure) = &service.last_failure {
        body.push_str(&format!("<h2>Last failed action</h2>\n<pre>{}</pre>\n", html(failure)));
    }
    let mut known = readings::rows(service, status);
    known.push(("data collected", service.collected.map(|time| time.rfc_date())));
    let known = known.into_iter().map(|(label, value)| (label, value.unwrap_or_else(|| "-".to_owned())));
    body.push_str(&format!("<h2>Readings</h2>\n{}", rows(known)));
    if !service.rules.is_empty() {
        body.push_str("<h2>Rules</h2>\n<table><tbody>\n");
        for (text, standing) in &service.rules {
            let row = format!("<tr><td>{}</td><td class=\"time\">{}</td></tr>\n", html(text), rule(service, *standing));
            body.push_str(&row);
        }
        body.push_str("</tbody></table>\n");
    }
    if !service.events.is_empty() {
        body.push_str("<h2>Last events</h2>\n<table class=\"events\"><tbody>\n");
        for (time, text) in &service.events {
            let text = format!("<pre>{}</pre>", html(text));
            body.push_str(&format!("<tr><td class=\"time\">{}</td><td>{text}</td></tr>\n", time.rfc_date()));
        }
        body.push_str("</tbody></table>\n");
    }
    let watching = [
        ("monitoring status", words::monitoring(service.monitoring).to_owned()),
        ("monitoring mode", text::mode(service.mode).to_owned()),
        ("on reboot", text::onreboot(service.onreboot).to_owned()),
    ];
    let settings = service.settings.iter().map(|(label, text)| (*label, text.clone())).chain(watching);
    body.push_str(&format!("<h2>Settings</h2>\n{}", rows(settings)));
    page(&format!("{} on {}", service.name, status.host), refresh(status), &body, visitor.signature)
}

/// What can be done to a service: what it has programs for, and to watch it or not.
fn actions(service: &ServiceStatus) -> Vec<(&'static str, &'static str)> {
    let has = |program: &str| service.settings.iter().any(|(label, _)| *label == program);
    let (start, stop) = (has("start program"), has("stop program"));
    let watch = match service.monitoring {
        Monitoring::NotMonitored => ("monitor", "Enable monitoring"),
        _ => ("unmonitor", "Disable monitoring"),
    };
    let programs = [
        (start, ("start", "Start")),
        (stop, ("stop", "Stop")),
        (has("restart program") || start && stop, ("restart", "Restart")),
    ];
    programs.into_iter().filter_map(|(is_there, action)| is_there.then_some(action)).chain([watch]).collect()
}

/// How a rule stands, in a word; nothing where nobody looks.
fn rule(service: &ServiceStatus, standing: Standing) -> String {
    match standing {
        _ if !service.is_judged => "-".to_owned(),
        Standing::Failed => mark("failed", "\u{2715}", "failed"),
        Standing::Changed => mark("changed", "\u{25b2}", "changed"),
        Standing::Unknown => mark("unmonitored", "?", "not known"),
        Standing::Well => mark("ok", "\u{2713}", "OK"),
    }
}
