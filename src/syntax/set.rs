//! `set` statements.

use super::lexer::TokenKind;
use super::parser::{Parse, Parser};
use super::statement::{Limit, LimitName, OnReboot, Set, StatementKind};
use super::words;

const KIB: u64 = 1024;

/// Units of sizes, in bytes.
const SIZES: [(&str, u64); 11] = [
    ("b", 1),
    ("byte", 1),
    ("bytes", 1),
    ("kb", KIB),
    ("kilobyte", KIB),
    ("kilobytes", KIB),
    ("mb", KIB * KIB),
    ("megabyte", KIB * KIB),
    ("megabytes", KIB * KIB),
    ("gb", KIB * KIB * KIB),
    ("gigabyte", KIB * KIB * KIB),
];

/// Units of timeouts, in milliseconds.
const TIMES: [(&str, u64); 6] =
    [("seconds", 1000), ("second", 1000), ("s", 1000), ("ms", 1), ("millisecond", 1), ("milliseconds", 1)];

const LIMITS: [(&str, LimitName); 10] = [
    ("programoutput", LimitName::ProgramOutput),
    ("sendexpectbuffer", LimitName::SendExpectBuffer),
    ("filecontentbuffer", LimitName::FileContentBuffer),
    ("httpcontentbuffer", LimitName::HttpContentBuffer),
    ("networktimeout", LimitName::NetworkTimeout),
    ("programtimeout", LimitName::ProgramTimeout),
    ("stoptimeout", LimitName::StopTimeout),
    ("starttimeout", LimitName::StartTimeout),
    ("restarttimeout", LimitName::RestartTimeout),
    ("exectimeout", LimitName::ExecTimeout),
];

impl Parser<'_> {
    /// `set …`
    pub(super) fn set(&mut self) -> Parse<StatementKind> {
        self.advance();
        let token = self.peek();
        let word = self.lexer.slice(token.span).to_ascii_lowercase();
        if token.kind != TokenKind::Word {
            return Err(self.expected("a setting"));
        }
        let set = match word.as_slice() {
            b"daemon" => self.set_daemon()?,
            b"init" => {
                self.advance();
                Set::Init
            }
            b"terminal" => {
                self.advance();
                self.expect("batch")?;
                Set::TerminalBatch
            }
            b"log" | b"logfile" => self.set_log()?,
            b"pidfile" => {
                self.advance();
                Set::Pidfile(self.path("the path of the pidfile")?)
            }
            b"idfile" => {
                self.advance();
                Set::Idfile(self.path("the path of the id file")?)
            }
            b"statefile" => {
                self.advance();
                Set::Statefile(self.path("the path of the state file")?)
            }
            b"onreboot" => {
                self.advance();
                Set::OnReboot(self.onreboot_word()?)
            }
            b"backoff" => {
                self.advance();
                Set::Backoff(self.backoff()?)
            }
            b"limits" => self.set_limits()?,
            b"httpd" => self.set_httpd()?,
            _ if words::is_one_of(&word, words::SETTINGS) => {
                self.advance();
                self.set_notices(&word)?
            }
            _ => return Err(self.expected_word("a setting", words::SETTINGS)),
        };
        Ok(StatementKind::Set(set))
    }

    /// The settings about encryption and about who is told what; their first word was taken.
    fn set_notices(&mut self, word: &[u8]) -> Parse<Set> {
        Ok(match word {
            b"alert" => Set::Alert(Box::new(self.alert()?)),
            b"mail-format" => Set::MailFormat(Box::new(self.mail_format()?)),
            b"mailserver" => Set::MailServers(Box::new(self.mail_servers()?)),
            b"eventqueue" => Set::EventQueue(self.event_queue()?),
            b"mmonit" => Set::Collectors(self.collectors()?),
            b"fips" => Set::Fips,
            b"environment" => self.environment()?,
            b"expectbuffer" => {
                let value = self.number("a number")?;
                Set::ExpectBuffer { value, unit: self.size_unit().unwrap_or(1) }
            }
            _ => Set::Tls(self.tls_options()?),
        })
    }

    fn set_daemon(&mut self) -> Parse<Set> {
        self.advance();
        let interval = self.number("the interval in seconds").map_err(|error| match &error.help {
            Some(help) if help.starts_with("separate ") => {
                Box::new(error.with_help("the number counts seconds and has no unit"))
            }
            _ => error,
        })?;
        let (next, second) = (self.peek(), self.peek_second());
        let mut start_delay = None;
        // Whatever stands behind 'start': no service is open that could be started.
        if self.is(next, "start") && (self.is(second, "delay") || self.is_on_line_of(next, second)) {
            self.advance();
            self.expect("delay")?;
            start_delay = Some(self.number("the delay in seconds")?);
        }
        let token = self.peek();
        if self.is(token, "seconds") || self.is(token, "s") || self.is(token, "second") {
            let error = self.error(token.span, "no unit may follow here, the number counts seconds");
            return Err(Box::new(error.with_help("leave the unit out")));
        }
        Ok(Set::Daemon { interval, start_delay })
    }

    fn set_log(&mut self) -> Parse<Set> {
        self.advance();
        if !self.accept("syslog") {
            return Ok(Set::LogFile(self.path("'syslog' or the path of the log file")?));
        }
        let facility = if self.accept("facility") { Some(self.string("a syslog facility")?) } else { None };
        Ok(Set::LogSyslog { facility })
    }

    /// The word after `onreboot`.
    pub(super) fn onreboot_word(&mut self) -> Parse<OnReboot> {
        const WORDS: [(&str, OnReboot); 3] =
            [("start", OnReboot::Start), ("nostart", OnReboot::NoStart), ("laststate", OnReboot::LastState)];
        self.expect_of("'start', 'nostart' or 'laststate'", &WORDS)
    }

    fn set_limits(&mut self) -> Parse<Set> {
        self.advance();
        self.expect_kind(TokenKind::Open, "'{'")?;
        let mut limits = Vec::new();
        loop {
            if self.peek().kind == TokenKind::Close {
                self.advance();
                return Ok(Set::Limits(limits));
            }
            let name = self.expect_of("the name of a limit or '}'", &LIMITS)?;
            self.expect_kind(TokenKind::Colon, "':'")?;
            let value = self.number("a number")?;
            let unit = if name.is_timeout() {
                self.expect_of("'seconds' or 'milliseconds'", &TIMES)?
            } else {
                self.size_unit().unwrap_or(1)
            };
            limits.push(Limit { name, value, unit });
        }
    }

    /// Takes a unit of sizes, `MB` or `MB/s`, and returns its bytes.
    pub(super) fn size_unit(&mut self) -> Option<u64> {
        let token = self.peek();
        if token.kind != TokenKind::Word {
            return None;
        }
        let word = self.lexer.slice(token.span).to_ascii_lowercase();
        let word = word.strip_suffix(b"/s").unwrap_or(&word);
        let word = if word == b"gigabytes" { b"gigabyte" } else { word };
        let (_, bytes) = SIZES.iter().find(|(name, _)| name.as_bytes() == word)?;
        self.advance();
        Some(*bytes)
    }
}

impl LimitName {
    /// Whether the value is a time; otherwise it is a size.
    pub fn is_timeout(self) -> bool {
        match self {
            LimitName::ProgramOutput
            | LimitName::SendExpectBuffer
            | LimitName::FileContentBuffer
            | LimitName::HttpContentBuffer => false,
            LimitName::NetworkTimeout
            | LimitName::ProgramTimeout
            | LimitName::StopTimeout
            | LimitName::StartTimeout
            | LimitName::RestartTimeout
            | LimitName::ExecTimeout => true,
        }
    }

    /// The name as the control file spells it.
    pub fn word(self) -> &'static str {
        match self {
            LimitName::ProgramOutput => "programOutput",
            LimitName::SendExpectBuffer => "sendExpectBuffer",
            LimitName::FileContentBuffer => "fileContentBuffer",
            LimitName::HttpContentBuffer => "httpContentBuffer",
            LimitName::NetworkTimeout => "networkTimeout",
            LimitName::ProgramTimeout => "programTimeout",
            LimitName::StopTimeout => "stopTimeout",
            LimitName::StartTimeout => "startTimeout",
            LimitName::RestartTimeout => "restartTimeout",
            LimitName::ExecTimeout => "execTimeout",
        }
    }
}
