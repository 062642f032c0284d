//! What rules test, from what was written.

use super::build::{Builder, to_path};
use super::model::{
    Attribute, Content, Group, Hash, Limit, Measure, Operator, Pattern, Patterns, ServiceType, Test, Unit, User, fits,
};
use crate::syntax::diagnostic::Diagnostic;
use crate::syntax::source::{Span, Text};
use crate::syntax::statement as written;
use crate::syntax::statement::{Expectation, Number};

/// Most bytes of a file with patterns.
const PATTERNS_MAX: u64 = 1024 * 1024;

/// Parts of one unit that values are counted in.
const MILLION: u64 = 1_000_000;

/// Minutes of a day.
const DAY: u64 = 1440;

/// Largest permission bits.
const MODE_MAX: u32 = 0o7777;

impl Builder<'_> {
    /// The test of a rule of the open service; what does not fit its type is an error.
    pub(super) fn test(&mut self, written: written::Test, head: Span) -> Option<Test> {
        let kind = self.service_type()?;
        if !fits(kind, &written) {
            let (words, kind) = (self.words(head), kind.title().to_lowercase());
            self.push(self.error(head, format!("'{words}' cannot be tested on a {kind}")));
            return None;
        }
        Some(match written {
            written::Test::NotExist => Test::NotExist,
            written::Test::Exist => Test::Exist,
            written::Test::Exited => Test::Exited,
            written::Test::Measured { measure, limit } => {
                self.warn_never(&limit);
                self.warn_bytes(measure, &limit);
                if !self.world.tells(kind, measure, limit.unit) {
                    self.warn_untold(head);
                }
                Test::Measured { measure, limit: self::limit(&limit) }
            }
            written::Test::Transferred { upload, limit, minutes } => {
                let minutes = self.range(&minutes)?;
                Test::Transferred { upload, limit: self::limit(&limit), minutes }
            }
            written::Test::Content(content) if kind == ServiceType::Program => {
                let pattern = &content.pattern;
                if pattern.value.starts_with(b"/") {
                    let error = self.error(pattern.span, "there are no files of patterns for the output of programs");
                    self.push(error.with_help("begin the pattern with [/] if it looks for a slash"));
                    return None;
                }
                Test::Content(self.one_content(&content)?)
            }
            written::Test::Content(content) => Test::Content(self.content(&content)?),
            written::Test::ContentChanged(changed) => Test::ContentChanged(changed),
            written::Test::Link(up) => self.link(up, head)?,
            written::Test::Failed(Expectation::Link) => self.link(false, head)?,
            written::Test::Failed(expectation) => {
                if let Expectation::Checksum { expected: None, .. } = &expectation {
                    self.warn_no_checksum(head);
                }
                if matches!(expectation, Expectation::SecurityAttribute { .. }) && !self.world.labels() {
                    self.warn_untold(head);
                }
                self.expectation(expectation)?
            }
            written::Test::Changed(attribute) => {
                if let Attribute::Checksum(_) = attribute {
                    self.warn_no_checksum(head);
                }
                Test::Changed(attribute)
            }
            written::Test::Connection(connection) => Test::Connection(Box::new(self.connection(*connection, head)?)),
        })
    }

    /// A limit that no value can pass.
    fn warn_never(&mut self, limit: &written::Comparison) {
        const WHOLE: u64 = 100 * MILLION;
        let value = limit.millionths.value;
        let percent = limit.unit == Unit::Percent;
        let never = match limit.operator {
            Operator::Greater => percent && value >= WHOLE,
            Operator::GreaterOrEqual | Operator::Equal => percent && value > WHOLE,
            Operator::Less => value == 0,
            Operator::LessOrEqual | Operator::NotEqual => false,
        };
        if never {
            let location = self.location(limit.millionths.span);
            let message = "no value passes this limit, the rule never acts";
            self.push(Diagnostic::warning(location, message));
        }
    }

    /// The system has no such reading.
    fn warn_untold(&mut self, head: Span) {
        let location = self.location(head);
        self.push(Diagnostic::warning(location, "this system does not tell that, the rule is never judged"));
    }

    /// The checksum that is expected is that of a file which is not there.
    fn warn_no_checksum(&mut self, head: Span) {
        if self.checking
            && let Some(path) = self.draft().and_then(|draft| draft.file())
            && self.world.stat(&path).is_err()
        {
            let location = self.location(head);
            let message = "there is no such file now, the checksum is taken when there is one";
            self.push(Diagnostic::warning(location, message));
        }
    }

    /// A share that lacks its sign is taken for a number of bytes.
    fn warn_bytes(&mut self, measure: Measure, limit: &written::Comparison) {
        use Measure::{Memory, Space, SpaceFree, Swap, TotalMemory};
        let share = matches!(measure, Memory | TotalMemory | Swap | Space | SpaceFree);
        if share && limit.unit == Unit::Bytes(1) && limit.millionths.value <= 100 * MILLION {
            let location = self.location(limit.millionths.span);
            self.push(Diagnostic::warning(location, "this counts bytes, is '%' missing?"));
        }
    }

    fn range(&mut self, minutes: &Number) -> Option<u32> {
        self.small(minutes, 0, DAY, "the range in minutes")
    }

    /// Tests for a link that is up and for one that is down cannot stand together.
    fn link(&mut self, up: bool, head: Span) -> Option<Test> {
        let draft = self.draft()?;
        let other = draft.rules.iter().position(|rule| rule.test == Test::Link(!up));
        if let Some(other) = other {
            let first = draft.rule_places.get(other).copied();
            let message = "tests for a link that is up and for one that is down cannot stand together";
            let error = self.error(head, message);
            self.push(match first {
                Some(first) => error.with_note(first, "this is the other one"),
                None => error,
            });
            return None;
        }
        Some(Test::Link(up))
    }

    fn expectation(&mut self, expectation: Expectation) -> Option<Test> {
        Some(match expectation {
            Expectation::Permission(text) => Test::Permission(self.permission(&text)?),
            Expectation::Uid(text) => Test::Uid(self.known_user(&text)?),
            Expectation::EffectiveUid(text) => Test::EffectiveUid(self.known_user(&text)?),
            Expectation::Gid(text) => Test::Gid(self.known_group(&text)?),
            Expectation::Checksum { kind, expected: None } => {
                Test::Checksum { kind: kind.unwrap_or(Hash::Md5), expected: None }
            }
            Expectation::Checksum { kind, expected: Some(text) } => {
                let (kind, expected) = self.checksum(kind, &text)?;
                Test::Checksum { kind, expected: Some(expected) }
            }
            Expectation::SecurityAttribute { differs, attribute, pattern } => {
                if pattern {
                    self.pattern(&attribute)?;
                }
                Test::SecurityAttribute { differs, attribute: attribute.lossy(), pattern }
            }
            Expectation::Link => Test::Link(false),
        })
    }

    /// Permission bits in octal digits.
    pub(super) fn permission(&mut self, text: &Text) -> Option<u32> {
        let mode = u32::from_str_radix(&text.lossy(), 8).ok().filter(|mode| *mode <= MODE_MAX);
        if mode.is_none() {
            self.push(self.error(text.span, "permissions must be an octal number between 0 and 7777"));
        }
        mode
    }

    /// A user that this system has.
    pub(super) fn known_user(&mut self, text: &Text) -> Option<User> {
        let user = self.find_user(text);
        if user.is_none() {
            self.push(self.error(text.span, format!("there is no user '{}' on this system", text.lossy())));
        }
        user
    }

    /// A group that this system has.
    pub(super) fn known_group(&mut self, text: &Text) -> Option<Group> {
        let group = self.find_group(text);
        if group.is_none() {
            self.push(self.error(text.span, format!("there is no group '{}' on this system", text.lossy())));
        }
        group
    }

    /// A content test whose text is a pattern even when it begins with a slash.
    pub(super) fn one_content(&mut self, content: &written::Content) -> Option<Content> {
        let pattern = self.pattern(&content.pattern)?;
        Some(Content { differs: content.differs, patterns: Patterns::One(pattern) })
    }

    /// A content test; a path names a file with patterns.
    pub(super) fn content(&mut self, content: &written::Content) -> Option<Content> {
        if !content.pattern.value.starts_with(b"/") {
            return self.one_content(content);
        }
        let path = to_path(&content.pattern.value);
        let text = match self.world.read_data(&path, PATTERNS_MAX) {
            Ok(text) => text,
            Err(error) => {
                let message = format!("the file with patterns '{}' cannot be read: {error}", path.display());
                self.push(self.error(content.pattern.span, message));
                return None;
            }
        };
        let mut patterns = Vec::new();
        for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
            if line.is_empty() {
                continue;
            }
            match crate::base::ere::compile(line) {
                Ok((regex, _)) => patterns.push(Pattern { source: String::from_utf8_lossy(line).into_owned(), regex }),
                Err(error) => {
                    let (path, line) = (path.display(), number + 1);
                    let message = format!("the pattern in line {line} of '{path}' cannot be used: {}", error.text);
                    self.push(self.error(content.pattern.span, message));
                    return None;
                }
            }
        }
        Some(Content { differs: content.differs, patterns: Patterns::File(path, patterns) })
    }
}

fn limit(written: &written::Comparison) -> Limit {
    Limit { operator: written.operator, millionths: written.millionths.value, unit: written.unit }
}
