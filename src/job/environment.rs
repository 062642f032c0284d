//! The environment of programs: defined here, not inherited, so that a program behaves alike whether the daemon was
//! started at boot, by service(8) or from a shell.

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

/// The whole environment of a program: `PATH`, who it runs as, the variables of our own environment that carry locale and
/// time zone (`LANG`, `LC_*`, `TZ`), and `event`, the `MONIT_*` variables.
pub fn environment(
    target: &Target,
    ours: impl IntoIterator<Item = (String, String)>,
    event: impl IntoIterator<Item = (&'static str, String)>,
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
    all.extend(event.into_iter().map(|(name, value)| (name.to_owned(), value)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_defined_variables_are_passed_on() {
        let target = Target { name: "mastodon".into(), home: "/home/m".into(), shell: "/bin/sh".into() };
        let ours = [("FOO", "bar"), ("TZ", "UTC"), ("LC_ALL", "C"), ("PATH", "/evil")]
            .map(|(n, v)| (n.to_owned(), v.to_owned()));
        let all = environment(&target, ours, [("MONIT_SERVICE", "puma".to_owned())]);
        let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "TZ", "LC_ALL", "MONIT_SERVICE"]);
        assert_eq!(all.first().map(|(_, value)| value.as_str()), Some(PATH));
    }
}
