//! Which process a pattern means.

use std::collections::HashSet;

use regex::bytes::Regex;

use super::process::Listed;
use crate::base::process::Pid;

/// The processes whose command line the pattern matches, in the order of the table. Never among them: this program
/// (`own`), its children that did not exec yet and so still carry its command line, a `pollux procmatch` that carries the
/// pattern itself, zombies and kernel threads.
pub fn matches<'a>(table: &'a [Listed], pattern: &Regex, own: Pid) -> Vec<&'a Listed> {
    let own_command = table.iter().find(|p| p.entry.identity.pid == own).map(|p| p.command.as_slice());
    let is_own = |process: &Listed| {
        process.entry.identity.pid == own
            || process.entry.parent == Some(own) && own_command == Some(process.command.as_slice())
            || is_procmatch(&process.command)
    };
    table.iter().filter(|p| !p.entry.zombie && !p.entry.kernel && pattern.is_match(&p.command) && !is_own(p)).collect()
}

fn is_procmatch(command: &[u8]) -> bool {
    let mut words = command.split(|byte| *byte == b' ');
    let name = words.next().and_then(|path| path.rsplit(|byte| *byte == b'/').next());
    matches!(name, Some(b"pollux" | b"monit")) && words.any(|word| word == b"procmatch")
}

/// The one process among `matches` that stands for the service: of those whose parent does not match too, the longest
/// running (the lower number when two started at once). `None` only when there is no match.
pub fn select<'a>(matches: &[&'a Listed]) -> Option<&'a Listed> {
    let pids: HashSet<Pid> = matches.iter().map(|p| p.entry.identity.pid).collect();
    let oldest = |among: &mut dyn Iterator<Item = &&'a Listed>| {
        among.min_by_key(|p| (p.entry.identity.start, p.entry.identity.pid)).copied()
    };
    let is_root = |p: &&&Listed| p.entry.parent.is_none_or(|parent| !pids.contains(&parent));
    // The table is not read in one instant, so a reused number can make two processes each other's parents.
    oldest(&mut matches.iter().filter(is_root)).or_else(|| oldest(&mut matches.iter()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::process::{Identity, StartTime};
    use crate::facts::process::Entry;
    use std::time::Duration;

    const OWN: i32 = 50;

    fn process(pid: i32, parent: i32, start: u64, command: &str) -> Listed {
        let start = StartTime::from_boot(Duration::from_secs(start));
        let identity = Identity { pid: Pid::new(pid).unwrap(), start };
        let entry = Entry { identity, parent: Pid::new(parent), zombie: false, kernel: false, jail: None };
        Listed { entry, command: command.into() }
    }

    fn found(table: &[Listed], pattern: &str) -> (Vec<i32>, Option<i32>) {
        let all = matches(table, &Regex::new(pattern).unwrap(), Pid::new(OWN).unwrap());
        let number = |p: &Listed| p.entry.identity.pid.get();
        (all.iter().map(|p| number(p)).collect(), select(&all).map(number))
    }

    #[test]
    fn the_oldest_master_wins_over_older_looking_workers() {
        let table = [
            process(300, 1, 90, "puma 5.6 [mastodon]"),
            process(200, 1, 80, "puma 5.6 [mastodon]"),
            process(201, 200, 10, "puma: cluster worker 0: 200 [mastodon]"),
            process(100, 1, 5, "nginx: master"),
        ];
        assert_eq!(found(&table, r"puma.*\[mastodon\]"), (vec![300, 200, 201], Some(200)));
        assert_eq!(found(&table, "postgres"), (vec![], None));
    }

    #[test]
    fn of_two_that_started_in_the_same_tick_the_lower_number_wins() {
        let table = [process(8, 1, 5, "x"), process(7, 1, 5, "x")];
        assert_eq!(found(&table, "x").1, Some(7));
    }

    #[test]
    fn a_circle_of_parents_still_yields_the_oldest() {
        let table = [process(8, 7, 5, "x"), process(7, 8, 4, "x")];
        assert_eq!(found(&table, "x").1, Some(7));
    }

    /// Work that grew with the square of this would not end within the hour.
    #[test]
    fn tens_of_thousands_of_matches_are_one_pass() {
        let table: Vec<Listed> = (100..65_636).map(|pid| process(pid, pid - 1, 5, "x")).collect();
        let (all, selected) = found(&table, "x");
        assert_eq!((all.len(), selected), (65_536, Some(100)));
    }

    #[test]
    fn we_are_never_matched_but_what_we_started_is() {
        let table = [
            process(OWN, 1, 1, "pollux -c puma.conf"),
            process(51, OWN, 2, "pollux -c puma.conf"),
            process(52, OWN, 3, "puma"),
            process(53, 1, 4, "pollux -c puma.conf"),
            process(54, 2, 1, "/usr/local/bin/pollux -c x procmatch puma.*"),
        ];
        assert_eq!(found(&table, "puma"), (vec![52, 53], Some(52)));
    }

    #[test]
    fn zombies_and_kernel_threads_match_nothing() {
        let mut table = [process(7, 1, 1, "x"), process(8, 1, 1, "x"), process(9, 7, 2, "x")];
        table[0].entry.zombie = true;
        table[1].entry.kernel = true;
        assert_eq!(found(&table, ""), (vec![9], Some(9)));
    }
}
