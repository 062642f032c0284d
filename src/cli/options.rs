//! The command line: argv to [`Options`] and [`Verb`]. Reads nothing but its arguments.

use std::path::PathBuf;
use std::time::Duration;

use getopts::{HasArg, Occur, Options as Grammar};

use super::CalledAs;
use crate::http::route::TIME_MAX;

/// How the program was called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `-c`.
    pub control_file: Option<PathBuf>,
    /// `-d`.
    pub interval: Option<Duration>,
    /// `-g`.
    pub group: Option<String>,
    /// `-l`: a path, or `syslog`.
    pub log: Option<String>,
    /// `-p`.
    pub pidfile: Option<PathBuf>,
    /// `-s`.
    pub statefile: Option<PathBuf>,
    /// `-I`.
    pub foreground: bool,
    /// `--for`, of `unmonitor`; whole seconds.
    pub time: Option<Duration>,
    /// `--wait`, of actions: how long at most.
    pub wait: Option<Duration>,
    /// `-B`.
    pub batch: bool,
    /// `-v`.
    pub verbose: bool,
    /// `--strict`, of `-t`.
    pub strict: bool,
    /// `--no-host`, of `-t`.
    pub no_host: bool,
    /// `--format=json`, of `-t`.
    pub json: bool,
    /// `--with-secrets`, of `config dump`.
    pub with_secrets: bool,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// No verb: start the daemon, or wake the one that runs.
    Daemon,
    /// start, stop, restart, monitor, unmonitor: the verb and the names; `all` stays a name here.
    Action(crate::action::Command, Vec<String>),
    /// `reload`.
    Reload,
    /// `quit`.
    Quit,
    /// `validate [NAME …]`.
    Validate(Vec<String>),
    /// `status [NAME …]`.
    Status(Vec<String>),
    /// `summary [NAME …]`.
    Summary(Vec<String>),
    /// `check [NAME …]`.
    Check(Vec<String>),
    /// `report [TYPE]`.
    Report(Option<String>),
    /// `procmatch PATTERN`.
    Procmatch(String),
    /// `config dump`.
    ConfigDump,
    /// `-t`.
    Test,
    /// `-V`.
    Version,
    /// `-h`.
    Help,
    /// `-i`.
    Id,
    /// `-r`.
    ResetId,
}

/// Every option: short name, long name, argument's name, description. The help text and the parser are made of it.
const OPTIONS: [(&str, &str, &str, &str); 20] = [
    ("c", "conf", "FILE", "use this control file"),
    ("d", "daemon", "N", "run as a daemon with a cycle every N seconds"),
    ("g", "group", "NAME", "act on, or show, the services of this group"),
    ("l", "logfile", "FILE", "log to this file, or to syslog"),
    ("p", "pidfile", "FILE", "keep the daemon's process number here"),
    ("s", "statefile", "FILE", "keep the daemon's state here"),
    ("I", "interactive", "", "stay in the foreground"),
    ("i", "id", "", "print the daemon's id"),
    ("r", "resetid", "", "make a new id"),
    ("B", "batch", "", "plain tables without colour"),
    ("t", "test", "", "check the control file"),
    ("", "strict", "", "with -t: warnings are errors"),
    ("", "no-host", "", "with -t: look at nothing of this machine but the files"),
    ("", "for", "TIME", "with unmonitor: only for so long, such as 30m, 2h or 1d"),
    ("", "wait", "[=SECONDS]", "with start, stop, ...: return when it is done, after 300 seconds at the latest"),
    ("", "format", "json", "with -t: messages for editors"),
    ("", "with-secrets", "", "with config dump: show passwords"),
    ("v", "verbose", "", "log more"),
    ("V", "version", "", "print the version"),
    ("h", "help", "", "print this text"),
];

/// Every verb with its arguments and description.
const VERBS: [(&str, &str); 14] = [
    ("start NAME|all", "start services and watch them"),
    ("stop NAME|all", "stop services and their watching"),
    ("restart NAME|all", "restart services"),
    ("monitor NAME|all", "watch services"),
    ("unmonitor NAME|all", "stop watching services"),
    ("reload", "read the control file again"),
    ("status [NAME]", "show services in full"),
    ("summary [NAME]", "show a line for each service"),
    ("report [TYPE]", "count services (up, down, initialising, unmonitored, total)"),
    ("check [NAME]", "one line and an exit code of 0 to 3, for Nagios and Sensu"),
    ("quit", "end the daemon; services run on"),
    ("validate [NAME]", "run a cycle now and show the status"),
    ("config dump", "print the control file as it is understood"),
    ("procmatch PATTERN", "show the processes a pattern matches"),
];

fn grammar() -> Grammar {
    let mut grammar = Grammar::new();
    for (short, long, argument, about) in OPTIONS {
        // A repeated option is accepted and the last one counts: rc.subr(8) passes flags twice.
        if argument.starts_with('[') {
            grammar.opt(short, long, about, argument, HasArg::Maybe, Occur::Multi);
        } else if argument.is_empty() {
            grammar.optflagmulti(short, long, about);
        } else {
            grammar.optmulti(short, long, about, argument);
        }
    }
    grammar
}

/// The text of `-h`.
pub fn help(program: &str) -> String {
    let mut text = format!("usage: {program} [options] [command]\n\noptions:\n");
    for (short, long, argument, about) in OPTIONS {
        let short = if short.is_empty() { String::new() } else { format!("-{short}, ") };
        let blank = if argument.starts_with('[') { "" } else { " " };
        let left = format!("{short}--{long}{blank}{argument}");
        text.push_str(&format!("  {left:<24} {about}\n"));
    }
    text.push_str("\ncommands (without one, the daemon is started, or woken when it runs):\n");
    for (verb, about) in VERBS {
        text.push_str(&format!("  {verb:<24} {about}\n"));
    }
    text.push_str(
        "\nstart, stop, restart, monitor, unmonitor, status, summary, report and check take -g GROUP instead of names.\n",
    );
    text.push_str("The manual: pollux(8), the control file: monitrc(5).\n");
    text
}

/// Understands the arguments that follow the program's name.
///
/// # Errors
/// One line that says what is wrong.
pub fn parse(called_as: CalledAs, arguments: &[String]) -> Result<(Options, Verb), String> {
    let arguments = arguments.iter().map(|argument| complete(argument)).collect::<Result<Vec<_>, _>>()?;
    let found = grammar().parse(&arguments).map_err(|error| error.to_string())?;
    let last = |name: &str| found.opt_strs(name).pop();
    let interval = match last("d") {
        None => None,
        Some(text) => match text.parse::<u32>() {
            Ok(seconds @ 1..=31_536_000) => Some(Duration::from_secs(u64::from(seconds))),
            _ => return Err("Option -d requires a natural number".to_owned()),
        },
    };
    let options = Options {
        control_file: last("c").map(PathBuf::from),
        interval,
        group: last("g"),
        log: last("l"),
        pidfile: last("p").map(PathBuf::from),
        statefile: last("s").map(PathBuf::from),
        foreground: found.opt_present("I"),
        time: last("for").map(|text| time(&text)).transpose()?,
        wait: match found.opt_present("wait") {
            true => Some(last("wait").map_or(Ok(WAIT), |text| wait(&text))?),
            false => None,
        },
        batch: found.opt_present("B"),
        verbose: found.opt_present("v"),
        strict: found.opt_present("strict"),
        no_host: found.opt_present("no-host"),
        json: match last("format").as_deref() {
            None => false,
            Some("json") => true,
            Some(other) => return Err(format!("--format knows json, not '{other}'")),
        },
        with_secrets: found.opt_present("with-secrets"),
    };
    for (flag, verb) in
        [("h", Verb::Help), ("V", Verb::Version), ("t", Verb::Test), ("i", Verb::Id), ("r", Verb::ResetId)]
    {
        if found.opt_present(flag) {
            only_with_their_verb(&options, &verb)?;
            return no_more(called_as, flag, &found.free).map(|()| (options, verb));
        }
    }
    let verb = verb(called_as, &found.free, options.group.is_some())?;
    only_with_their_verb(&options, &verb)?;
    Ok((options, verb))
}

/// A time with its unit: seconds, minutes, hours or days.
fn time(text: &str) -> Result<Duration, String> {
    const UNITS: [(char, u64); 4] = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];
    let seconds = UNITS.iter().find_map(|(unit, seconds)| {
        let number: u64 =
            text.strip_suffix(*unit).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()?;
        number.checked_mul(*seconds).filter(|seconds| (1..=TIME_MAX).contains(seconds))
    });
    let seconds = seconds.ok_or_else(|| format!("--for wants a time such as 90s, 30m, 2h or 1d, not '{text}'"))?;
    Ok(Duration::from_secs(seconds))
}

/// How long `--wait` waits when it names no time: longer than a start and a stop with default timeouts, one after the other,
/// for some services in a row.
const WAIT: Duration = Duration::from_secs(300);

/// A time in whole seconds.
fn wait(text: &str) -> Result<Duration, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: Option<u64> = text.parse().ok().filter(|seconds| digits && (1..=TIME_MAX).contains(seconds));
    seconds
        .map(Duration::from_secs)
        .ok_or_else(|| format!("--wait wants a number of seconds, at least 1, not '{text}'"))
}

/// Options that mean nothing elsewhere: somebody who forgets `-t` would start a daemon instead.
fn only_with_their_verb(options: &Options, verb: &Verb) -> Result<(), String> {
    let test = *verb == Verb::Test;
    let unmonitor = matches!(verb, Verb::Action(crate::action::Command::Unmonitor, _));
    let action = matches!(verb, Verb::Action(..));
    let rules = [
        (options.time.is_some(), unmonitor, "--for goes with unmonitor only"),
        (options.wait.is_some(), action, "--wait goes with start, stop, restart, monitor and unmonitor only"),
        (options.strict, test, "--strict goes with -t only"),
        (options.no_host, test, "--no-host goes with -t only"),
        (options.json, test, "--format goes with -t only"),
        (options.with_secrets, *verb == Verb::ConfigDump, "--with-secrets goes with config dump only"),
    ];
    match rules.iter().find(|(given, fits, _)| *given && !fits) {
        Some((_, _, message)) => Err((*message).to_owned()),
        None => Ok(()),
    }
}

/// Called with `-t ./file`, the original ignores the file and says OK about another one; in its name we do the same.
fn no_more(called_as: CalledAs, flag: &str, rest: &[String]) -> Result<(), String> {
    match rest.first() {
        Some(_) if called_as == CalledAs::Monit => Ok(()),
        Some(word) => {
            Err(format!("-{flag} takes no argument, but '{word}' was given; a control file is named with -c"))
        }
        None => Ok(()),
    }
}

fn verb(called_as: CalledAs, words: &[String], has_group: bool) -> Result<Verb, String> {
    let Some((first, rest)) = words.split_first() else { return Ok(Verb::Daemon) };
    // As in the original, letters of a command count without regard to case.
    let word = first.to_ascii_lowercase();
    let names = rest.to_vec();
    let at_most = |count: usize, verb: Verb| match rest.get(count) {
        // The original passes over words it has no use for.
        Some(word) if called_as == CalledAs::Pollux => Err(format!("{first}: unexpected argument '{word}'")),
        _ => Ok(verb),
    };
    if let Some(command) = crate::action::Command::from_word(&word) {
        if names.is_empty() && !has_group {
            return Err(format!("{first}: please name a service, 'all', or a group with -g"));
        }
        return Ok(Verb::Action(command, names));
    }
    match word.as_str() {
        "reload" => at_most(0, Verb::Reload),
        "quit" => at_most(0, Verb::Quit),
        "validate" => Ok(Verb::Validate(names)),
        "status" => Ok(Verb::Status(names)),
        "summary" => Ok(Verb::Summary(names)),
        "check" => Ok(Verb::Check(names)),
        "report" => at_most(1, Verb::Report(rest.first().cloned())),
        "config" => match rest {
            [word] if word == "dump" => Ok(Verb::ConfigDump),
            _ => Err("config: please say 'config dump'".to_owned()),
        },
        "procmatch" => match rest {
            [pattern] => Ok(Verb::Procmatch(pattern.clone())),
            _ => Err("procmatch: please give one pattern".to_owned()),
        },
        _ => Err(format!("unknown command '{first}'; -h shows all")),
    }
}

/// A long option may be shortened as long as it stays unique.
fn complete(argument: &str) -> Result<String, String> {
    let Some(long) = argument.strip_prefix("--").filter(|long| !long.is_empty()) else {
        return Ok(argument.to_owned());
    };
    let (name, value) = match long.split_once('=') {
        Some((name, value)) => (name, format!("={value}")),
        None => (long, String::new()),
    };
    let names: Vec<&str> = OPTIONS.iter().map(|row| row.1).filter(|known| known.starts_with(name)).collect();
    match names.as_slice() {
        _ if names.contains(&name) => Ok(argument.to_owned()),
        [one] => Ok(format!("--{one}{value}")),
        [] => Ok(argument.to_owned()),
        several => Err(format!("--{name} is ambiguous: --{}", several.join(", --"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::Command;

    fn parsed(line: &str) -> Result<(Options, Verb), String> {
        parsed_as(CalledAs::Pollux, line)
    }

    fn parsed_as(called_as: CalledAs, line: &str) -> Result<(Options, Verb), String> {
        parse(called_as, &line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn as_the_original_surplus_words_are_passed_over() {
        assert_eq!(parsed_as(CalledAs::Monit, "reload now").unwrap().1, Verb::Reload);
        assert_eq!(parsed_as(CalledAs::Monit, "-t ./file").unwrap().1, Verb::Test);
        assert_eq!(parsed_as(CalledAs::Monit, "report up down").unwrap().1, Verb::Report(Some("up".to_owned())));
    }

    #[test]
    fn options_stand_before_behind_and_together() {
        let (options, verb) = parsed("-p /run/x.pid -Ic /etc/f").unwrap();
        assert_eq!((options.foreground, verb), (true, Verb::Daemon));
        assert_eq!(options.control_file, Some("/etc/f".into()));
        assert_eq!(parsed("-tc /etc/f").unwrap().1, Verb::Test);
        let (options, verb) = parsed("restart all -g web").unwrap();
        assert_eq!(verb, Verb::Action(Command::Restart, vec!["all".to_owned()]));
        assert_eq!(options.group.as_deref(), Some("web"));
        assert_eq!(parsed("-g web restart").unwrap().1, Verb::Action(Command::Restart, Vec::new()));
        assert_eq!(parsed("status -B x").unwrap().1, Verb::Status(vec!["x".to_owned()]));
    }

    #[test]
    fn a_command_is_known_in_letters_of_any_case() {
        assert_eq!(parsed("STATUS X").unwrap().1, Verb::Status(vec!["X".to_owned()]));
        assert_eq!(parsed("Restart X").unwrap().1, Verb::Action(Command::Restart, vec!["X".to_owned()]));
        assert_eq!(parsed("RELOAD").unwrap().1, Verb::Reload);
        assert!(parsed("BOGUS").unwrap_err().contains("'BOGUS'"));
    }

    #[test]
    fn the_last_of_a_repeated_option_counts() {
        assert_eq!(parsed("-c a -c b -I -I").unwrap().0.control_file, Some("b".into()));
    }

    #[test]
    fn long_options_may_be_shortened_while_unique() {
        assert_eq!(parsed("--vers").unwrap().1, Verb::Version);
        assert_eq!(parsed("--state=/x quit").unwrap().0.statefile, Some("/x".into()));
        assert!(parsed("--ver").unwrap_err().contains("--verbose, --version"));
        assert!(parsed("--colour").is_err());
    }

    #[test]
    fn services_may_be_left_alone_for_a_while() {
        let time = |line: &str| parsed(line).map(|(options, _)| options.time.map(|time| time.as_secs()));
        assert_eq!(time("unmonitor x --for 2h"), Ok(Some(7200)));
        assert_eq!(time("unmonitor --for=90s x"), Ok(Some(90)));
        assert_eq!(time("--for 1d unmonitor all"), Ok(Some(86_400)));
        assert_eq!(time("unmonitor x"), Ok(None));
        for bad in ["2", "h", "0m", "-1h", "+1h", "2w", "99999999999999999999d", "400d", "1h30m"] {
            assert!(time(&format!("unmonitor x --for={bad}")).is_err(), "{bad}");
        }
        for verb in ["stop x", "monitor x", "status", "-t", ""] {
            assert_eq!(time(&format!("{verb} --for 2h")), Err("--for goes with unmonitor only".to_owned()), "{verb}");
        }
    }

    #[test]
    fn actions_can_be_waited_for() {
        let wait = |line: &str| parsed(line).map(|(options, _)| options.wait.map(|time| time.as_secs()));
        assert_eq!(wait("start x"), Ok(None));
        assert_eq!(wait("start x --wait"), Ok(Some(300)));
        assert_eq!(wait("--wait restart all"), Ok(Some(300)), "the next word is no time");
        assert_eq!(wait("stop --wait=5 -g web"), Ok(Some(5)));
        assert_eq!(wait("stop --wait=5 --wait=7 x"), Ok(Some(7)));
        for bad in ["", "0", "-1", "+1", "5s", "99999999999"] {
            assert!(wait(&format!("start x --wait={bad}")).is_err(), "{bad}");
        }
        for verb in ["status", "reload", "-t", ""] {
            assert!(wait(&format!("{verb} --wait")).unwrap_err().starts_with("--wait goes with start"), "{verb}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert_eq!(parsed("-d 0").unwrap_err(), "Option -d requires a natural number");
        assert_eq!(parsed("-d x").unwrap_err(), "Option -d requires a natural number");
        assert!(parsed("-t ./file").unwrap_err().contains("-c"));
        assert!(parsed("start").is_err());
        assert!(parsed("dance").is_err());
        assert!(parsed("reload now").is_err());
        assert!(parsed("procmatch").is_err());
        assert!(parsed("config").is_err() && parsed("config dump x").is_err());
        assert!(parsed("-t --format=xml").unwrap_err().contains("json"));
        for option in ["--strict", "--no-host", "--format=json"] {
            assert!(parsed(option).unwrap_err().ends_with("goes with -t only"), "{option}");
            assert!(parsed(&format!("{option} reload")).unwrap_err().ends_with("goes with -t only"), "{option}");
            assert!(parsed(&format!("-t {option}")).is_ok(), "{option}");
        }
        assert!(parsed("status --with-secrets").unwrap_err().contains("config dump"));
        assert!(parsed("config dump --with-secrets").is_ok());
    }

    #[test]
    fn the_help_names_every_option_and_verb() {
        let text = help("pollux");
        for (short, long, _, _) in OPTIONS {
            let short = if short.is_empty() { String::new() } else { format!("-{short}, ") };
            assert!(text.contains(&format!("  {short}--{long}")), "{long}");
        }
        assert!(VERBS.iter().all(|(verb, _)| text.contains(verb)));
    }
}
