//! Rules: `if TEST [RATE] then ACTION [else …]`.

use super::lexer::TokenKind;
use super::parser::{Parse, Parser};
use super::source::Span;
use super::statement::{Action, Number, Rate, Recovery, RestartLimit, Rule, ServiceStatement, StatementKind, Test};
use super::words;

impl Parser<'_> {
    /// `if …`
    pub(super) fn rule(&mut self) -> Parse<StatementKind> {
        let start = self.advance().span;
        let token = self.peek();
        if token.kind == TokenKind::Number {
            return self.restart_limit();
        }
        let (second, exist) = (self.peek_second(), [("exist", ()), ("exists", ())]);
        let not = self.is(token, "not") && exist.iter().any(|(word, ())| self.is(second, word));
        if not {
            self.advance();
        }
        if self.accept_of(&exist).is_some() {
            let test = if not { Test::NotExist } else { Test::Exist };
            return self.rule_rest(start.to(self.last()), test);
        }
        if self.accept("exited") {
            return self.exited(start);
        }
        let (first, second) = (self.peek(), self.peek_second());
        let prefixed =
            ["changed", "disk", "failed", "not", "succeeded", "total"].iter().any(|word| self.is(first, word));
        let named = if prefixed { second } else { first };
        match self.local_test()? {
            Some(test) => self.rule_rest(start.to(named.span), test),
            None => self.network_test(start, named.span),
        }
    }

    /// What follows `if exited`: no rate, since there is nothing to count at the moment a process ends.
    fn exited(&mut self, start: Span) -> Parse<StatementKind> {
        let head = start.to(self.last());
        if self.peek().kind == TokenKind::Number {
            let token = self.peek();
            let help = "'if not exist' counts cycles";
            return Err(Box::new(self.error(token.span, "'if exited' takes no rate").with_help(help)));
        }
        self.rule_rest(head, Test::Exited)
    }

    /// `failed` or `succeeded` and a test over the network.
    fn network_test(&mut self, start: Span, named: Span) -> Parse<StatementKind> {
        let Some(succeeded) = self.accept_of(&[("failed", false), ("succeeded", true)]) else {
            let not = self.peek();
            if self.is(not, "not") {
                self.advance();
                return Err(self.expected_word("'exist' behind 'not'", &["exist", "exists", "match"]));
            }
            let error = self.expected_word("a test", words::TESTS);
            let word =
                ["pid", "ppid", "checksum", "permission", "perm", "fsflags"].iter().find(|word| self.is(not, word));
            return Err(match word {
                Some(word) => Box::new(error.with_help(format!("a change is tested with 'if changed {word}'"))),
                None => error,
            });
        };
        let connection = self.connection(succeeded)?;
        self.rule_rest(start.to(named), Test::Connection(Box::new(connection)))
    }

    fn rule_rest(&mut self, head: Span, test: Test) -> Parse<StatementKind> {
        const OPTIONS: [&str; 22] = [
            "address",
            "certificate",
            "content",
            "count",
            "expect",
            "hostheader",
            "ipv4",
            "ipv6",
            "method",
            "password",
            "protocol",
            "request",
            "responsetime",
            "retry",
            "send",
            "size",
            "ssl",
            "status",
            "timeout",
            "tls",
            "type",
            "username",
        ];
        let next = self.peek();
        let is_test = matches!(test, Test::Connection(_)) && next.kind == TokenKind::Word;
        if is_test && words::nearest(self.lexer.slice(next.span), &OPTIONS).is_some() {
            return Err(self.expected_word("an option or 'then'", &OPTIONS));
        }
        let rate = self.rate()?;
        self.expect("then")?;
        let action = self.action(false)?;
        let succeeded = match &test {
            Test::Connection(connection) => connection.succeeded,
            Test::Link(up) => *up,
            _ => false,
        };
        let recovery = if test.recovers() { self.recovery(succeeded)? } else { None };
        let rule = Rule { head, test, rate, action, recovery };
        Ok(StatementKind::Service(ServiceStatement::Rule(Box::new(rule))))
    }

    /// `N restarts within M cycles then ACTION`
    fn restart_limit(&mut self) -> Parse<StatementKind> {
        let restarts = self.number("a number of restarts")?;
        self.expect_of("'restarts'", &[("restarts", ()), ("restart", ())])?;
        let cycles = self.number("a number of cycles")?;
        self.cycles_word()?;
        self.expect("then")?;
        let action = self.action(true)?;
        let limit = RestartLimit { restarts, cycles, action };
        Ok(StatementKind::Service(ServiceStatement::RestartLimit(Box::new(limit))))
    }

    fn rate(&mut self) -> Parse<Option<Rate>> {
        if self.peek().kind != TokenKind::Number {
            return Ok(None);
        }
        let first = self.number("a number of cycles")?;
        let (count, cycles) = if self.peek().kind == TokenKind::Number {
            (Some(first), self.number("a number of cycles")?)
        } else {
            (None, first)
        };
        self.cycles_word()?;
        Ok(Some(Rate { count, cycles }))
    }

    /// `else …`; a rule that holds while something works recovers when that fails.
    fn recovery(&mut self, succeeded: bool) -> Parse<Option<Recovery>> {
        if !self.accept("else") {
            return Ok(None);
        }
        let mut rate = None;
        if self.accept("if") {
            if succeeded {
                self.expect("failed")?;
            } else {
                let words = [("succeeded", ()), ("passed", ()), ("recovered", ())];
                self.expect_of("'succeeded', 'passed' or 'recovered'", &words)?;
            }
            rate = self.rate()?;
            self.expect("then")?;
        }
        if self.accept("ignore") {
            return Ok(Some(Recovery { rate, action: Action::Ignore }));
        }
        let action = self.action(false)?;
        Ok(Some(Recovery { rate, action }))
    }

    fn action(&mut self, limit: bool) -> Parse<Action> {
        let token = self.peek();
        if self.is(token, "exec") {
            let mut program = self.exec_program()?;
            program.timeout = self.timeout()?;
            let repeat = self.repeat()?;
            return Ok(Action::Exec { program, repeat });
        }
        #[derive(Clone, Copy)]
        enum Plain {
            Alert,
            Restart,
            Start,
            Stop,
            Unmonitor,
        }
        const WORDS: [(&str, Plain); 5] = [
            ("alert", Plain::Alert),
            ("restart", Plain::Restart),
            ("start", Plain::Start),
            ("stop", Plain::Stop),
            ("unmonitor", Plain::Unmonitor),
        ];
        if limit && self.accept("timeout") {
            return Ok(Action::Timeout);
        }
        match self.accept_of(&WORDS) {
            Some(Plain::Alert) => Ok(Action::Alert),
            Some(Plain::Restart) => Ok(Action::Restart),
            Some(Plain::Start) => Ok(Action::Start),
            Some(Plain::Stop) => Ok(Action::Stop),
            Some(Plain::Unmonitor) if self.peek().kind == TokenKind::Number => {
                self.time("a time").map(|time| Action::Unmonitor(Some(time)))
            }
            Some(Plain::Unmonitor) => Ok(Action::Unmonitor(None)),
            None => {
                let words = ["alert", "exec", "restart", "start", "stop", "unmonitor"];
                Err(self.expected_word("an action", &words))
            }
        }
    }

    /// `repeat every N cycles`
    fn repeat(&mut self) -> Parse<Option<Number>> {
        let (next, second) = (self.peek(), self.peek_second());
        if !self.is_repeat(next) || !(self.is(next, "repeat") || self.is(second, "every")) {
            return Ok(None);
        }
        self.expect("repeat")?;
        self.expect("every")?;
        let number = self.number("a number of cycles")?;
        self.cycles_word()?;
        Ok(Some(number))
    }
}
