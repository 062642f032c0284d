//! What was written to a file since it was read last.

/// How far a file was read: in which file, and up to where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Number of the device the file is on; 0 when it is not known, because Monit's state file does not tell: then the
    /// inode alone tells which file it was.
    pub device: u64,
    /// Its inode.
    pub inode: u64,
    /// Bytes of it that were read, whole lines only.
    pub offset: u64,
}

/// The lines that were added, and how far the file is read with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewText {
    /// Each without its newline, cut to what a rule looks at.
    pub lines: Vec<Vec<u8>>,
    /// Where to go on.
    pub position: Position,
}
