//! Tests of a rule, all but those over the network, which are in `network.rs`.

use super::lexer::{Token, TokenKind};
use super::parser::{Parse, Parser};
use super::source::{Span, Spanned, Text};
use super::statement::{
    Attribute, Comparison, Content, CpuKind, Expectation, Hash, Measure, Number, Operator, Test, Timestamp, Unit,
};

/// Parts of one unit that values are counted in.
const MILLION: u64 = 1_000_000;

const OPERATORS: [(&str, Operator); 14] = [
    ("lt", Operator::Less),
    ("less", Operator::Less),
    ("newer", Operator::Less),
    ("le", Operator::LessOrEqual),
    ("gt", Operator::Greater),
    ("greater", Operator::Greater),
    ("more", Operator::Greater),
    ("older", Operator::Greater),
    ("ge", Operator::GreaterOrEqual),
    ("eq", Operator::Equal),
    ("equal", Operator::Equal),
    ("ne", Operator::NotEqual),
    ("notequal", Operator::NotEqual),
    // Compares with the number that follows, not with the reading before.
    ("changed", Operator::NotEqual),
];

/// Units of ages, in milliseconds; a month has 31 days.
const AGES: [(&str, u64); 11] = [
    ("second", 1000),
    ("seconds", 1000),
    ("s", 1000),
    ("minute", 60_000),
    ("minutes", 60_000),
    ("m", 60_000),
    ("hour", 3_600_000),
    ("hours", 3_600_000),
    ("h", 3_600_000),
    ("day", 86_400_000),
    ("days", 86_400_000),
];

const CPU_KINDS: [(&str, CpuKind); 14] = [
    ("user", CpuKind::User),
    ("usr", CpuKind::User),
    ("us", CpuKind::User),
    ("system", CpuKind::System),
    ("sys", CpuKind::System),
    ("sy", CpuKind::System),
    ("wait", CpuKind::Wait),
    ("wa", CpuKind::Wait),
    ("nice", CpuKind::Nice),
    ("hardirq", CpuKind::HardIrq),
    ("softirq", CpuKind::SoftIrq),
    ("steal", CpuKind::Steal),
    ("guest", CpuKind::Guest),
    ("guestnice", CpuKind::GuestNice),
];

/// Which units a value can have, and whether it must be whole.
#[derive(Clone, Copy)]
enum Units {
    Percent,
    WholePercent,
    SizeOrPercent,
    CountOrPercent,
    Count,
    Ratio,
    Age,
    Rate,
    Latency,
    Size,
    Traffic,
}

impl Parser<'_> {
    /// A test that begins with the next token; nothing is taken when none does. Like the original, of several tests of
    /// resources one after the other, this takes the last.
    pub(super) fn local_test(&mut self) -> Parse<Option<Test>> {
        let mut start = self.peek().span;
        let mut test = self.one_test()?;
        while test.as_ref().is_some_and(is_resource) && self.begins_resource() {
            let message =
                "another test follows in this 'if': only the last one counts, as in Monit; write an 'if' for each";
            self.warn(start.to(self.last()), message);
            start = self.peek().span;
            test = self.one_test()?;
        }
        Ok(test)
    }

    /// Whether the next token begins a test of a resource.
    fn begins_resource(&mut self) -> bool {
        const WORDS: [&str; 12] = [
            "cpu",
            "memory",
            "mem",
            "totalmemory",
            "totalmem",
            "swap",
            "loadavg",
            "threads",
            "children",
            "read",
            "write",
            "disk",
        ];
        let (first, second) = (self.peek(), self.peek_second());
        let is_one = |token: Token, words: &[&str]| words.iter().any(|word| self.is(token, word));
        is_one(first, &WORDS)
            || is_one(first, &["thread", "child"])
            || self.is(first, "total") && is_one(second, &["cpu", "memory", "mem"])
    }

    fn one_test(&mut self) -> Parse<Option<Test>> {
        if self.accept("changed") {
            return self.attribute().map(Test::Changed).map(Some);
        }
        let (first, second) = (self.peek(), self.peek_second());
        if self.is(first, "failed") && self.is_expectation(second) {
            self.advance();
            return self.expectation().map(Test::Failed).map(Some);
        }
        if self.is(first, "not") && self.is(second, "match") {
            self.advance();
        }
        if self.accept("match") {
            let differs = self.is(first, "not");
            return self.pattern().map(|pattern| Some(Test::Content(Content { is_match: true, differs, pattern })));
        }
        if self.accept("security") {
            return self.security_attribute().map(Test::Failed).map(Some);
        }
        if self.is(first, "content") {
            if self.is(second, "changed") || self.is(second, "not") {
                self.advance();
                let changed = !self.accept("not");
                let help = "write '!=' in front of a pattern that must not match";
                self.expect("changed").map_err(|error| Box::new(error.with_help(help)))?;
                return Ok(Some(Test::ContentChanged(changed)));
            }
            return self.content().map(Test::Content).map(Some);
        }
        if self.accept("link") {
            let up = self.expect_of("'up' or 'down'", &[("up", true), ("down", false)])?;
            return Ok(Some(Test::Link(up)));
        }
        if self.is(first, "total") {
            return self.total().map(Some);
        }
        let Some((measure, units)) = self.measure()? else {
            return Ok(None);
        };
        let next = self.peek();
        if measure == Measure::Status && self.is(next, "changed") {
            // For the original too this is about the status before; the number is that of the first time.
            self.comparison(units)?;
            return Ok(Some(Test::Changed(Attribute::Status)));
        }
        let limit = self.comparison(units)?;
        Ok(Some(Test::Measured { measure, limit }))
    }

    fn measure(&mut self) -> Parse<Option<(Measure, Units)>> {
        const PLAIN: [(&str, (Measure, Units)); 20] = [
            ("memory", (Measure::Memory, Units::SizeOrPercent)),
            ("mem", (Measure::Memory, Units::SizeOrPercent)),
            ("totalmemory", (Measure::TotalMemory, Units::SizeOrPercent)),
            ("totalmem", (Measure::TotalMemory, Units::SizeOrPercent)),
            ("swap", (Measure::Swap, Units::SizeOrPercent)),
            ("thread", (Measure::Threads, Units::Count)),
            ("threads", (Measure::Threads, Units::Count)),
            ("child", (Measure::Children, Units::Count)),
            ("children", (Measure::Children, Units::Count)),
            ("filedescriptors", (Measure::FileDescriptors, Units::CountOrPercent)),
            ("uptime", (Measure::Uptime, Units::Age)),
            ("read", (Measure::Read, Units::Rate)),
            ("write", (Measure::Write, Units::Rate)),
            ("servicetime", (Measure::ServiceTime, Units::Latency)),
            ("size", (Measure::Size, Units::Size)),
            ("status", (Measure::Status, Units::Count)),
            ("saturation", (Measure::Saturation, Units::WholePercent)),
            ("upload", (Measure::Upload, Units::Traffic)),
            ("download", (Measure::Download, Units::Traffic)),
            ("hardlink", (Measure::Hardlink, Units::Count)),
        ];
        if let Some(found) = self.accept_of(&PLAIN) {
            return Ok(Some(found));
        }
        if let Some(timestamp) = self.timestamp()? {
            return Ok(Some((Measure::Age(timestamp), Units::Age)));
        }
        let free = |parser: &mut Self| parser.accept("free");
        let found = if self.accept("cpu") {
            let kind = self.in_parentheses();
            let kind = if kind { Some(self.expect_of("a kind of processor time", &CPU_KINDS)?) } else { None };
            (Measure::Cpu(kind), Units::Percent)
        } else if self.accept("loadavg") {
            (self.load()?, Units::Ratio)
        } else if self.accept("space") {
            (if free(self) { Measure::SpaceFree } else { Measure::Space }, Units::SizeOrPercent)
        } else if self.accept("inodes") || self.accept("inode") {
            (if free(self) { Measure::InodesFree } else { Measure::Inodes }, Units::CountOrPercent)
        } else if self.accept("service") {
            self.expect("time")?;
            (Measure::ServiceTime, Units::Latency)
        } else if self.accept("disk") {
            let words = [("read", Measure::DiskRead), ("write", Measure::DiskWrite)];
            (self.expect_of("'read' or 'write'", &words)?, Units::Rate)
        } else {
            return Ok(None);
        };
        Ok(Some(found))
    }

    /// Whether an opening parenthesis comes before the next token. Noise words may stand in between.
    fn in_parentheses(&mut self) -> bool {
        let next = self.peek().span.start;
        let start = self.place().min(next);
        self.lexer.slice(Span { start, end: next }).contains(&b'(')
    }

    fn load(&mut self) -> Parse<Measure> {
        const MINUTES: [(&str, u8); 6] = [("1min", 1), ("1m", 1), ("5min", 5), ("5m", 5), ("15min", 15), ("15m", 15)];
        let mut minutes = 1;
        if self.in_parentheses() {
            let what = "'1min', '5min' or '15min'";
            minutes = if self.peek().kind == TokenKind::Number {
                let number = self.number(what)?;
                let minutes = u8::try_from(number.value).ok().filter(|minutes| [1, 5, 15].contains(minutes));
                let minutes = minutes.ok_or_else(|| Box::new(self.error(number.span, format!("expected {what}"))))?;
                self.accept_of(&[("min", ()), ("m", ())]);
                minutes
            } else {
                self.expect_of(what, &MINUTES)?
            };
        }
        let per_core = self.accept("core");
        Ok(Measure::Load { minutes, per_core })
    }

    /// `total …`; `total` was not taken.
    fn total(&mut self) -> Parse<Test> {
        const WORDS: [(&str, Option<bool>); 4] =
            [("upload", Some(true)), ("uploaded", Some(true)), ("download", Some(false)), ("downloaded", Some(false))];
        const MEASURES: [(&str, (Measure, Units)); 4] = [
            ("cpu", (Measure::TotalCpu, Units::Percent)),
            ("memory", (Measure::TotalMemory, Units::SizeOrPercent)),
            ("mem", (Measure::TotalMemory, Units::SizeOrPercent)),
            ("filedescriptors", (Measure::TotalFileDescriptors, Units::Count)),
        ];
        self.advance();
        if let Some(Some(upload)) = self.accept_of(&WORDS) {
            let limit = self.comparison(Units::Traffic)?;
            let minutes = self.range()?;
            return Ok(Test::Transferred { upload, limit, minutes });
        }
        let what = "'cpu', 'memory', 'filedescriptors', 'upload' or 'download'";
        let (measure, units) = self.expect_of(what, &MEASURES)?;
        Ok(Test::Measured { measure, limit: self.comparison(units)? })
    }

    /// `[in last] [N] minutes`
    fn range(&mut self) -> Parse<Number> {
        const RANGES: [(&str, u64); 6] =
            [("minute", 1), ("minutes", 1), ("hour", 60), ("hours", 60), ("day", 1440), ("days", 1440)];
        let start = self.peek().span;
        let has_number = self.peek().kind == TokenKind::Number;
        let number = if has_number { self.number("a number")? } else { Spanned { value: 1, span: start } };
        let unit = self.expect_of("'minutes', 'hours' or 'day'", &RANGES)?;
        let most = [(1, 60), (60, 24)].iter().find(|(minutes, _)| *minutes == unit).map_or(1, |(_, most)| *most);
        if number.value > most {
            return Err(Box::new(self.error(number.span, format!("at most {most} of this unit can be looked at"))));
        }
        Ok(Spanned { value: number.value.saturating_mul(unit), span: number.span })
    }

    fn timestamp(&mut self) -> Parse<Option<Timestamp>> {
        const WHOLE: [(&str, Timestamp); 5] = [
            ("timestamp", Timestamp::Newest),
            ("time", Timestamp::Newest),
            ("atime", Timestamp::Access),
            ("ctime", Timestamp::Change),
            ("mtime", Timestamp::Modification),
        ];
        const FIRST: [(&str, Timestamp); 4] = [
            ("access", Timestamp::Access),
            ("change", Timestamp::Change),
            ("modify", Timestamp::Modification),
            ("modification", Timestamp::Modification),
        ];
        if let Some(timestamp) = self.accept_of(&WHOLE) {
            return Ok(Some(timestamp));
        }
        let Some(timestamp) = self.accept_of(&FIRST) else {
            return Ok(None);
        };
        self.expect_of("'time'", &[("time", ()), ("timestamp", ())])?;
        Ok(Some(timestamp))
    }

    /// `[OPERATOR] VALUE [UNIT]`
    fn comparison(&mut self, units: Units) -> Parse<Comparison> {
        let changed = self.peek();
        let operator = self.operator()?;
        let (millionths, whole) = match self.amount() {
            Err(error) if self.is(changed, "changed") => {
                return Err(Box::new(error.with_help("a change is tested with 'changed' in front: 'if changed size'")));
            }
            amount => amount?,
        };
        let token = self.peek();
        let percent = token.kind == TokenKind::Percent || self.is(token, "percent");
        let unit = match units {
            Units::Percent | Units::WholePercent if !percent => {
                let number = String::from_utf8_lossy(self.lexer.slice(millionths.span)).into_owned();
                let error = self.error(millionths.span, "expected '%' behind this number");
                return Err(Box::new(error.with_help(format!("this limit is a percentage: write '{number}%'"))));
            }
            Units::Percent | Units::WholePercent | Units::SizeOrPercent | Units::CountOrPercent if percent => {
                self.advance();
                Unit::Percent
            }
            Units::Percent | Units::WholePercent | Units::CountOrPercent | Units::Count | Units::Ratio => Unit::One,
            Units::SizeOrPercent | Units::Size => Unit::Bytes(self.size_unit().unwrap_or(1)),
            Units::Age => Unit::Milliseconds(self.age_unit()),
            Units::Latency => Unit::Milliseconds(self.latency_unit()?),
            Units::Rate => {
                let words = [("operations", ()), ("operation", ()), ("operations/s", ()), ("operation/s", ())];
                match self.accept_of(&words) {
                    Some(()) => Unit::Operations,
                    None => Unit::Bytes(self.size_unit().unwrap_or(1)),
                }
            }
            Units::Traffic => {
                let words = [("packets", ()), ("packet", ()), ("packets/s", ()), ("packet/s", ())];
                match self.accept_of(&words) {
                    Some(()) => Unit::Packets,
                    None => Unit::Bytes(self.size_unit().unwrap_or(1)),
                }
            }
        };
        let real = match units {
            Units::Percent | Units::SizeOrPercent | Units::Ratio => true,
            Units::CountOrPercent => unit == Unit::Percent,
            Units::Rate => unit != Unit::Operations,
            Units::WholePercent | Units::Count | Units::Age | Units::Latency | Units::Size | Units::Traffic => false,
        };
        if !whole && !real {
            return Err(Box::new(self.error(millionths.span, "expected a whole number")));
        }
        Ok(Comparison { operator, millionths, unit })
    }

    pub(super) fn operator(&mut self) -> Parse<Operator> {
        let token = self.peek();
        if token.kind == TokenKind::Operator {
            self.advance();
            return Ok(match self.lexer.slice(token.span) {
                b"<" => Operator::Less,
                b"<=" => Operator::LessOrEqual,
                b">" => Operator::Greater,
                b">=" => Operator::GreaterOrEqual,
                b"!=" => Operator::NotEqual,
                _ => Operator::Equal,
            });
        }
        Ok(self.accept_of(&OPERATORS).unwrap_or(Operator::Equal))
    }

    /// A value in millionths, and whether it is whole.
    fn amount(&mut self) -> Parse<(Number, bool)> {
        let token = self.peek();
        let whole = token.kind == TokenKind::Number;
        if !whole && token.kind != TokenKind::Real {
            let error = self.expected_number("a number");
            return Err(if self.is(token, "not") {
                Box::new(error.with_help("write '!=' for 'not equal'"))
            } else {
                error
            });
        }
        self.advance();
        let digits = String::from_utf8_lossy(self.lexer.slice(token.span)).into_owned();
        let (ones, parts) = digits.split_once('.').unwrap_or((&digits, ""));
        let parts: String = parts.chars().chain("000000".chars()).take(6).collect();
        let ones: Option<u64> = ones.parse().ok();
        let value = ones.and_then(|ones| ones.checked_mul(MILLION)).zip(parts.parse().ok());
        let value = value.and_then(|(ones, parts): (u64, u64)| ones.checked_add(parts));
        match value {
            Some(value) => Ok((Spanned { value, span: token.span }, whole)),
            None => {
                let message = format!("the number is too large, at most {} can be read", u64::MAX / MILLION - 1);
                Err(Box::new(self.error(token.span, message)))
            }
        }
    }

    fn age_unit(&mut self) -> u64 {
        const MONTH: u64 = 31 * 86_400_000;
        if let Some(unit) = self.accept_of(&AGES) {
            return unit;
        }
        self.accept_of(&[("month", MONTH), ("months", MONTH)]).unwrap_or(1000)
    }

    pub(super) fn latency_unit(&mut self) -> Parse<u64> {
        let units =
            [("ms", 1), ("millisecond", 1), ("milliseconds", 1), ("s", 1000), ("second", 1000), ("seconds", 1000)];
        self.expect_of("'ms' or 'seconds'", &units)
    }

    /// `content = PATTERN` or `content != PATTERN`; `content` was not taken.
    pub(super) fn content(&mut self) -> Parse<Content> {
        const WORDS: [(&str, bool); 4] = [("eq", false), ("equal", false), ("ne", true), ("notequal", true)];
        self.expect("content")?;
        let differs = match self.accept_of(&WORDS) {
            Some(differs) => differs,
            None => {
                let operator = self.expect_kind(TokenKind::Operator, "'=' or '!='")?;
                match self.lexer.slice(operator.span) {
                    b"=" | b"==" => false,
                    b"!=" => true,
                    _ => return Err(Box::new(self.error(operator.span, "expected '=' or '!='"))),
                }
            }
        };
        Ok(Content { is_match: false, differs, pattern: self.pattern()? })
    }

    pub(super) fn pattern(&mut self) -> Parse<Text> {
        self.string("a pattern or the path of a file with patterns")
    }

    fn is_expectation(&self, token: Token) -> bool {
        let words =
            ["perm", "permission", "uid", "euid", "gid", "checksum", "md5", "sha1", "sha256", "security", "link"];
        words.iter().any(|word| self.is(token, word))
    }

    /// What stands behind `failed`.
    fn expectation(&mut self) -> Parse<Expectation> {
        if self.accept("permission") || self.accept("perm") {
            let token = self.expect_kind(TokenKind::Number, "permissions as an octal number")?;
            return Ok(Expectation::Permission(self.text(token)));
        }
        if self.accept("uid") {
            return self.id("a user name or number").map(Expectation::Uid);
        }
        if self.accept("euid") {
            return self.id("a user name or number").map(Expectation::EffectiveUid);
        }
        if self.accept("gid") {
            return self.id("a group name or number").map(Expectation::Gid);
        }
        if self.accept("security") {
            return self.security_attribute();
        }
        if self.accept("link") {
            return Ok(Expectation::Link);
        }
        let kind = self.checksum()?;
        let expected = if self.accept("expect") { Some(self.hash()?) } else { None };
        Ok(Expectation::Checksum { kind, expected })
    }

    /// `attribute [=|!=] TEXT`; `security` was taken.
    fn security_attribute(&mut self) -> Parse<Expectation> {
        self.expect("attribute")?;
        let token = self.peek();
        let pattern = token.kind == TokenKind::Operator;
        let differs = pattern && self.lexer.slice(token.span) == b"!=";
        if pattern {
            if !differs && !self.lexer.slice(token.span).starts_with(b"=") {
                return Err(Box::new(self.error(token.span, "expected '=' or '!='")));
            }
            self.advance();
        }
        let attribute = self.string("a security attribute")?;
        Ok(Expectation::SecurityAttribute { differs, attribute, pattern })
    }

    /// `[md5] checksum`
    fn checksum(&mut self) -> Parse<Option<Hash>> {
        let kind = self.hash_kind();
        self.expect("checksum")?;
        Ok(kind)
    }

    /// `md5`, `sha1` or `sha256`, if one is the next token.
    pub(super) fn hash_kind(&mut self) -> Option<Hash> {
        self.accept_of(&[("md5", Hash::Md5), ("sha1", Hash::Sha1), ("sha256", Hash::Sha256)])
    }

    /// A checksum, which may look like a number.
    pub(super) fn hash(&mut self) -> Parse<Text> {
        let token = self.peek();
        match token.kind {
            TokenKind::Number | TokenKind::Word | TokenKind::Quoted if !self.is_reserved(token) => {
                self.advance();
                Ok(self.text(token))
            }
            _ => Err(self.expected("a checksum")),
        }
    }

    /// What stands behind `changed`.
    fn attribute(&mut self) -> Parse<Attribute> {
        const PLAIN: [(&str, Attribute); 9] = [
            ("pid", Attribute::Pid),
            ("ppid", Attribute::ParentPid),
            ("size", Attribute::Size),
            ("permission", Attribute::Permission),
            ("perm", Attribute::Permission),
            ("fsflags", Attribute::FilesystemFlags),
            ("fsflag", Attribute::FilesystemFlags),
            ("status", Attribute::Status),
            ("hardlink", Attribute::Hardlink),
        ];
        if let Some(attribute) = self.accept_of(&PLAIN) {
            return Ok(attribute);
        }
        if self.accept("link") {
            return Ok(Attribute::Link);
        }
        if let Some(timestamp) = self.timestamp()? {
            return Ok(Attribute::Time(timestamp));
        }
        let token = self.peek();
        if ["checksum", "md5", "sha1", "sha256"].iter().any(|word| self.is(token, word)) {
            return self.checksum().map(Attribute::Checksum);
        }
        let words = ["pid", "ppid", "size", "permission", "fsflags", "status", "link", "timestamp", "checksum"];
        Err(self.expected_word("what may change, such as 'pid' or 'checksum'", &words))
    }
}

/// Whether the test is one of those of which the original takes several in one `if`.
fn is_resource(test: &Test) -> bool {
    use Measure::{
        Children, Cpu, DiskRead, DiskWrite, Load, Memory, Read, Swap, Threads, TotalCpu, TotalMemory, Write,
    };
    let Test::Measured { measure, .. } = test else { return false };
    matches!(
        measure,
        Cpu(_)
            | TotalCpu
            | Memory
            | TotalMemory
            | Swap
            | Load { .. }
            | Threads
            | Children
            | Read
            | Write
            | DiskRead
            | DiskWrite
    )
}

impl Test {
    /// Whether `else` may follow.
    pub fn recovers(&self) -> bool {
        match self {
            Test::Changed(Attribute::Link | Attribute::Permission) => true,
            Test::Changed(_) | Test::Content(_) | Test::ContentChanged(_) => false,
            Test::NotExist
            | Test::Exist
            | Test::Exited
            | Test::Measured { .. }
            | Test::Transferred { .. }
            | Test::Link(_)
            | Test::Connection(_)
            | Test::Failed(_) => true,
        }
    }
}
