//! Answers on their way through the pipe from a helper child: numbers of eight bytes, and bytes after their number.

use std::time::Duration;

use crate::base::time::Wall;
use crate::facts::file::{FileFacts, Kind};
use crate::facts::filesystem::{DiskCounters, FilesystemFacts};

/// An answer that is being put together.
#[derive(Debug, Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// The answer.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }

    /// A number.
    pub fn number(&mut self, number: u64) -> &mut Writer {
        self.0.extend(number.to_le_bytes());
        self
    }

    /// Some bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Writer {
        self.number(bytes.len() as u64).0.extend(bytes);
        self
    }

    /// A number that may be unknown.
    pub fn maybe(&mut self, number: Option<u64>) -> &mut Writer {
        match number {
            None => self.number(0),
            Some(number) => self.number(1).number(number),
        }
    }

    /// A span of time that may be unknown.
    fn span(&mut self, span: Option<Duration>) -> &mut Writer {
        self.maybe(span.map(|span| u64::try_from(span.as_micros()).unwrap_or(u64::MAX)))
    }

    fn instant(&mut self, instant: Wall) -> &mut Writer {
        self.number(instant.secs()).number(u64::from(instant.since_epoch().subsec_nanos()))
    }

    /// What stat(2) said.
    pub fn file(&mut self, facts: &FileFacts) -> &mut Writer {
        self.bytes(facts.kind.to_string().as_bytes());
        for number in [facts.mode, facts.uid, facts.gid].map(u64::from) {
            self.number(number);
        }
        for number in [facts.size_bytes, facts.links, facts.inode, facts.device] {
            self.number(number);
        }
        self.instant(facts.accessed).instant(facts.changed).instant(facts.modified)
    }

    /// What a filesystem said.
    pub fn filesystem(&mut self, facts: &FilesystemFacts) -> &mut Writer {
        use std::os::unix::ffi::OsStrExt;
        self.bytes(facts.fstype.as_bytes()).bytes(facts.flags.as_bytes());
        self.bytes(facts.mount_point.as_os_str().as_bytes()).bytes(facts.device.as_bytes());
        for number in [facts.block_size_bytes, facts.blocks_total, facts.blocks_free, facts.blocks_available] {
            self.number(number);
        }
        let disk = &facts.disk;
        let counters = [disk.read_bytes, disk.written_bytes, disk.reads, disk.writes];
        for number in [facts.inodes_total, facts.inodes_free].into_iter().chain(counters) {
            self.maybe(number);
        }
        self.span(disk.read_time).span(disk.write_time)
    }
}

/// What is left to read of an answer. Each question is answered with `None` when it is torn.
#[derive(Debug)]
pub struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    /// Reads an answer.
    pub fn new(bytes: &'b [u8]) -> Reader<'b> {
        Reader(bytes)
    }

    /// Nothing is left.
    pub fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    /// A number.
    pub fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number))
    }

    /// Some bytes.
    pub fn bytes(&mut self) -> Option<&'b [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    /// A text; what is no UTF-8 in it is replaced.
    pub fn text(&mut self) -> Option<String> {
        self.bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// A number that may be unknown.
    pub fn maybe(&mut self) -> Option<Option<u64>> {
        match self.number()? {
            0 => Some(None),
            _ => self.number().map(Some),
        }
    }

    fn span(&mut self) -> Option<Option<Duration>> {
        self.maybe().map(|span| span.map(Duration::from_micros))
    }

    fn instant(&mut self) -> Option<Wall> {
        let (seconds, nanoseconds) = (self.number()?, u32::try_from(self.number()?).ok()?);
        Some(Wall::from_epoch(Duration::from_secs(seconds).saturating_add(Duration::from_nanos(nanoseconds.into()))))
    }

    /// What stat(2) said.
    pub fn file(&mut self) -> Option<FileFacts> {
        let kind = Kind::from_words(std::str::from_utf8(self.bytes()?).ok()?);
        let mut small = || u32::try_from(self.number()?).ok();
        let (mode, uid, gid) = (small()?, small()?, small()?);
        Some(FileFacts {
            kind,
            mode,
            uid,
            gid,
            size_bytes: self.number()?,
            links: self.number()?,
            inode: self.number()?,
            device: self.number()?,
            accessed: self.instant()?,
            changed: self.instant()?,
            modified: self.instant()?,
        })
    }

    /// What a filesystem said.
    pub fn filesystem(&mut self) -> Option<FilesystemFacts> {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        Some(FilesystemFacts {
            fstype: self.text()?,
            flags: self.text()?,
            mount_point: OsStr::from_bytes(self.bytes()?).into(),
            device: self.text()?,
            block_size_bytes: self.number()?,
            blocks_total: self.number()?,
            blocks_free: self.number()?,
            blocks_available: self.number()?,
            inodes_total: self.maybe()?,
            inodes_free: self.maybe()?,
            disk: DiskCounters {
                read_bytes: self.maybe()?,
                written_bytes: self.maybe()?,
                reads: self.maybe()?,
                writes: self.maybe()?,
                read_time: self.span()?,
                write_time: self.span()?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::file::Look;
    use crate::sys::posix::stat;
    use std::path::Path;

    #[test]
    fn facts_survive_the_pipe_and_torn_ones_are_none() {
        let Look::Found(file) = stat::look(Path::new("/dev/null")) else { panic!("no /dev/null") };
        let mut filesystem =
            FilesystemFacts { mount_point: "/a b".into(), device: "d".into(), ..FilesystemFacts::default() };
        filesystem.disk.read_time = Some(Duration::from_micros(7));
        filesystem.inodes_total = Some(u64::MAX);
        let mut writer = Writer::default();
        writer.file(&file).filesystem(&filesystem).maybe(None).bytes(b"\xff\0");
        let answer = writer.finish();
        let read = |bytes: &[u8]| {
            let mut reader = Reader::new(bytes);
            Some((reader.file()?, reader.filesystem()?, reader.maybe()?, reader.bytes()?.to_vec()))
        };
        assert_eq!(read(&answer), Some((file, filesystem, None, b"\xff\0".to_vec())));
        for end in 0..answer.len() {
            assert_eq!(read(&answer[..end]), None, "{end}");
        }
    }
}
