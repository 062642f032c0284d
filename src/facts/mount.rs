//! Which filesystems are mounted where, and which of them may never answer.

use std::path::{Component, Path, PathBuf};

use super::filesystem::Mounted;

/// One mounted filesystem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Where it is mounted, absolute.
    pub point: PathBuf,
    /// It needs somebody beyond the kernel to answer: a server, another process.
    pub may_stall: bool,
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mounts {
    all: Vec<Mount>,
    /// Whether any of them may stall; most machines have none, and their paths are not looked at.
    any: bool,
}

impl Mounts {
    /// The mounts in the order the system tells them.
    pub fn new(all: Vec<Mount>) -> Mounts {
        let any = all.iter().any(|mount| mount.may_stall);
        Mounts { all, any }
    }

    /// The places of a table of mounts.
    pub fn of(table: &[Mounted]) -> Mounts {
        let place = |mount: &Mounted| Mount { point: mount.point.clone(), may_stall: mount.may_stall };
        Mounts::new(table.iter().map(place).collect())
    }

    /// What must be assumed when the system does not tell: every path may stall.
    pub fn unknown() -> Mounts {
        Mounts::new(vec![Mount { point: PathBuf::from("/"), may_stall: true }])
    }

    /// Whether any of them may stall.
    pub fn may_any_stall(&self) -> bool {
        self.any
    }

    /// The mount point of the filesystem that holds `path`, if that may stall. Decided by the path alone: the longest mount
    /// point that is a part of it; of several there the one that may stall. A path with `..` may lead anywhere. Symbolic
    /// links are not followed, because looking at one may stall.
    pub fn stalling(&self, path: &Path) -> Option<&Path> {
        if !self.any {
            return None;
        }
        let holds = |mount: &&Mount| path.starts_with(&mount.point);
        let found = if path.components().any(|part| part == Component::ParentDir) {
            self.all.iter().find(|mount| mount.may_stall)
        } else {
            let key = |mount: &&Mount| (mount.point.components().count(), mount.may_stall);
            self.all.iter().filter(holds).max_by_key(key).filter(|mount| mount.may_stall)
        };
        found.map(|mount| mount.point.as_path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mounts(table: &[(&str, bool)]) -> Mounts {
        Mounts::new(
            table.iter().map(|(point, may_stall)| Mount { point: point.into(), may_stall: *may_stall }).collect(),
        )
    }

    fn stalling<'m>(mounts: &'m Mounts, path: &str) -> Option<&'m str> {
        mounts.stalling(Path::new(path)).map(|point| point.to_str().unwrap())
    }

    #[test]
    fn the_longest_mount_point_decides() {
        let table = mounts(&[("/", false), ("/nfs", true), ("/nfs/local", false), ("/run", false)]);
        assert_eq!(stalling(&table, "/nfs/a/b.pid"), Some("/nfs"));
        assert_eq!(stalling(&table, "/nfs"), Some("/nfs"));
        assert_eq!(stalling(&table, "/nfs/local/b.pid"), None);
        assert_eq!(stalling(&table, "/nfs2/b.pid"), None);
        assert_eq!(stalling(&table, "/run/b.pid"), None);
        assert_eq!(stalling(&table, "/run/../nfs/b.pid"), Some("/nfs"));
    }

    #[test]
    fn a_root_that_may_stall_holds_what_nothing_else_holds() {
        let table = mounts(&[("/", true), ("/run", false), ("/net", true), ("/net", false)]);
        assert_eq!(stalling(&table, "/etc/x"), Some("/"));
        assert_eq!(stalling(&table, "/run/x"), None);
        assert_eq!(stalling(&table, "/net/x"), Some("/net"));
        assert_eq!(stalling(&Mounts::unknown(), "/x"), Some("/"));
        assert_eq!(stalling(&mounts(&[("/", false)]), "/../x"), None);
        assert_eq!(stalling(&Mounts::default(), "/x"), None);
    }
}
