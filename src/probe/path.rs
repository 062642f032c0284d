//! Files, FIFOs and directories: what stat(2) says of them, and what was written to them since.

use std::path::{Path, PathBuf};

use super::wire::{Reader, Writer};
use crate::base::time::{LocalTime, Wall};
use crate::config::{Service, Test};
use crate::facts::content::{NewText, Position, READ_MAX};
use crate::facts::file::{FileFacts, Kind, Look};
use crate::facts::observation::{LocalTimes, PathObservation};
use crate::sys::posix::{content, stat};

/// What is asked of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    path: PathBuf,
    /// Up to where it was read and how many bytes of a line are looked at; `None` when no rule asks.
    text: Option<(Option<Position>, usize)>,
}

impl Question {
    /// What the rules of the service ask of its path. `position` is how far it was read, `buffer` the limit
    /// `fileContentBuffer`, of which the original keeps one byte for itself.
    pub fn new(service: &Service, path: &Path, position: Option<Position>, buffer: usize) -> Question {
        let asks = service.rules.iter().any(|rule| matches!(rule.test, Test::Content(_)));
        Question { path: path.to_owned(), text: asks.then_some((position, buffer.saturating_sub(1))) }
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What stat(2) says.
    pub look: Look,
    /// See [`PathObservation::text`].
    pub text: Option<Result<NewText, String>>,
}

/// Looks. May wait for the filesystem: see [`super::remote`].
pub fn look(question: &Question) -> Seen {
    let look = stat::look(&question.path);
    let text = match (&look, question.text) {
        (Look::Found(facts), Some((position, line_max))) if facts.kind == Kind::Regular => {
            Some(new_text(&question.path, facts, position, line_max))
        }
        _ => None,
    };
    Seen { look, text }
}

fn new_text(path: &Path, facts: &FileFacts, known: Option<Position>, line_max: usize) -> Result<NewText, String> {
    // These have no size and no end; each look shows what they say now.
    let is_made_up = path.starts_with("/proc");
    let place = |facts: &FileFacts| match known {
        _ if is_made_up => Position::at_start(facts),
        None => Position::at_end(facts),
        Some(position) => position.resumed(facts),
    };
    let position = place(facts);
    if position.offset == facts.size_bytes && !is_made_up {
        return Ok(NewText::none(position));
    }
    let read = || {
        let (file, facts) = content::open(path)?;
        // The file that is open, which may have come in place of the one that was looked at.
        let position = place(&facts);
        Ok(NewText::new(content::read_at(&file, position.offset, READ_MAX)?, position, line_max, is_made_up))
    };
    read().map_err(|error: std::io::Error| error.to_string())
}

/// What the rules are judged by: seen at that time, which `local` puts into the local time zone.
pub fn observation(seen: Seen, at: Wall, local: impl Fn(Wall) -> LocalTime) -> PathObservation {
    let local = match &seen.look {
        Look::Found(facts) => Some(LocalTimes::of(facts, local)),
        Look::Missing | Look::Failed(_) => None,
    };
    PathObservation { look: seen.look, local, text: seen.text, at }
}

/// For the way through a helper's pipe.
pub(super) fn encode(seen: &Seen) -> Vec<u8> {
    let mut writer = Writer::default();
    match &seen.look {
        Look::Found(facts) => writer.number(0).file(facts),
        Look::Missing => writer.number(1),
        Look::Failed(why) => writer.number(2).bytes(why.as_bytes()),
    };
    match &seen.text {
        None => writer.number(0),
        Some(Err(why)) => writer.number(1).bytes(why.as_bytes()),
        Some(Ok(text)) => {
            let (bytes, line_max, position) = text.parts();
            writer.number(2).bytes(bytes).number(line_max as u64).maybe(position.device);
            writer.number(position.inode).number(position.offset).number(u64::from(position.is_within_line))
        }
    };
    writer.finish()
}

/// What [`encode`] was given; `None` when the answer is torn.
pub(super) fn decode(bytes: &[u8]) -> Option<Seen> {
    let mut reader = Reader::new(bytes);
    let look = match reader.number()? {
        0 => Look::Found(reader.file()?),
        1 => Look::Missing,
        _ => Look::Failed(reader.text()?),
    };
    let text = match reader.number()? {
        0 => None,
        1 => Some(Err(reader.text()?)),
        _ => {
            let (bytes, line_max) = (reader.bytes()?.to_vec(), usize::try_from(reader.number()?).ok()?);
            let position = Position {
                device: reader.maybe()?,
                inode: reader.number()?,
                offset: reader.number()?,
                is_within_line: reader.number()? != 0,
            };
            Some(Ok(NewText::from_parts(bytes, line_max, position)))
        }
    };
    Some(Seen { look, text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::count;
    use std::fs::{self, OpenOptions};
    use std::io::Write;

    struct Scene {
        dir: PathBuf,
        position: Option<Position>,
    }

    impl Scene {
        fn new(name: &str) -> Scene {
            let dir = std::env::temp_dir().join(format!("pollux-path-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&dir);
            fs::create_dir_all(&dir).unwrap();
            Scene { dir, position: None }
        }

        fn path(&self) -> PathBuf {
            self.dir.join("file")
        }

        fn append(&self, text: &[u8]) {
            OpenOptions::new().append(true).create(true).open(self.path()).unwrap().write_all(text).unwrap();
        }

        /// The new lines, by way of a pipe.
        fn lines(&mut self) -> Vec<String> {
            let question = Question { path: self.path(), text: Some((self.position, 511)) };
            let seen = look(&question);
            assert_eq!(decode(&encode(&seen)), Some(seen.clone()));
            let text = seen.text.unwrap().unwrap();
            self.position = Some(text.position);
            text.lines().map(|line| String::from_utf8_lossy(line).into_owned()).collect()
        }
    }

    impl Drop for Scene {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }

    #[test]
    fn new_lines_come_once_over_rotation_and_truncation() {
        let mut scene = Scene::new("lines");
        scene.append(b"old\n");
        assert_eq!(scene.lines(), [""; 0]);
        scene.append(b"one\ntw");
        assert_eq!(scene.lines(), ["one"]);
        scene.append(b"o\n\xff\n");
        assert_eq!(scene.lines(), ["two", "\u{fffd}"]);
        fs::rename(scene.path(), scene.dir.join("file.1")).unwrap();
        scene.append(b"three\n");
        assert_eq!(scene.lines(), ["three"]);
        fs::write(scene.path(), "4\n").unwrap();
        assert_eq!(scene.lines(), ["4"]);
        assert_eq!(scene.lines(), [""; 0]);
    }

    #[test]
    fn much_text_comes_in_parts_without_loss_and_no_news_costs_one_call() {
        let mut scene = Scene::new("much");
        scene.append(b"");
        scene.lines();
        let line = "x".repeat(99);
        let text = format!("{line}\n").repeat(110_000);
        scene.append(text.as_bytes());
        let mut counts = Vec::new();
        while counts.iter().sum::<usize>() < 110_000 {
            let lines = scene.lines();
            assert!(lines.iter().all(|read| *read == line));
            counts.push(lines.len());
        }
        assert_eq!(counts, [41_943, 41_943, 26_114]);
        let question = Question { path: scene.path(), text: Some((scene.position, 511)) };
        let before = count::taken();
        look(&question);
        assert_eq!(count::taken() - before, 1);
    }

    #[test]
    fn torn_answers_are_none_and_what_is_no_file_is_not_read() {
        let scene = Scene::new("kinds");
        scene.append(b"x\n");
        let seen = look(&Question { path: scene.path(), text: Some((Some(Position::default()), 5)) });
        let bytes = encode(&seen);
        for end in 0..bytes.len() {
            assert_eq!(decode(&bytes[..end]), None, "{end}");
        }
        for (path, is_missing) in [(scene.dir.clone(), false), (scene.dir.join("nothing"), true)] {
            let seen = look(&Question { path, text: Some((None, 5)) });
            assert_eq!((seen.look == Look::Missing, &seen.text), (is_missing, &None));
            assert_eq!(decode(&encode(&seen)), Some(seen));
        }
    }

    #[test]
    fn files_of_proc_are_read_from_their_start_each_time() {
        for _ in 0..if Path::new("/proc/self/status").exists() { 2 } else { 0 } {
            let question = Question { path: "/proc/self/status".into(), text: Some((None, 511)) };
            let text = look(&question).text.unwrap().unwrap();
            assert!(text.lines().any(|line| line.starts_with(b"Pid:")), "{text:?}");
        }
    }
}
