//! What was written to a file since it was read last.

use super::file::FileFacts;

/// So much of a file is taken at a time; the rest comes with the next look.
pub const READ_MAX: usize = 4 * 1024 * 1024;

/// How far a file was read: in which file, and up to where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Number of the device the file is on; `None` when that is not known any more, because it may be another one after the
    /// machine was booted.
    pub device: Option<u64>,
    /// Its inode. 0, which no file has, stands for a file that was missing: all that comes is new.
    pub inode: u64,
    /// Bytes of it that were read.
    pub offset: u64,
    /// The line that stands there was judged by its beginning already: the rest of it is passed over.
    pub is_within_line: bool,
}

impl Position {
    /// At the end of a file that is seen for the first time: what it holds was written before anybody looked.
    pub fn at_end(facts: &FileFacts) -> Position {
        Position { offset: facts.size_bytes, ..Position::at_start(facts) }
    }

    /// At the start of a file.
    pub fn at_start(facts: &FileFacts) -> Position {
        Position { device: Some(facts.device), inode: facts.inode, offset: 0, is_within_line: false }
    }

    /// Where to go on reading the file that `facts` shows: after what was read of it, or at its start when it is another file
    /// or has become shorter.
    pub fn resumed(self, facts: &FileFacts) -> Position {
        let is_same = self.inode == facts.inode && self.device.is_none_or(|device| device == facts.device);
        if is_same && self.offset <= facts.size_bytes {
            Position { device: Some(facts.device), ..self }
        } else {
            Position::at_start(facts)
        }
    }
}

/// The lines that were added, and how far the file is read with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewText {
    /// Whole lines with their newlines; the last one may be the beginning of a line.
    bytes: Vec<u8>,
    /// So many bytes of each are looked at.
    line_max: usize,
    /// Where to go on.
    pub position: Position,
}

impl NewText {
    /// The lines in `chunk`, which was read at `from`. A line that has no end yet is left for later, unless a rule would not
    /// look beyond what is there of it (`line_max` bytes; never more than [`READ_MAX`]) or `is_all` says that nothing more
    /// will come: then it counts as it is, and its rest is passed over.
    pub fn new(mut chunk: Vec<u8>, from: Position, line_max: usize, is_all: bool) -> NewText {
        let line_max = line_max.clamp(1, READ_MAX);
        let mut position = from;
        if from.is_within_line {
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let passed = end.map_or(chunk.len(), |end| end + 1);
            position.offset = position.offset.saturating_add(passed as u64);
            position.is_within_line = end.is_none();
            chunk.drain(..passed);
        }
        let whole = chunk.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let begun = chunk.len() - whole;
        if begun >= line_max || is_all && begun > 0 {
            position.is_within_line = true;
        } else {
            chunk.truncate(whole);
        }
        position.offset = position.offset.saturating_add(chunk.len() as u64);
        NewText { bytes: chunk, line_max, position }
    }

    /// No line.
    pub fn none(position: Position) -> NewText {
        NewText { bytes: Vec::new(), line_max: 1, position }
    }

    /// Each line without its newline, cut to what a rule looks at.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.split_inclusive(|byte| *byte == b'\n').map(|line| {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            line.get(..self.line_max).unwrap_or(line)
        })
    }

    /// All that it is made of, for the way through a pipe: [`NewText::from_parts`].
    pub fn parts(&self) -> (&[u8], usize, Position) {
        (&self.bytes, self.line_max, self.position)
    }

    /// What [`NewText::parts`] was made of.
    pub fn from_parts(bytes: Vec<u8>, line_max: usize, position: Position) -> NewText {
        NewText { bytes, line_max, position }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Wall;
    use crate::facts::file::Kind;

    fn file(inode: u64, size_bytes: u64) -> FileFacts {
        let at = Wall::default();
        FileFacts {
            kind: Kind::Regular,
            mode: 0o644,
            uid: 0,
            gid: 0,
            size_bytes,
            links: 1,
            inode,
            device: 3,
            accessed: at,
            changed: at,
            modified: at,
        }
    }

    fn at(offset: u64) -> Position {
        Position { offset, ..Position::at_start(&file(7, 0)) }
    }

    fn read(chunk: &[u8], from: Position, line_max: usize) -> (Vec<String>, u64, bool) {
        let text = NewText::new(chunk.to_vec(), from, line_max, false);
        let lines = text.lines().map(|line| String::from_utf8_lossy(line).into_owned()).collect();
        (lines, text.position.offset, text.position.is_within_line)
    }

    #[test]
    fn reading_goes_on_in_the_same_file_and_begins_anew_in_another_or_a_shorter_one() {
        assert_eq!(at(5).resumed(&file(7, 5)), at(5));
        assert_eq!(at(5).resumed(&file(7, 9)), at(5));
        assert_eq!(at(5).resumed(&file(7, 4)), at(0));
        assert_eq!(at(5).resumed(&file(8, 9)), Position { inode: 8, ..at(0) });
        assert_eq!(at(5).resumed(&FileFacts { device: 4, ..file(7, 9) }), Position { device: Some(4), ..at(0) });
        assert_eq!(Position { device: None, ..at(5) }.resumed(&file(7, 9)), at(5));
        assert_eq!(Position::default().resumed(&file(7, 9)), at(0));
        let within = Position { is_within_line: true, ..at(5) };
        assert!(within.resumed(&file(7, 9)).is_within_line && !within.resumed(&file(7, 4)).is_within_line);
    }

    #[test]
    fn an_unfinished_line_is_left_for_later() {
        assert_eq!(read(b"one\ntwo\nthr", at(0), 100), (vec!["one".into(), "two".into()], 8, false));
        assert_eq!(read(b"thr", at(8), 100), (vec![], 8, false));
        assert_eq!(read(b"three\n\n", at(8), 100), (vec!["three".into(), "".into()], 15, false));
        assert_eq!(read(b"", at(8), 100), (vec![], 8, false));
    }

    #[test]
    fn a_long_line_counts_once_by_its_beginning_whether_it_ends_or_not() {
        assert_eq!(read(b"abcdef\nx\n", at(0), 4), (vec!["abcd".into(), "x".into()], 9, false));
        assert_eq!(read(b"x\nabcde", at(0), 4), (vec!["x".into(), "abcd".into()], 7, true));
        let within = Position { is_within_line: true, ..at(7) };
        assert_eq!(read(b"more", within, 4), (vec![], 11, true));
        assert_eq!(read(b"rest\nnew\npart", within, 100), (vec!["new".into()], 16, false));
        assert_eq!(read(b"\n", within, 4), (vec![], 8, false));
        // A limit beyond what is read at a time does not stop the reading.
        let chunk = vec![b'x'; READ_MAX];
        assert_eq!(read(&chunk, at(0), usize::MAX).1, READ_MAX as u64);
    }

    #[test]
    fn whatever_is_cut_where_every_short_line_comes_exactly_once() {
        let written = b"a\nbb\nccc\nwhat is longer than that\nd\n\nee\n";
        for step in 1..written.len() {
            let (mut position, mut lines, mut end) = (at(0), Vec::new(), 0);
            while end < written.len() {
                end = (end + step).min(written.len());
                let text = NewText::new(written[position.offset as usize..end].to_vec(), position, 8, false);
                lines.extend(text.lines().map(<[u8]>::to_vec));
                position = text.position;
            }
            let expected: [&[u8]; 7] = [b"a", b"bb", b"ccc", b"what is ", b"d", b"", b"ee"];
            assert_eq!(
                (lines, position.offset),
                (expected.map(<[u8]>::to_vec).to_vec(), written.len() as u64),
                "{step}"
            );
        }
    }

    #[test]
    fn of_a_file_that_is_complete_the_last_line_counts_without_its_end() {
        let text = NewText::new(b"one\ntwo".to_vec(), at(0), 100, true);
        assert_eq!(text.lines().collect::<Vec<_>>(), [b"one", b"two"]);
        let (bytes, line_max, position) = text.parts();
        assert_eq!(NewText::from_parts(bytes.to_vec(), line_max, position), text);
        assert_eq!(NewText::none(at(3)).lines().count(), 0);
    }
}
