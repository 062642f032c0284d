//! Rules as texts: shown on the page, and the identity of a rule over a reload.

use std::fmt;

use super::model::{Action, Exec, Program, Reaction, RestartLimit, Rule, Test};
use super::print::{self, Secrets};
use crate::base::schedule::Rate;

impl Rule {
    /// The rule in one line, such as `If doesn't exist for 2 cycles then restart`. A recovery that only alerts, at once, is
    /// left out. Rules that do different things have different texts.
    pub fn text(&self) -> String {
        let test = match &self.test {
            Test::NotExist => "doesn't exist".to_owned(),
            Test::Exist => "exist".to_owned(),
            Test::Exited => "exited".to_owned(),
            test => print::test(test, Secrets::Masked),
        };
        let mut text = format!("If {test} {}then {}", RateText(self.failure.rate), ActionText(&self.failure.action));
        if self.recovery != (Reaction { rate: Rate::ONCE, action: Action::Alert }) {
            let (rate, action) = (RateText(self.recovery.rate), ActionText(&self.recovery.action));
            text.push_str(&format!(" else if succeeded {rate}then {action}"));
        }
        text
    }
}

impl RestartLimit {
    /// The limit in one line, such as `If restarted 3 times within 5 cycle(s) then unmonitor`.
    pub fn text(&self) -> String {
        let action = ActionText(&self.action);
        format!("If restarted {} times within {} cycle(s) then {action}", self.restarts, self.cycles)
    }
}

/// A rate with a blank behind it; nothing for the rate that need not be told.
struct RateText(Rate);

impl fmt::Display for RateText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Rate::ONCE => Ok(()),
            Rate { count, window } if count == window => write!(f, "for {window} cycles "),
            Rate { count, window } => write!(f, "for {count} times within {window} cycles "),
        }
    }
}

struct ActionText<'a>(&'a Action);

impl fmt::Display for ActionText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.word())?;
        if let Action::UnmonitorFor(span) = self.0 {
            return write!(f, " for {} seconds", span.as_secs());
        }
        let Action::Exec(Exec { program, repeat }) = self.0 else {
            return Ok(());
        };
        let Program { uid, gid, .. } = program;
        write!(f, " '{}'", program.command_line())?;
        if let Some(user) = uid {
            write!(f, " as uid {}", user.uid)?;
        }
        if let Some(group) = gid {
            write!(f, " as gid {}", group.gid)?;
        }
        if let Some(cycles) = repeat {
            write!(f, " repeat every {cycles} cycle(s)")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::{Group, User};

    fn rate(count: u32, window: u32) -> Rate {
        Rate { count, window }
    }

    fn rule(test: Test, failure: (Rate, Action), recovery: (Rate, Action)) -> String {
        let reaction = |(rate, action)| Reaction { rate, action };
        Rule { test, failure: reaction(failure), recovery: reaction(recovery) }.text()
    }

    fn exec(command: &str, ids: bool, repeat: Option<u32>) -> Action {
        let argv = command.split(' ').map(Into::into).collect();
        let uid = ids.then_some(User { uid: 7, name: None });
        let gid = ids.then_some(Group { gid: 8, name: None });
        Action::Exec(Exec { program: Program { argv, uid, gid, timeout: None }, repeat })
    }

    #[test]
    fn rules_read_like_the_original_s() {
        let alert = (Rate::ONCE, Action::Alert);
        let table = [
            (rule(Test::NotExist, (Rate::ONCE, Action::Restart), alert.clone()), "If doesn't exist then restart"),
            (
                rule(Test::Exist, (rate(1, 4), Action::Alert), alert.clone()),
                "If exist for 1 times within 4 cycles then alert",
            ),
            (
                rule(Test::NotExist, (rate(2, 2), Action::Unmonitor), (Rate::ONCE, Action::Stop)),
                "If doesn't exist for 2 cycles then unmonitor else if succeeded then stop",
            ),
            (
                rule(Test::NotExist, (rate(2, 2), Action::UnmonitorFor(Duration::from_secs(7200))), alert.clone()),
                "If doesn't exist for 2 cycles then unmonitor for 7200 seconds",
            ),
            (
                rule(Test::NotExist, (rate(2, 3), Action::Restart), (rate(3, 3), exec("/bin/true a b", false, None))),
                "If doesn't exist for 2 times within 3 cycles then restart else if succeeded for 3 cycles then exec '/bin/true a b'",
            ),
            (
                rule(Test::NotExist, (rate(3, 3), exec("/bin/true", true, Some(2))), alert),
                "If doesn't exist for 3 cycles then exec '/bin/true' as uid 7 as gid 8 repeat every 2 cycle(s)",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn restart_limits_read_like_the_original_s() {
        let limit = RestartLimit { restarts: 3, cycles: 5, action: Action::Unmonitor };
        assert_eq!(limit.text(), "If restarted 3 times within 5 cycle(s) then unmonitor");
    }
}
