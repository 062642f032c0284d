//! Filesystems: which mount is meant, how full it is, what its disk did.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::wire::{Reader, Writer};
use crate::config::{Measure, Service, Test};
use crate::facts::file::Look;
use crate::facts::filesystem::Mounted;
use crate::facts::observation::{FilesystemObservation, FilesystemProblem};
use crate::sys::platform::disk::Disks;
use crate::sys::platform::filesystem;
use crate::sys::posix::{mounted, stat};

/// What is asked of a filesystem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    wanted: PathBuf,
    /// What is mounted, as it was when the question was asked.
    table: Rc<Vec<Mounted>>,
    /// A rule asks what its disk did.
    asks_disk: bool,
}

impl Question {
    /// What the rules of the service ask of the filesystem that `wanted` names among the mounts of `table`.
    pub fn new(service: &Service, wanted: &Path, table: Rc<Vec<Mounted>>) -> Question {
        let asks_disk = service.rules.iter().any(|rule| {
            matches!(&rule.test, Test::Measured { measure: Measure::Read | Measure::Write | Measure::ServiceTime, .. })
        });
        Question { wanted: wanted.to_owned(), table, asks_disk }
    }
}

/// Looks. May wait for the filesystem: see [`super::remote`].
pub fn look(question: &Question) -> FilesystemObservation {
    let Some(mount) = mounted::find(&question.table, &question.wanted) else {
        return nothing(FilesystemProblem::Missing("nothing is mounted there".to_owned()));
    };
    let mut facts = match filesystem::facts(&mount) {
        Ok(facts) => facts,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return nothing(FilesystemProblem::Missing(error.to_string()));
        }
        Err(error) => return nothing(FilesystemProblem::Silent(error.to_string())),
    };
    // People like to see what disks did, and most tell it in one call; of ZFS all datasets have to be looked through.
    if question.asks_disk || mount.fstype != "zfs" {
        facts.disk = Disks::live().counters(&mount).unwrap_or_default();
    }
    let mount_point = match stat::look(&mount.point) {
        Look::Found(file) => Some(file),
        Look::Missing | Look::Failed(_) => None,
    };
    FilesystemObservation { facts: Ok(facts), mount_point }
}

/// Of a filesystem of which nothing is known.
pub fn nothing(why: FilesystemProblem) -> FilesystemObservation {
    FilesystemObservation { facts: Err(why), mount_point: None }
}

/// For the way through a helper's pipe.
pub(super) fn encode(seen: &FilesystemObservation) -> Vec<u8> {
    let mut writer = Writer::default();
    match &seen.facts {
        Ok(facts) => writer.number(0).filesystem(facts),
        Err(FilesystemProblem::Missing(why)) => writer.number(1).bytes(why.as_bytes()),
        Err(FilesystemProblem::Silent(why)) => writer.number(2).bytes(why.as_bytes()),
    };
    match &seen.mount_point {
        None => writer.number(0),
        Some(file) => writer.number(1).file(file),
    };
    writer.finish()
}

/// What [`encode`] was given; `None` when the answer is torn.
pub(super) fn decode(bytes: &[u8]) -> Option<FilesystemObservation> {
    let mut reader = Reader::new(bytes);
    let facts = match reader.number()? {
        0 => Ok(reader.filesystem()?),
        1 => Err(FilesystemProblem::Missing(reader.text()?)),
        _ => Err(FilesystemProblem::Silent(reader.text()?)),
    };
    let mount_point = match reader.number()? {
        0 => None,
        _ => Some(reader.file()?),
    };
    Some(FilesystemObservation { facts, mount_point })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(wanted: &str) -> FilesystemObservation {
        let table = Rc::new(crate::sys::platform::mounts::table().unwrap());
        look(&Question { wanted: wanted.into(), table, asks_disk: true })
    }

    #[test]
    fn the_root_answers_and_survives_the_pipe_and_a_directory_on_it_names_nothing() {
        let root = ask("/");
        let facts = root.facts.as_ref().unwrap();
        assert!(facts.total_bytes() > 0 && facts.mount_point == Path::new("/"), "{facts:?}");
        assert!(root.mount_point.is_some());
        let none = ask("/nothing/here");
        assert!(matches!(&none.facts, Err(FilesystemProblem::Missing(_))), "{none:?}");
        let silent = nothing(FilesystemProblem::Silent("why".to_owned()));
        for seen in [root, none, silent] {
            // The pipe carries microseconds, which is what the system tells.
            assert_eq!(decode(&encode(&seen)), Some(seen));
        }
        assert_eq!(decode(b""), None);
    }
}
