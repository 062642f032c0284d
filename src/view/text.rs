//! The texts of the command line: `status`, `summary` and `report`.

use crate::base::escape;
use crate::base::format;
use crate::config::{Mode, OnReboot, ServiceType};

use super::readings;
use super::select::{Missing, Selection};
use super::status::{Monitoring, ServiceStatus, Status};
use super::table::{Align, Cell, Column, Overflow, paint, table};
use super::words::{self, Condition};
use super::{Product, Style};

const TITLE: &str = "1;36";
const VALUE: &str = "0;39";
const UNKNOWN: &str = "0;90";
const WAITING: &str = "0;37";

impl Condition {
    /// The SGR parameter of the status.
    fn colour(self) -> &'static str {
        match self {
            Condition::Ok => "0;92",
            Condition::Failed => "0;91",
            Condition::Changed | Condition::NotMonitored => "0;93",
            Condition::Initializing => "0;94",
        }
    }
}

/// `Monit 5.35.2 uptime: 1m` and, under our own name, what troubles the daemon.
fn header(status: &Status, product: Product) -> String {
    let mut out = format!("{} uptime: {}\n", product.title(), format::uptime(status.uptime));
    if product == Product::Pollux {
        for trouble in &status.troubles {
            out.push_str(&format!("warning: {}\n", escape::log_line(trouble)));
        }
    }
    out
}

/// The text of `status`: a block for each service in the order of the configuration.
///
/// # Errors
/// The selection names what does not exist.
pub fn status(status: &Status, selection: &Selection, product: Product, style: Style) -> Result<String, Missing> {
    let services = selection.services(status)?;
    let mut out = header(status, product);
    out.push('\n');
    for service in services {
        block(&mut out, status, service, product, style);
        out.push('\n');
    }
    Ok(out)
}

fn block(out: &mut String, status: &Status, service: &ServiceStatus, product: Product, style: Style) {
    let title = format!("{} '{}'", service.service_type.title(), escape::log_line(&service.name));
    out.push_str(&paint(&title, Some(TITLE), style));
    out.push('\n');

    let told = words::told(service, product);
    // The colour is that of the status alone.
    let pending = words::pending(service);
    let (state, pending) = told.strip_suffix(&pending).map_or((told.as_str(), ""), |state| (state, pending.as_str()));
    line(out, "status", &(paint(state, Some(Condition::of(service).colour()), style) + pending));
    let colour = match service.monitoring {
        Monitoring::Monitored => None,
        Monitoring::Waiting => Some(WAITING),
        Monitoring::Initializing => Some(Condition::Initializing.colour()),
        Monitoring::NotMonitored => Some(Condition::NotMonitored.colour()),
    };
    line(out, "monitoring status", &paint(words::monitoring(service.monitoring), colour, style));
    line(out, "monitoring mode", mode(service.mode));
    line(out, "on reboot", onreboot(service.onreboot));

    let mut rows = readings::rows(service, status);
    if rows.is_empty() {
        rows = readings::unknown(service);
    }
    rows.push(("data collected", service.collected.map(|time| time.rfc_date())));
    for (label, value) in rows {
        match value {
            Some(value) => {
                let value = value.replace('\n', &format!("\n{:31}", ""));
                line(out, label, &paint(&value, Some(VALUE), style));
            }
            None => line(out, label, &paint("-", Some(UNKNOWN), style)),
        }
    }
    if product == Product::Monit {
        return;
    }
    if let Some(time) = service.absent_until {
        line(out, "not monitored until", &time.rfc_date());
    }
    if let Some(wait) = service.next_start {
        line(out, "next start", &format!("in {}", format::wait(wait)));
    }
    if let Some((time, text)) = service.events.first() {
        let text = text.lines().next().unwrap_or_default();
        line(out, "last event", &format!("{}: {}", time.rfc_date(), escape::log_line(text)));
    }
    if let Some(failure) = &service.last_failure {
        let lines: Vec<_> = failure.lines().map(escape::log_line).collect();
        line(out, "last failure", &lines.join(&format!("\n{:31}", "")));
    }
}

fn line(out: &mut String, label: &str, value: &str) {
    out.push_str(&format!("  {label:<28} {value}\n"));
}

pub(super) fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Active => "active",
        Mode::Passive => "passive",
    }
}

pub(super) fn onreboot(onreboot: OnReboot) -> &'static str {
    match onreboot {
        OnReboot::Start => "start",
        OnReboot::NoStart => "nostart",
        OnReboot::LastState => "laststate",
    }
}

const SUMMARY: [Column; 3] = [
    Column { title: "Service Name", width: 31, align: Align::Left, overflow: Overflow::Cut },
    Column { title: "Status", width: 26, align: Align::Left, overflow: Overflow::Cut },
    Column { title: "Type", width: 13, align: Align::Left, overflow: Overflow::Cut },
];

/// The text of `summary`: a row for each service. All services are grouped by type; a selection keeps the order of the
/// configuration.
///
/// # Errors
/// The selection names what does not exist.
pub fn summary(status: &Status, selection: &Selection, product: Product, style: Style) -> Result<String, Missing> {
    let mut services = selection.services(status)?;
    if *selection == Selection::All {
        services.sort_by_key(|s| ServiceType::DISPLAY_ORDER.iter().position(|kind| *kind == s.service_type));
    }
    let row = |service: &&ServiceStatus| {
        let state = words::told(service, product);
        vec![
            Cell::plain(escape::log_line(&service.name)),
            Cell { text: state, colour: Some(Condition::of(service).colour()) },
            Cell::plain(service.service_type.title()),
        ]
    };
    let rows: Vec<_> = services.iter().map(row).collect();
    Ok(header(status, product) + &table(&SUMMARY, &rows, style))
}

/// One number of `report`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportPart {
    /// Monitored and well.
    Up,
    /// Monitored, and something failed or changed.
    Down,
    /// Not judged yet.
    Initialising,
    /// Not monitored.
    Unmonitored,
    /// All of them.
    Total,
}

impl ReportPart {
    /// The word that names the part.
    pub fn word(self) -> &'static str {
        match self {
            ReportPart::Up => "up",
            ReportPart::Down => "down",
            ReportPart::Initialising => "initialising",
            ReportPart::Unmonitored => "unmonitored",
            ReportPart::Total => "total",
        }
    }

    /// The part a reader names, in letters of any case; both spellings of `initialising` count.
    pub fn from_word(word: &str) -> Option<ReportPart> {
        Some(match word.to_ascii_lowercase().as_str() {
            "up" => ReportPart::Up,
            "down" => ReportPart::Down,
            "initialising" | "initializing" => ReportPart::Initialising,
            "unmonitored" => ReportPart::Unmonitored,
            "total" => ReportPart::Total,
            _ => return None,
        })
    }
}

/// The text of `report`: five counts with their shares, or one number alone.
///
/// # Errors
/// The selection names what does not exist.
pub fn report(status: &Status, selection: &Selection, part: Option<ReportPart>) -> Result<String, Missing> {
    let services = selection.services(status)?;
    let total = services.len();
    let count = |wanted: &[Condition]| services.iter().filter(|s| wanted.contains(&Condition::of(s))).count();
    let up = count(&[Condition::Ok]);
    let down = count(&[Condition::Failed, Condition::Changed]);
    let initialising = count(&[Condition::Initializing]);
    let unmonitored = count(&[Condition::NotMonitored]);
    let share = |label: &str, n: usize| format!("{label:<13} {n:>3} ({}%)\n", format::percent(n, total));
    Ok(match part {
        Some(ReportPart::Up) => format!("{up}\n"),
        Some(ReportPart::Down) => format!("{down}\n"),
        Some(ReportPart::Initialising) => format!("{initialising}\n"),
        Some(ReportPart::Unmonitored) => format!("{unmonitored}\n"),
        Some(ReportPart::Total) => format!("{total}\n"),
        None => {
            share("up:", up)
                + &share("down:", down)
                + &share("initialising:", initialising)
                + &share("unmonitored:", unmonitored)
                + &format!("{:<13} {total:>3} services\n", "total:")
        }
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::status::{Readings, sample};
    use super::*;
    use crate::base::event::{EventKind, EventState};

    fn named(name: &str) -> Selection {
        Selection::Named(vec![name.to_owned()])
    }

    #[test]
    fn a_running_process_is_written_as_the_original_does() {
        let text = status(&sample::status(), &named("alive"), Product::Monit, Style::PLAIN).unwrap();
        let expected = "\
Monit 5.35.2 uptime: 16m

Process 'alive'
  status                       OK
  monitoring status            Monitored
  monitoring mode              active
  on reboot                    start
  pid                          5632
  parent pid                   1
  uid                          0
  effective uid                -
  gid                          0
  uptime                       1h 5m
  threads                      5
  children                     -
  cpu                          0.2%
  cpu total                    -
  memory                       0.8% [8 MB]
  memory total                 -
  security attribute           -
  filedescriptors              -
  total filedescriptors        -
  data collected               Sun, 22 Nov 2026 21:52:26

";
        assert_eq!(text, expected);
    }

    #[test]
    fn dead_unmonitored_and_initializing_services_show_no_readings() {
        let all = status(&sample::status(), &Selection::All, Product::Monit, Style::PLAIN).unwrap();
        let blocks: Vec<_> = all.split("\n\n").collect();
        assert_eq!(
            blocks[3],
            "Process 'deadsvc'\n  status                       Does not exist\n  monitoring status            Monitored\n  \
             monitoring mode              passive\n  on reboot                    nostart\n  data collected               \
             Sun, 22 Nov 2026 21:52:26"
        );
        assert!(
            blocks[4].contains("\n  status                       Not monitored\n  monitoring status            Not m")
        );
        assert!(blocks[5].contains("\n  status                       Initializing - start pending\n"), "{}", blocks[5]);
        assert!(blocks[5].ends_with("\n  data collected               -"));
        assert!(blocks[6].contains("\n  monitoring status            Waiting\n"));
    }

    #[test]
    fn the_system_shows_load_uptime_and_boot_time() {
        let text = status(&sample::status(), &named("myhost"), Product::Monit, Style::PLAIN).unwrap();
        assert!(text.contains(
            "  load average                 [0.19] [0.12] [0.09]\n  cpu                          1.5%usr 0.5%sys\n  \
             memory usage                 -\n  swap usage                   -\n  \
             uptime                       17m\n  boot time                    \
             Sun, 22 Nov 2026 21:34:37\n"
        ));
    }

    #[test]
    fn the_plain_summary_has_the_columns_of_the_original() {
        let text = summary(&sample::status(), &Selection::All, Product::Monit, Style::PLAIN).unwrap();
        let expected = [
            "Monit 5.35.2 uptime: 16m",
            " Service Name                     Status                      Type          ",
            " myhost                           OK                          System        ",
            " alive                            OK                          Process       ",
            " deadsvc                          Does not exist              Process       ",
            " unm                              Not monitored               Process       ",
            " slow                             Initializing - start pe...  Process       ",
            " lazy                             OK                          Process       ",
            " name-of-thirty-two-character...  OK                          Process       ",
            " passwd                           Permission failed | UID...  File          ",
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
        let group = summary(&sample::status(), &Selection::Group("web".into()), Product::Monit, Style::PLAIN).unwrap();
        assert_eq!(group.lines().count(), 4);
    }

    #[test]
    fn the_full_style_has_lines_and_colours_of_the_original() {
        let text = summary(&sample::status(), &named("deadsvc"), Product::Monit, Style::FULL).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 6);
        assert_eq!(lines[1], format!("\x1b[0;90m┌{}┬{}┬{}┐\x1b[0m", "─".repeat(33), "─".repeat(28), "─".repeat(15)));
        let bar = "\x1b[0;90m│\x1b[0m";
        assert_eq!(
            lines[2],
            format!(
                "{bar} \x1b[1;36m{:<31}\x1b[0m {bar} \x1b[1;36m{:<26}\x1b[0m {bar} \x1b[1;36m{:<13}\x1b[0m {bar}",
                "Service Name", "Status", "Type"
            )
        );
        assert_eq!(
            lines[4],
            format!(
                "{bar} {:<31} {bar} \x1b[0;91m{:<26} \x1b[0m{bar} {:<13} {bar}",
                "deadsvc", "Does not exist", "Process"
            )
        );
        let text = status(&sample::status(), &named("alive"), Product::Monit, Style::FULL).unwrap();
        assert!(text.contains("\x1b[1;36mProcess 'alive'\x1b[0m\n"));
        assert!(text.contains("  status                       \x1b[0;92mOK\x1b[0m\n"));
        assert!(text.contains("  effective uid                \x1b[0;90m-\x1b[0m\n"));
        assert!(text.contains("  pid                          \x1b[0;39m5632\x1b[0m\n"));
        let boxes = Style { boxes: true, colour: false };
        let text = summary(&sample::status(), &named("deadsvc"), Product::Monit, boxes).unwrap();
        assert!(!text.contains('\x1b') && text.contains("│ deadsvc "));
    }

    #[test]
    fn our_own_name_also_tells_what_is_waited_for() {
        let mut all = sample::status();
        all.services[3].absent_until = all.services[0].collected;
        all.services[2].next_start = Some(Duration::from_secs(40));
        let ours = status(&all, &named("unm"), Product::Pollux, Style::PLAIN).unwrap();
        assert!(ours.contains("\n  not monitored until          Sun, 22 Nov 2026 21:52:26\n"), "{ours}");
        let ours = status(&all, &named("deadsvc"), Product::Pollux, Style::PLAIN).unwrap();
        assert!(ours.contains("\n  next start                   in 40 s\n"), "{ours}");
        assert!(
            ours.contains("\n  last event                   Sun, 22 Nov 2026 21:40:07: start action done\n"),
            "{ours}"
        );
        let theirs = status(&all, &Selection::All, Product::Monit, Style::PLAIN).unwrap();
        assert!(!theirs.contains("last event") && !theirs.contains("until") && !theirs.contains("next start"));
    }

    #[test]
    fn our_own_name_also_tells_of_troubles() {
        let text = status(&sample::status(), &named("deadsvc"), Product::Pollux, Style::PLAIN).unwrap();
        assert!(text.starts_with(concat!(
            "pollux ",
            env!("CARGO_PKG_VERSION"),
            " uptime: 16m\nwarning: cannot write "
        )));
        assert!(
            text.contains(
                "  last failure                 first line\n                               second \\x1bline\n"
            )
        );
    }

    #[test]
    fn of_what_is_looked_at_without_a_reading_the_labels_stay() {
        let labels = |service_type, open: &[(EventKind, EventState)], is_judged| {
            let mut status = sample::status();
            let mut service = status.services.swap_remove(0);
            (service.name, service.service_type, service.open) = ("x".to_owned(), service_type, open.to_vec());
            (service.readings, service.is_judged) = (Readings::None, is_judged);
            status.services = vec![service];
            let text = super::status(&status, &named("x"), Product::Monit, Style::PLAIN).unwrap();
            let unknown = text.lines().filter_map(|line| line.strip_suffix(" -").map(|line| line.trim().to_owned()));
            unknown.collect::<Vec<_>>().join(", ")
        };
        let another = [(EventKind::Invalid, EventState::Failed)];
        let times = "access timestamp, change timestamp, modify timestamp";
        assert_eq!(labels(ServiceType::File, &another, true), format!("permission, uid, gid, size, {times}"));
        assert_eq!(labels(ServiceType::Fifo, &another, true), format!("permission, uid, gid, {times}"));
        let gone = [(EventKind::NonExist, EventState::Failed)];
        assert_eq!(labels(ServiceType::Directory, &gone, true), "");
        let traffic = "link, download bytes, upload bytes, download packets, upload packets";
        assert_eq!(labels(ServiceType::Network, &[(EventKind::Link, EventState::Failed)], true), traffic);
        assert_eq!(labels(ServiceType::Network, &[], false), "");
    }

    #[test]
    fn the_report_counts() {
        let status = sample::status();
        let expected = "\
up:             4 (50.0%)
down:           2 (25.0%)
initialising:   1 (12.5%)
unmonitored:    1 (12.5%)
total:          8 services
";
        assert_eq!(report(&status, &Selection::All, None).unwrap(), expected);
        assert_eq!(report(&status, &Selection::All, ReportPart::from_word("down")).unwrap(), "2\n");
        assert_eq!(report(&status, &Selection::All, ReportPart::from_word("initializing")).unwrap(), "1\n");
        assert_eq!(ReportPart::from_word("Up"), Some(ReportPart::Up));
        assert_eq!(ReportPart::from_word("x"), None);
    }

    #[test]
    fn the_counts_of_the_report_end_in_one_column_up_to_999() {
        let mut status = sample::status();
        let service = status.services.pop().unwrap();
        for (count, line) in [
            (12, "total:         12 services"),
            (120, "total:        120 services"),
            (1201, "total:        1201 services"),
        ] {
            status.services = vec![service.clone(); count];
            let text = report(&status, &Selection::All, None).unwrap();
            assert_eq!(text.lines().last(), Some(line));
        }
    }
}
