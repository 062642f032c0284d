//! Control-file texts and places in them.

use std::cell::{Cell, OnceCell};
use std::path::{Path, PathBuf};

use super::secret;

/// A range of bytes; `end` is the first byte behind it. Statements may extend over several files, so the parser counts bytes
/// through all of them ([`Source::base`]); in a [`Location`] they are counted from the start of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// First byte behind the range.
    pub end: usize,
}

impl Span {
    /// The range from the start of this one to the end of `other`.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start, end: other.end.max(self.end) }
    }
}

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// What was written.
    pub value: T,
    /// Where.
    pub span: Span,
}

/// Bytes as written in the file, with quotes and escapes taken off.
pub type Text = Spanned<Vec<u8>>;

impl Text {
    /// The text for messages; bytes that are not UTF-8 are replaced.
    pub fn lossy(&self) -> String {
        String::from_utf8_lossy(&self.value).into_owned()
    }
}

/// Number of a source in [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(usize);

/// A range of bytes in one of several sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location {
    /// The source.
    pub source: SourceId,
    /// The range in it.
    pub span: Span,
}

/// Line and column as people count them, from 1. Columns are characters, a byte that is not UTF-8 counts as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// One control file.
#[derive(Clone, Debug)]
pub struct Source {
    path: PathBuf,
    text: Vec<u8>,
    base: usize,
    included: Option<Location>,
    line_starts: Vec<usize>,
    secrets: OnceCell<Vec<Span>>,
}

impl Source {
    fn new(path: PathBuf, text: Vec<u8>, base: usize, included: Option<Location>) -> Source {
        let ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(place, _)| place + 1);
        let line_starts = std::iter::once(0).chain(ends).collect();
        Source { path, text, base, included, line_starts, secrets: OnceCell::new() }
    }

    /// The file's name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's bytes.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The parser's place of the first byte.
    pub fn base(&self) -> usize {
        self.base
    }

    /// The place of the `include` that brought it; `None` for the control file.
    pub fn included(&self) -> Option<Location> {
        self.included
    }

    /// Whether byte `offset` belongs to something that must not be shown.
    pub fn is_secret(&self, offset: usize) -> bool {
        let secrets = self.secrets.get_or_init(|| secret::secrets(&self.text));
        let next = secrets.partition_point(|secret| secret.end <= offset);
        secrets.get(next).is_some_and(|secret| secret.start <= offset)
    }

    fn line_index(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// The range of the line that holds byte `offset`, without its line end.
    pub fn line_span(&self, offset: usize) -> Span {
        let index = self.line_index(offset);
        let start = self.line_starts.get(index).copied().unwrap_or(0);
        let next = self.line_starts.get(index + 1).copied();
        let end = next.map_or(self.text.len(), |next| next.saturating_sub(1));
        let bytes = self.text.get(start..end).unwrap_or_default();
        Span { start, end: end - usize::from(bytes.ends_with(b"\r")) }
    }

    /// The line of byte `offset`, counted from 1.
    pub fn line(&self, offset: usize) -> u32 {
        u32::try_from(self.line_index(offset) + 1).unwrap_or(u32::MAX)
    }

    /// Line and column of byte `offset`.
    pub fn position(&self, offset: usize) -> Position {
        let offset = offset.min(self.text.len());
        let index = self.line_index(offset);
        let start = self.line_starts.get(index).copied().unwrap_or(0);
        let before = String::from_utf8_lossy(self.text.get(start..offset).unwrap_or_default()).chars().count();
        Position { line: self.line(offset), column: u32::try_from(before + 1).unwrap_or(u32::MAX) }
    }
}

/// All control files of one load. They stay where they are while more come in, since statements may begin in one file and
/// end in another: so they are kept in shelves, each twice as long as the one before.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    shelves: [OnceCell<Box<[OnceCell<Source>]>>; 32],
    count: Cell<usize>,
    /// The place behind the last byte.
    end: Cell<usize>,
}

impl Sources {
    /// Takes a file's text in.
    pub fn add(&self, path: PathBuf, text: Vec<u8>) -> SourceId {
        self.put(path, text, None)
    }

    /// Takes the text of a file in that is included at `place`.
    pub fn add_included(&self, path: PathBuf, text: Vec<u8>, place: Location) -> SourceId {
        self.put(path, text, Some(place))
    }

    fn put(&self, path: PathBuf, text: Vec<u8>, included: Option<Location>) -> SourceId {
        let id = self.count.get();
        let (number, place) = shelf(id);
        let base = self.end.get();
        // A byte between two files keeps the end of one and the start of the next apart.
        self.end.set(base + text.len() + 1);
        self.count.set(id + 1);
        if let Some(shelf) = self.shelves.get(number) {
            let shelf = shelf.get_or_init(|| (0..1_usize << number).map(|_| OnceCell::new()).collect());
            shelf.get(place).map(|slot| slot.get_or_init(|| Source::new(path, text, base, included)));
        }
        SourceId(id)
    }

    /// The file with that number.
    pub fn get(&self, id: SourceId) -> Option<&Source> {
        let (shelf, place) = shelf(id.0);
        self.shelves.get(shelf)?.get()?.get(place)?.get()
    }

    /// Where a range of the parser is; what reaches over the end of its file is cut.
    pub fn locate(&self, span: Span) -> Location {
        let base = |id: usize| self.get(SourceId(id)).map_or(usize::MAX, Source::base);
        let (mut first, mut behind) = (0, self.len());
        while first + 1 < behind {
            let middle = first + (behind - first) / 2;
            if base(middle) <= span.start { first = middle } else { behind = middle }
        }
        let source = SourceId(first);
        let (base, length) = self.get(source).map_or((0, 0), |source| (source.base, source.text.len()));
        let local = |place: usize| place.saturating_sub(base).min(length);
        Location { source, span: Span { start: local(span.start), end: local(span.end.max(span.start)) } }
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.count.get()
    }

    /// Whether no file was added.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The shelf of a source, and its place there.
fn shelf(id: usize) -> (usize, usize) {
    let number = (id + 1).ilog2();
    (number as usize, id + 1 - (1 << number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters() {
        let source = Source::new(PathBuf::from("f"), b"a\n\xc3\xa9b\r\n\xff\tc".to_vec(), 0, None);
        assert_eq!(source.position(0), Position { line: 1, column: 1 });
        assert_eq!(source.position(1), Position { line: 1, column: 2 });
        assert_eq!(source.position(4), Position { line: 2, column: 2 });
        assert_eq!(source.position(9), Position { line: 3, column: 3 });
        assert_eq!(source.position(1000), Position { line: 3, column: 4 });
        assert_eq!(source.line_span(4), Span { start: 2, end: 5 });
        assert_eq!(source.line_span(9), Span { start: 7, end: 10 });
    }

    #[test]
    fn an_empty_text_has_one_line() {
        let source = Source::new(PathBuf::from("f"), Vec::new(), 0, None);
        assert_eq!(source.position(0), Position { line: 1, column: 1 });
        assert_eq!(source.line_span(0), Span { start: 0, end: 0 });
    }

    #[test]
    fn many_files_keep_their_places() {
        let sources = Sources::default();
        let all: Vec<SourceId> = (0..1000).map(|n| sources.add(format!("/{n}").into(), vec![b'x'; n % 7])).collect();
        assert_eq!(sources.len(), 1000);
        for (n, id) in all.iter().enumerate() {
            let source = sources.get(*id).unwrap();
            assert_eq!((source.path(), source.text().len()), (Path::new(&format!("/{n}")), n % 7));
            let (start, end) = (source.base(), source.base() + n % 7);
            assert_eq!(sources.locate(Span { start, end }).source, *id);
            let beyond = Span { start: end, end: end + 100 };
            assert_eq!(sources.locate(beyond), Location { source: *id, span: Span { start: n % 7, end: n % 7 } });
        }
        assert!(sources.get(SourceId(1000)).is_none());
    }
}
