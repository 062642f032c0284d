//! The overview: every service with its state, problems first.

use crate::base::escape::html;
use crate::base::format;
use crate::facts::rate;
use crate::view::status::{Readings, ServiceStatus, Status};
use crate::view::words::Condition;

use super::{Visitor, address, interval, mark, page, refresh, standing};

/// The page. Problems come first, then what is under way, then the rest in the order of the configuration.
pub fn overview(status: &Status, visitor: Visitor<'_>) -> String {
    let mut services: Vec<&ServiceStatus> = status.services.iter().collect();
    services.sort_by_key(|service| rank(service));
    let count = |wanted| services.iter().filter(|service| Condition::of(service) == wanted).count();
    let verdict = match count(Condition::Failed) {
        0 => "no failures".to_owned(),
        1 => "1 failure".to_owned(),
        n => format!("{n} failures"),
    };
    let worst = if count(Condition::Failed) > 0 { Condition::Failed } else { Condition::Ok };
    let others = [
        (count(Condition::Changed), "changed"),
        (count(Condition::Initializing), "initializing"),
        (count(Condition::NotMonitored), "not monitored"),
    ];
    let others = others.into_iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!(", {count} {word}"));
    let plural = if services.len() == 1 { "" } else { "s" };
    let mut body = format!(
        "<h1>{}</h1>\n<p class=\"verdict\">{}</p>\n<p class=\"soft\">{} service{plural}{}; up {}; a cycle every {}</p>\n",
        html(&status.host),
        mark(worst.class(), worst.mark(), &verdict),
        services.len(),
        others.collect::<String>(),
        format::uptime(status.uptime),
        interval(status.interval),
    );
    if !status.troubles.is_empty() {
        body.push_str("<ul class=\"troubles\">");
        for trouble in &status.troubles {
            body.push_str(&format!("<li>{}</li>", html(trouble)));
        }
        body.push_str("</ul>\n");
    }
    body.push_str(
        "<table class=\"overview\"><thead><tr><th>Service</th><th>Type</th><th>Status</th><th>Now</th></tr></thead>\n<tbody>\n",
    );
    for service in &services {
        row(&mut body, service);
    }
    body.push_str("</tbody></table>\n");
    page(&format!("{verdict} - {}", status.host), "/", refresh(status, services), &body, visitor)
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
    let told = service.events.first().map(|(_, text)| text.as_str());
    let bad = match Condition::of(service) {
        Condition::Failed | Condition::Changed => service.last_failure.as_deref().or(told),
        Condition::Initializing | Condition::NotMonitored | Condition::Ok => service.last_failure.as_deref(),
    };
    // Of several lines the first says what it is about.
    let bad = bad.and_then(|text| text.lines().find(|line| !line.trim().is_empty())).map(str::to_owned);
    let now = bad.or_else(|| now(service)).unwrap_or_default();
    let class = if Condition::of(service) == Condition::Failed { " class=\"alarm\"" } else { "" };
    out.push_str(&format!(
        "<tr{class}><td class=\"name\"><a href=\"{}\">{}</a></td><td class=\"kind\">{}</td><td class=\"state\">{}</td>\
         <td class=\"now\">{}</td></tr>\n",
        address(&service.name),
        html(&service.name),
        service.service_type.title(),
        standing(service),
        html(&shortened(&now)),
    ));
}

/// At most so many characters of what a program printed are shown in a row.
const LINE: usize = 120;

fn shortened(text: &str) -> String {
    if text.chars().count() <= LINE {
        return text.to_owned();
    }
    text.chars().take(LINE).chain("...".chars()).collect()
}

/// What is most worth knowing, in one line; `None` when nothing is known.
fn now(service: &ServiceStatus) -> Option<String> {
    let percent = |word: &str, value: Option<f64>| value.map(|value| format!("{word} {value:.1}%"));
    let parts = match &service.readings {
        Readings::None => Vec::new(),
        Readings::Process(process) => {
            let facts = &process.facts;
            let memory = facts.resident_bytes.map(|bytes| format!("memory {}", format::size(bytes as f64)));
            vec![
                facts.uptime.map(|up| format!("up {}", format::uptime(up))),
                percent("cpu", process.usage.cpu_percent),
                memory,
                Some(format!("pid {}", facts.identity.pid)),
            ]
        }
        Readings::System(system) => vec![
            system.facts.load.map(|[one, _, _]| format!("load {one:.2}")),
            percent("cpu", system.share.usage()),
            percent("memory", rate::percent(system.facts.memory_used_bytes, system.facts.memory_total_bytes)),
            system.facts.uptime.map(|up| format!("up {}", format::uptime(up))),
        ],
        Readings::Link(link) => {
            let rate = |word: &str, rate: Option<f64>| rate.map(|rate| format!("{word} {}/s", format::size(rate)));
            vec![rate("down", link.rates.download.bytes_per_second), rate("up", link.rates.upload.bytes_per_second)]
        }
        Readings::Program(run) => {
            let line = run.output.lines().find(|line| !line.trim().is_empty()).map(str::to_owned);
            vec![run.status.map(|status| format!("exit {status}")), line]
        }
        Readings::Path(path) => {
            let is_file = service.service_type == crate::config::ServiceType::File;
            vec![
                is_file.then(|| format::size(path.facts.size_bytes as f64)),
                path.local.map(|local| format!("modified {}", local.modified.rfc_date())),
            ]
        }
        Readings::Filesystem(filesystem) => {
            let facts = &filesystem.facts;
            let used = facts.used_percent();
            vec![
                used.map(|used| format!("{used:.1}% of {} used", format::size(facts.total_bytes() as f64))),
                percent("inodes", facts.inodes_used_percent()),
            ]
        }
    };
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
