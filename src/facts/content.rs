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

impl Position {
    /// Whether it is one in that file.
    pub fn is_in(&self, device: u64, inode: u64) -> bool {
        self.inode == inode && (self.device == device || self.device == 0)
    }
}

/// The lines that were added, and how far the file is read with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewText {
    /// Each without its newline, cut to what a rule looks at.
    pub lines: Vec<Vec<u8>>,
    /// Where to go on.
    pub position: Position,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_of_monit_s_is_in_the_file_with_its_inode() {
        let position = |device| Position { device, inode: 7, offset: 1 };
        assert!(position(3).is_in(3, 7) && position(0).is_in(3, 7));
        assert!(!position(3).is_in(4, 7) && !position(0).is_in(3, 8));
    }
}
