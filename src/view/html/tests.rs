//! What the pages show, and what they must not.

use std::time::Duration;

use super::*;
use crate::base::event::{EventKind, EventState};
use crate::facts::observation::ProgramRun;
use crate::view::status::{Monitoring, PendingAction, Readings, Standing, sample};

fn hostile() -> Status {
    let mut status = sample::status();
    status.services[1].name = "<script>alert(1)</script>/?\"".to_owned();
    status.services[1].settings[0].1 = "a\"onmouseover='x'".to_owned();
    status.services[1].events[0].1 = "<script".to_owned();
    status.services[1].rules[0].0 = "If <script> then".to_owned();
    status.services[1].last_failure = Some("\n<script>\u{1b}[1m\nx".to_owned());
    status.host = "a<b".to_owned();
    status.control_file = "/etc/<script>".to_owned();
    status
}

fn is_harmless(page: &str) {
    for hostile in ["<script", "a<b", "<no space>", "\"onmouseover", "pollux/<0>", "\u{1b}", "<monit>"] {
        assert!(!page.contains(hostile), "{hostile}: {page}");
    }
}

/// Somebody who may only look.
const READER: Visitor<'_> = Visitor { signature: "pollux", token: None };

#[test]
fn problems_come_first_and_everything_is_escaped() {
    let mut status = hostile();
    status.services[3].absent_until = status.services[0].collected;
    status.services[2].next_start = Some(Duration::from_secs(40));
    status.services[0].events[0].1 = "uid test failed <script>\nmore".to_owned();
    let page = overview(&status, Visitor { signature: "pollux/<0>", token: None });
    is_harmless(&page);
    assert!(page.contains("<td class=\"now\">uid test failed &lt;script&gt;</td>"));
    assert!(page.contains("<td class=\"now\">&lt;script&gt;\u{fffd}[1m</td>"), "why the last action failed");
    assert!(page.contains("Not monitored until Sun, 22 Nov 2026 21:52:26"));
    assert!(page.contains("Does not exist - next start in 40 s"));
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is missing"));
    assert!(place("cannot write the state file: &lt;no space&gt;") < place(">passwd<"));
    let order = [">passwd<", ">deadsvc<", ">slow<", ">unm<", "&lt;script&gt;alert", ">lazy<"];
    assert!(order.windows(2).all(|pair| place(pair[0]) < place(pair[1])));
    assert!(page.contains("8 services, 1 initializing, 1 not monitored; up 16m; a cycle every 30 s"));
    assert!(page.contains("aria-hidden=\"true\">\u{2715}</span> 2 failures</span>"));
    assert!(page.contains("<title>2 failures - a&lt;b</title>"), "the beginning is what a narrow tab shows");
    assert_eq!(page.matches("<tr class=\"alarm\">").count(), 2);
    assert!(page.contains("Initializing - start pending"));
    assert!(page.contains("<a href=\"/%3Cscript%3Ealert%281%29%3C%2Fscript%3E%2F%3F%22\">"));
    status.services[1].last_failure = None;
    let page = overview(&status, READER);
    assert!(page.contains("up 1h 5m, cpu 0.2%, memory 8 MB, pid 5632") && page.contains("load 0.19, cpu 2.0%"));
}

#[test]
fn each_state_has_a_word_and_a_sign_of_its_own() {
    let mut status = sample::status();
    status.services[0].open = vec![(EventKind::Pid, EventState::Changed)];
    let page = overview(&status, READER);
    for (sign, word) in [
        ("\u{2715}", "Does not exist"),
        ("\u{25b2}", "PID changed"),
        ("\u{2026}", "Initializing"),
        ("\u{25cb}", "Not monitored"),
        ("\u{2713}", "OK"),
    ] {
        assert!(page.contains(&format!("aria-hidden=\"true\">{sign}</span> {word}")), "{word}");
    }
}

#[test]
fn the_page_of_a_service_has_its_readings_rules_events_and_settings() {
    let mut status = hostile();
    status.services[1].rules.push(("If uid".to_owned(), Standing::Failed));
    let page = service(&status, &status.services[1], Visitor { signature: "pollux/<0>", token: Some("<t>") });
    is_harmless(&page);
    for part in [
        "<th scope=\"row\">PID</th><td>5632</td>",
        "<th scope=\"row\">Effective UID</th><td>-</td>",
        "<td>If &lt;script&gt; then</td><td class=\"time\"><span class=\"standing ok\">",
        "<td>If uid</td><td class=\"time\"><span class=\"standing failed\">",
        "<td class=\"time\">Sun, 22 Nov 2026 21:40:07</td><td>&lt;script</td>",
        "<h2>Last failed action</h2>\n<pre class=\"output\" tabindex=\"0\">\n&lt;script&gt;\u{fffd}[1m\nx</pre>",
        "<th scope=\"row\">Monitoring mode</th><td>active</td>",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let mut quiet = status.services[3].clone();
    assert_eq!(quiet.monitoring, Monitoring::NotMonitored);
    quiet.rules = vec![("If x".to_owned(), Standing::Failed)];
    let page = service(&status, &quiet, READER);
    assert!(page.contains("<td>If x</td><td class=\"time\">-</td>"), "what was open is not true any more");
}

#[test]
fn who_may_act_has_buttons_for_what_can_be_done() {
    let mut status = sample::status();
    let words = |page: &str| -> Vec<String> {
        page.split("name=\"action\" value=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    let actor = Visitor { token: Some("abc"), ..READER };
    let found = status.services[0].clone();
    assert_eq!(words(&service(&status, &found, READER)), [""; 0]);
    let mut found = found;
    found.name = "a b/c".to_owned();
    found.settings = vec![("start program", "/a".to_owned()), ("stop program", "/b".to_owned())];
    found.monitoring = Monitoring::Monitored;
    let page = service(&status, &found, actor);
    assert_eq!(words(&page), ["start", "stop", "restart", "unmonitor"]);
    assert!(page.contains("<form method=\"post\" action=\"/a%20b%2Fc\">"), "{page}");
    assert!(page.contains("<input type=\"hidden\" name=\"securitytoken\" value=\"abc\">"));
    found.settings.clear();
    found.monitoring = Monitoring::NotMonitored;
    assert_eq!(words(&service(&status, &found, actor)), ["monitor"]);
    status.services.clear();
    assert_eq!(words(&runtime(&status, actor)), ["validate"]);
    assert_eq!(words(&runtime(&status, READER)), [""; 0]);
}

#[test]
fn who_may_only_look_is_told_so_and_not_sent_to_the_log() {
    let mut status = sample::status();
    status.services[1].events.clear();
    let actor = Visitor { token: Some("abc"), ..READER };
    let pages = |visitor| [service(&status, &status.services[1], visitor), runtime(&status, visitor)];
    for page in pages(READER) {
        assert!(page.contains("read-only") && !page.contains(LOG_PATH) && !page.contains("<form"), "{page}");
    }
    let [page, daemon] = pages(actor);
    assert!(page.contains("<a href=\"/_viewlog\">More in the log</a>") && page.contains("Nothing has happened."));
    assert!(!page.contains("read-only") && daemon.contains("<a href=\"/_runtime\" aria-current=\"page\">Daemon</a>"));
}

#[test]
fn what_a_program_printed_is_shown_by_itself() {
    let mut status = sample::status();
    let run = ProgramRun { status: Some(3), output: "<a>\n\u{1b}b".to_owned(), ..ProgramRun::default() };
    status.services[1].readings = Readings::Program(run);
    let page = service(&status, &status.services[1], READER);
    let output = "<h2>Last output</h2>\n<pre class=\"output\" tabindex=\"0\">&lt;a&gt;\n\\x1bb</pre>";
    assert!(page.contains(output) && !page.contains("<th scope=\"row\">Last output"), "{page}");
    assert!(page.contains("<th scope=\"row\">Last exit value</th><td>3</td>"));
}

#[test]
fn without_readings_the_page_says_why() {
    let mut status = sample::status();
    let mut says = |index: usize, monitoring, is_judged| {
        status.services[index].monitoring = monitoring;
        status.services[index].is_judged = is_judged;
        let page = service(&status, &status.services[index], READER);
        page.split_once("<h2>Readings</h2>\n<p class=\"soft\">").unwrap().1.split_once("</p>").unwrap().0.to_owned()
    };
    assert_eq!(says(2, Monitoring::Monitored, true), "There is nothing to measure.");
    assert_eq!(says(2, Monitoring::Waiting, false), "Nothing is measured yet.");
    assert_eq!(says(2, Monitoring::NotMonitored, false), "Nothing is measured while it is not monitored.");
}

#[test]
fn a_page_is_asked_for_again_with_each_cycle_and_sooner_while_something_is_under_way() {
    let mut status = sample::status();
    let mut again = |seconds| {
        status.interval = Duration::from_secs(seconds);
        let (calm, busy) = (&status.services[1], &status.services[4]);
        let pages = [service(&status, calm, READER), service(&status, busy, READER), overview(&status, READER)];
        let text =
            |page: &str| page.split_once("refresh\" content=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
        pages.map(|page| text(&page).parse::<u64>().unwrap())
    };
    assert_eq!(again(30), [30, 5, 5]);
    assert_eq!((again(1), again(86_400)), ([5, 5, 5], [300, 5, 5]));
    status.services.retain(|service| service.pending.is_none());
    for (seconds, text) in [(30, "30 s"), (90, "90 s"), (120, "2 min"), (7200, "2 h"), (0, "0 s")] {
        status.interval = Duration::from_secs(seconds);
        assert!(overview(&status, READER).contains(&format!("a cycle every {text}</p>")), "{text}");
    }
    status.services[1].pending = Some(PendingAction::Stop);
    let page = service(&status, &status.services[1], READER);
    assert!(page.contains("<span class=\"standing initializing\">"), "it is well, but not for long");
}

#[test]
fn the_log_comes_latest_first_and_escaped() {
    let text =
        "[2026-11-22T19:38:03+0000] info     : a\n[2026-11-22T19:38:04+0000] error    : unknown user '<script>'\n";
    let file = Log::File { path: "/<monit>".to_owned(), text: text.to_owned(), cut: true };
    let page = log(&file, READER);
    is_harmless(&page);
    assert!(page.contains(
        "<span class=\"failed\">[2026-11-22T19:38:04+0000] error    : unknown user &#39;&lt;script&gt;&#39;\n</span><span>"
    ));
    assert!(page.contains("what is older is in the file"));
    is_harmless(&log(&Log::Elsewhere("<script".to_owned()), READER));
    let empty = Log::File { path: "/a<b".to_owned(), text: String::new(), cut: false };
    assert!(log(&empty, READER).contains("/a&lt;b is empty"));
    is_harmless(&runtime(&hostile(), Visitor { signature: "pollux/<0>", token: Some("<t>") }));
}

#[test]
fn pages_ask_for_nothing_but_the_style_sheet_and_the_icon() {
    let status = sample::status();
    let file = Log::File { path: "/log".to_owned(), text: String::new(), cut: false };
    let pages = [
        overview(&status, READER),
        service(&status, &status.services[1], Visitor { token: Some("t"), ..READER }),
        runtime(&status, Visitor { token: Some("t"), ..READER }),
        about(READER),
        log(&file, READER),
        STYLESHEET.to_owned(),
    ];
    for page in pages {
        for foreign in ["http:", "https:", "//", "<script", " style=", "url(", "@import", " on", "src="] {
            let found = page.matches(foreign).count() - if foreign == " on" { page.matches(" on ").count() } else { 0 };
            assert_eq!(found, 0, "{foreign}: {page}");
        }
        assert_eq!(page.matches("<link").count(), if page.starts_with('<') { 2 } else { 0 });
    }
    assert!(!ICON.contains("script"));
}

#[test]
fn the_message_of_an_error_can_be_cut_out() {
    let page = error(404, "Not Found", "There is no service named \"<b>\"", "pollux");
    let message = page.split("</h2>").nth(1).and_then(|rest| rest.split("<hr>").next());
    assert_eq!(message, Some("There is no service named \"&lt;b&gt;\""));
    let first = error(404, "Not Found", &"x".repeat(200), "pollux");
    let first = first.lines().next().unwrap();
    assert!(first.contains("<h2>") && first.ends_with("<hr>") && first.len() < 1000, "Monit reads no further: {first}");
    assert!(page.contains(STYLESHEET_PATH));
    for code in [401, 429] {
        let page = error(code, "Unauthorized", "x", "pollux");
        assert!(!page.contains("href"), "a browser that is not let in would ask for the password again: {page}");
    }
}
