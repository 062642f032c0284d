//! The environment of programs: defined here, not inherited, so that a program behaves alike whether the daemon was
//! started at boot, by service(8) or from a shell.

use crate::base::process::Pid;

/// The user a program runs as, for its variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Login name.
    pub name: String,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
}

/// The search path: base system first, then ports and packages.
pub const PATH: &str = "/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin";

/// What a program is told of why it runs: the `MONIT_*` variables.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Occasion<'a> {
    /// Now, as in mails.
    pub date: String,
    /// The service.
    pub service: &'a str,
    /// The machine.
    pub host: &'a str,
    /// What happened, such as `Does not exist` or `Started`.
    pub event: &'a str,
    /// The message about it.
    pub description: &'a str,
    /// The number of the watched process.
    pub pid: Option<Pid>,
    /// Its memory in kilobytes.
    pub memory_kilobytes: Option<u64>,
    /// How many descendants it has.
    pub children: Option<u64>,
    /// Its share of the processors.
    pub cpu_percent: Option<f64>,
    /// With what the watched program ended last.
    pub status: Option<i32>,
}

impl Occasion<'_> {
    /// The variables, without those whose value is not known.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let always = [
            ("MONIT_DATE", self.date.clone()),
            ("MONIT_SERVICE", self.service.to_owned()),
            ("MONIT_HOST", self.host.to_owned()),
            ("MONIT_EVENT", self.event.to_owned()),
            ("MONIT_DESCRIPTION", self.description.to_owned()),
        ];
        let known = [
            ("MONIT_PROCESS_PID", self.pid.map(|pid| pid.to_string())),
            ("MONIT_PROCESS_MEMORY", self.memory_kilobytes.map(|size| size.to_string())),
            ("MONIT_PROCESS_CHILDREN", self.children.map(|count| count.to_string())),
            ("MONIT_PROCESS_CPU_PERCENT", self.cpu_percent.map(|percent| format!("{percent:.1}"))),
            ("MONIT_PROGRAM_STATUS", self.status.map(|status| status.to_string())),
        ];
        always.into_iter().chain(known.into_iter().filter_map(|(name, value)| Some((name, value?)))).collect()
    }
}

/// The whole environment of a program: `PATH`, who it runs as, the variables of our own environment that carry locale and
/// time zone (`LANG`, `LC_*`, `TZ`), over them what the control file sets, and what it is told of the event.
pub fn environment<'a>(
    target: &Target,
    ours: impl IntoIterator<Item = (String, String)>,
    set: impl IntoIterator<Item = (&'a str, &'a str)>,
    told: impl IntoIterator<Item = (&'static str, String)>,
) -> Vec<(String, String)> {
    let mut all = vec![
        ("PATH".to_owned(), PATH.to_owned()),
        ("HOME".to_owned(), target.home.clone()),
        ("USER".to_owned(), target.name.clone()),
        ("LOGNAME".to_owned(), target.name.clone()),
        ("SHELL".to_owned(), target.shell.clone()),
    ];
    let kept = |name: &str| name == "LANG" || name == "TZ" || name.starts_with("LC_");
    all.extend(ours.into_iter().filter(|(name, _)| kept(name)));
    for (name, value) in set {
        all.retain(|(known, _)| known != name);
        all.push((name.to_owned(), value.to_owned()));
    }
    all.extend(told.into_iter().map(|(name, value)| (name.to_owned(), value)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(all: &[(String, String)]) -> Vec<&str> {
        all.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn only_the_defined_variables_are_passed_on_and_the_control_file_has_the_last_word() {
        let target = Target { name: "mastodon".into(), home: "/home/m".into(), shell: "/bin/sh".into() };
        let ours = [("FOO", "bar"), ("TZ", "UTC"), ("LC_ALL", "C"), ("PATH", "/evil")]
            .map(|(n, v)| (n.to_owned(), v.to_owned()));
        let told = || Occasion { service: "puma", ..Occasion::default() }.variables().into_iter().skip(1).take(1);
        let all = environment(&target, ours.clone(), [], told());
        assert_eq!(names(&all), ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "TZ", "LC_ALL", "MONIT_SERVICE"]);
        assert_eq!(all.first().map(|(_, value)| value.as_str()), Some(PATH));
        let all = environment(&target, ours, [("RAILS_ENV", "production"), ("PATH", "/opt/bin"), ("TZ", "")], told());
        assert_eq!(
            names(&all),
            ["HOME", "USER", "LOGNAME", "SHELL", "LC_ALL", "RAILS_ENV", "PATH", "TZ", "MONIT_SERVICE"]
        );
        assert!(all.contains(&("PATH".to_owned(), "/opt/bin".to_owned())));
    }

    #[test]
    fn what_is_not_known_is_not_told() {
        let mut event = Occasion { date: "Mon".into(), service: "x", host: "h", event: "E", ..Occasion::default() };
        event.description = "D";
        let told = |event: &Occasion<'_>| {
            let lines = event.variables().into_iter().map(|(name, value)| format!("{name}={value}"));
            lines.collect::<Vec<_>>()
        };
        let first = ["MONIT_DATE=Mon", "MONIT_SERVICE=x", "MONIT_HOST=h", "MONIT_EVENT=E", "MONIT_DESCRIPTION=D"];
        assert_eq!(told(&event), first);
        event.pid = Pid::new(7);
        (event.memory_kilobytes, event.children) = (Some(1644), Some(0));
        (event.cpu_percent, event.status) = (Some(0.04), Some(3));
        assert_eq!(
            told(&event)[5..],
            [
                "MONIT_PROCESS_PID=7",
                "MONIT_PROCESS_MEMORY=1644",
                "MONIT_PROCESS_CHILDREN=0",
                "MONIT_PROCESS_CPU_PERCENT=0.0",
                "MONIT_PROGRAM_STATUS=3"
            ]
        );
    }
}
