//! The page of one service: how it stands, what was printed, its rules, what happened, what was measured, what the control
//! file says of it.

use crate::base::escape::html;
use crate::view::readings;
use crate::view::status::{Monitoring, ServiceStatus, Standing, Status};
use crate::view::{text, words};

use super::{LOG_PATH, Visitor, address, buttons, mark, message, page, refresh, rows, standing};

/// The page of `service`, which is one of `status`.
pub fn service(status: &Status, service: &ServiceStatus, visitor: Visitor<'_>) -> String {
    let mut body = format!(
        "<h1>{}</h1>\n<p class=\"soft\">{} on {}</p>\n<p class=\"verdict\">{}</p>\n",
        html(&service.name),
        service.service_type.title(),
        html(&status.host),
        standing(service),
    );
    let path = address(&service.name);
    body.push_str(&buttons(&path, &actions(service), visitor));
    if let Some(failure) = &service.last_failure {
        body.push_str(&output("Last failed action", failure));
    }
    let (printed, known): (Vec<_>, Vec<_>) =
        readings::rows(service, status).into_iter().partition(|(label, _)| *label == OUTPUT);
    for text in printed.into_iter().filter_map(|(_, text)| text) {
        body.push_str(&output("Last output", &text));
    }
    body.push_str("<div class=\"columns\">\n<section>\n");
    body.push_str(&rules(service));
    body.push_str(&events(service, visitor));
    body.push_str("</section>\n<section class=\"readings\">\n<h2>Readings</h2>\n");
    if known.is_empty() {
        body.push_str(&format!("<p class=\"soft\">{}</p>\n", nothing_measured(service)));
    }
    let collected = service.collected.map(|time| ("data collected", Some(time.rfc_date())));
    let known = known.into_iter().chain(collected);
    body.push_str(&rows(known.map(|(label, value)| (label, value.unwrap_or_else(|| "-".to_owned())))));
    let watching = [
        ("monitoring status", words::monitoring(service.monitoring).to_owned()),
        ("monitoring mode", text::mode(service.mode).to_owned()),
        ("on reboot", text::onreboot(service.onreboot).to_owned()),
    ];
    let settings = service.settings.iter().map(|(label, text)| (*label, text.clone())).chain(watching);
    body.push_str(&format!(
        "</section>\n<section class=\"settings\">\n<h2>Settings</h2>\n{}</section>\n</div>\n",
        rows(settings)
    ));
    page(&format!("{} on {}", service.name, status.host), &path, refresh(status, [service]), &body, visitor)
}

/// The label of what a program printed, which is shown by itself.
const OUTPUT: &str = "last output";

/// What a program said, as it said it. Long output is scrolled, also with the keyboard.
fn output(title: &str, text: &str) -> String {
    format!("<h2>{title}</h2>\n<pre class=\"output\" tabindex=\"0\">{}</pre>\n", html(text))
}

/// Why there are no readings.
fn nothing_measured(service: &ServiceStatus) -> &'static str {
    match (service.monitoring, service.is_judged) {
        (Monitoring::NotMonitored, _) => "Nothing is measured while it is not monitored.",
        (_, false) => "Nothing is measured yet.",
        (_, true) => "There is nothing to measure.",
    }
}

/// Each rule and how it stands; nothing for no rules.
fn rules(service: &ServiceStatus) -> String {
    if service.rules.is_empty() {
        return String::new();
    }
    let mut out = String::from("<h2>Rules</h2>\n<table><tbody>\n");
    for (text, standing) in &service.rules {
        let class = if service.is_judged && *standing == Standing::Failed { " class=\"alarm\"" } else { "" };
        let standing = rule(service, *standing);
        out.push_str(&format!("<tr{class}><td>{}</td><td class=\"time\">{standing}</td></tr>\n", html(text)));
    }
    out + "</tbody></table>\n"
}

/// What happened last, and the way to what was before.
fn events(service: &ServiceStatus, visitor: Visitor<'_>) -> String {
    let mut out = String::from("<h2>Last events</h2>\n");
    if service.events.is_empty() {
        out.push_str("<p class=\"soft\">Nothing has happened.</p>\n");
    } else {
        out.push_str("<table class=\"events\"><tbody>\n");
        for (time, text) in &service.events {
            let (time, text) = (time.rfc_date(), message(text));
            out.push_str(&format!("<tr><td class=\"time\">{time}</td><td>{text}</td></tr>\n"));
        }
        out.push_str("</tbody></table>\n");
    }
    if visitor.token.is_some() {
        out.push_str(&format!("<p><a href=\"{LOG_PATH}\">More in the log</a></p>\n"));
    }
    out
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
