//! What stat(2) says about a path, symbolic links followed.

use std::fmt;

use crate::base::time::Wall;

/// What a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the names of stat(2)
pub enum Kind {
    Regular,
    Socket,
    Directory,
    Fifo,
    /// Anything else, in words with its article: `a block device`.
    Other(&'static str),
}

impl Kind {
    /// The kind whose words these are.
    pub fn from_words(words: &str) -> Kind {
        const KNOWN: [Kind; 6] = [
            Kind::Regular,
            Kind::Socket,
            Kind::Directory,
            Kind::Fifo,
            Kind::Other("a character device"),
            Kind::Other("a block device"),
        ];
        KNOWN.into_iter().find(|kind| kind.to_string() == words).unwrap_or(Kind::Other("of an unknown kind"))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Regular => "a regular file",
            Kind::Socket => "a socket",
            Kind::Directory => "a directory",
            Kind::Fifo => "a FIFO",
            Kind::Other(word) => word,
        })
    }
}

/// What stat(2) says about a path. It says all of it or fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileFacts {
    /// What it is.
    pub kind: Kind,
    /// Permission bits with set-id and sticky ones: `st_mode & 07777`.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Hard links.
    pub links: u64,
    /// Inode number; together with [`FileFacts::device`] it tells a file from a later one of the same name.
    pub inode: u64,
    /// Number of the device the file is on (`st_dev`).
    pub device: u64,
    /// When it was read last (`st_atim`). Times before 1970 count as 1970.
    pub accessed: Wall,
    /// When its inode changed last (`st_ctim`).
    pub changed: Wall,
    /// When its content changed last (`st_mtim`).
    pub modified: Wall,
}

impl FileFacts {
    /// The later of change and modification: what a rule on `timestamp` means.
    pub fn newest(&self) -> Wall {
        self.changed.max(self.modified)
    }

    /// Whether `later` shows the same file with the same content, as far as stat(2) can tell: what was read from it need
    /// not be read again.
    pub fn is_unchanged(&self, later: &FileFacts) -> bool {
        let key = |f: &FileFacts| (f.kind, f.device, f.inode, f.size_bytes, f.modified, f.changed);
        key(self) == key(later)
    }
}

/// What a look at a path showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// It is there.
    Found(FileFacts),
    /// There is no such file, or no such directory on the way to it (ENOENT, ENOTDIR).
    Missing,
    /// The system would not tell, which says nothing about the file; its words.
    Failed(String),
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn facts(changed: u64, modified: u64) -> FileFacts {
        let at = |seconds| Wall::from_epoch(Duration::from_secs(seconds));
        FileFacts {
            kind: Kind::Regular,
            mode: 0o644,
            uid: 0,
            gid: 0,
            size_bytes: 5,
            links: 1,
            inode: 7,
            device: 1,
            accessed: at(99),
            changed: at(changed),
            modified: at(modified),
        }
    }

    #[test]
    fn the_newest_of_change_and_modification_counts_and_reading_does_not() {
        assert_eq!(facts(3, 2).newest().secs(), 3);
        assert_eq!(facts(2, 4).newest().secs(), 4);
    }

    #[test]
    fn a_file_is_the_same_until_content_size_or_inode_changed() {
        let before = facts(3, 2);
        assert!(before.is_unchanged(&FileFacts { accessed: before.changed, links: 2, ..before }));
        assert!(!before.is_unchanged(&FileFacts { inode: 8, ..before }));
        assert!(!before.is_unchanged(&FileFacts { size_bytes: 6, ..before }));
        assert!(!before.is_unchanged(&facts(4, 2)));
    }
}
