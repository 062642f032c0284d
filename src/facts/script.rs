//! Whether somebody else is starting, stopping or restarting a service just now.

use super::process::Listed;
use crate::base::process::Pid;

/// What scripts say that start and stop services, behind the name of the service.
const VERBS: [&[u8]; 3] = [b"start", b"stop", b"restart"];
/// What rc.subr(8) allows in front of a verb.
const MANNERS: [&[u8]; 4] = [b"one", b"force", b"fast", b"quiet"];

/// How the scripts of one service can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scripts {
    /// Names that stand in front of a verb, in the command lines of scripts: the service's own, and those in its programs.
    names: Vec<Vec<u8>>,
    /// Its programs, words joined by single blanks.
    programs: Vec<Vec<u8>>,
}

impl Scripts {
    /// The scripts of a service with that name and these programs, each its path and arguments joined by blanks.
    pub fn new(service: &str, programs: impl IntoIterator<Item = Vec<u8>>) -> Scripts {
        let mut names = vec![service.as_bytes().to_vec()];
        let programs = programs.into_iter().map(|line| {
            let words: Vec<&[u8]> = words(&line).map(|(_, word)| word).collect();
            names.extend(words.windows(2).find_map(|pair| match pair {
                [name, verb] if is_verb(verb) => Some(base(name).to_vec()),
                _ => None,
            }));
            words.join(&b' ')
        });
        let programs = programs.filter(|line| !line.is_empty()).collect();
        Scripts { names, programs }
    }

    /// The first of these processes that is such a script: `service puma restart`, `/bin/sh /usr/local/etc/rc.d/puma
    /// onestop`, or one of the service's own programs as the control file has it. Never this program itself (`own`) or a
    /// zombie. A process whose parent is process 1 and that has the same command line as a program counts for what the dead
    /// service left behind.
    pub fn running<'a>(&self, table: &'a [Listed], own: Pid) -> Option<&'a Listed> {
        table.iter().find(|process| {
            let entry = &process.entry;
            let other = entry.identity.pid != own && !entry.zombie && !entry.kernel;
            let orphan = entry.parent.is_some_and(|parent| parent.get() == 1);
            other && self.is_script(&process.command, orphan)
        })
    }

    /// Looks at each word once and keeps nothing: when everything dies at once this is asked of each process for each service.
    fn is_script(&self, command: &[u8], orphan: bool) -> bool {
        let mut before: &[u8] = b"";
        words(command).any(|(place, word)| {
            let name = std::mem::replace(&mut before, word);
            let named = is_verb(word) && self.names.iter().any(|known| known.as_slice() == base(name));
            let rest = command.get(place..).unwrap_or_default();
            let is_program = |program: &Vec<u8>| {
                rest.strip_prefix(program.as_slice()).is_some_and(|end| end.first().is_none_or(|byte| *byte == b' '))
            };
            named || !orphan && self.programs.iter().any(is_program)
        })
    }
}

/// The words of a line with their places.
fn words(line: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut place = 0;
    let parts = line.split(|byte| *byte == b' ').map(move |word| {
        let start = place;
        place += word.len() + 1;
        (start, word)
    });
    parts.filter(|(_, word)| !word.is_empty())
}

/// The last part of a path.
fn base(word: &[u8]) -> &[u8] {
    word.rsplit(|byte| *byte == b'/').next().unwrap_or(word)
}

fn is_verb(word: &[u8]) -> bool {
    let bare = MANNERS.iter().find_map(|manner| word.strip_prefix(*manner)).unwrap_or(word);
    VERBS.contains(&bare)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::process::{Identity, StartTime};
    use crate::facts::process::Entry;
    use std::time::Duration;

    fn process(pid: i32, parent: i32, command: &str) -> Listed {
        let start = StartTime::from_boot(Duration::from_secs(1));
        let identity = Identity { pid: Pid::new(pid).unwrap(), start };
        let entry = Entry { identity, parent: Pid::new(parent), zombie: false, kernel: false, jail: None };
        Listed { entry, command: command.into() }
    }

    fn scripts(service: &str, programs: &[&str]) -> Scripts {
        Scripts::new(service, programs.iter().map(|line| line.as_bytes().to_vec()))
    }

    fn finds(scripts: &Scripts, parent: i32, command: &str) -> bool {
        scripts.running(&[process(7, parent, command)], Pid::new(5).unwrap()).is_some()
    }

    #[test]
    fn scripts_are_known_by_the_name_in_front_of_their_verb() {
        let puma = scripts("web", &["/usr/sbin/service puma restart", "/usr/sbin/service -j www puma stop"]);
        for command in [
            "/bin/sh /usr/sbin/service puma restart",
            "/bin/sh /usr/local/etc/rc.d/puma onerestart",
            "/bin/sh /etc/init.d/puma stop",
            "sh ./puma faststart",
            "sudo service web stop",
        ] {
            assert!(finds(&puma, 100, command), "{command}");
            assert!(finds(&puma, 1, command), "{command}");
        }
        for command in [
            "puma 5.6 [web]",
            "/bin/sh /usr/local/etc/rc.d/pumas restart",
            "/bin/sh /usr/local/etc/rc.d/puma status",
            "/bin/sh /usr/local/etc/rc.d/puma",
            "monit restart puma",
            "vi /usr/local/etc/rc.d/puma",
            "",
        ] {
            assert!(!finds(&puma, 100, command), "{command}");
        }
    }

    #[test]
    fn a_program_of_the_service_counts_as_it_is_written_but_not_as_an_orphan() {
        let node = scripts("node", &["/home/n/up.sh now", "/usr/local/bin/node"]);
        assert!(finds(&node, 100, "/bin/sh /home/n/up.sh now"));
        assert!(!finds(&node, 100, "/bin/sh /home/n/up.sh"));
        assert!(!finds(&node, 100, "/bin/sh /home/n/up.sh nowhere"));
        assert!(finds(&node, 100, "/usr/local/bin/node"));
        assert!(!finds(&node, 1, "/usr/local/bin/node"), "a worker that outlived its master");
    }

    #[test]
    fn neither_this_program_nor_the_dead_nor_the_kernel_are_scripts() {
        let puma = scripts("puma", &[]);
        let own = Pid::new(7).unwrap();
        let mut one = process(7, 100, "pollux puma start");
        assert_eq!(puma.running(std::slice::from_ref(&one), own), None);
        let other = Pid::new(5).unwrap();
        assert!(puma.running(std::slice::from_ref(&one), other).is_some());
        one.entry.zombie = true;
        assert_eq!(puma.running(std::slice::from_ref(&one), other), None);
        one.entry.zombie = false;
        one.entry.kernel = true;
        assert_eq!(puma.running(&[one], other), None);
    }
}
