//! `--wait`: asks the daemon how an action is getting on until it is over, or until there was time enough.

use std::path::Path;
use std::time::Duration;

use super::ask::{Asked, put_within};
use super::output::err;
use crate::action::Command;
use crate::base::time::Mono;
use crate::http::client::{Answer, DONE, Error, Question};
use crate::sys::posix::clock;
use crate::view::select::Selection;

/// The exit code when there was not time enough: that of timeout(1).
pub const TIME_OVER: i32 = 124;

/// Between two questions: the first pause, and the longest; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(320);

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits until `command`, which the daemon has accepted, is done.
pub fn wait(control_file: &Path, command: Command, targets: &Selection, time: Duration) -> Asked {
    let until = clock::monotonic().plus(time);
    let question = Question::progress(command, targets);
    let ask = |patience| put_within(patience, control_file, &question);
    let (code, said) = follow(until, clock::monotonic, clock::pause, ask);
    if let Some(said) = said {
        err(&said);
    }
    Asked::Code(code)
}

/// The dialogue: the exit code, and what is to be said.
fn follow(
    until: Mono,
    now: impl Fn() -> Mono,
    pause: impl Fn(Duration),
    mut ask: impl FnMut(Duration) -> Result<Answer, Error>,
) -> (i32, Option<String>) {
    let mut length = FIRST_PAUSE;
    loop {
        // A question may be under way when the time is over, but not for long.
        let left = until.since(now());
        let said = match ask(left.clamp(Duration::from_secs(1), PATIENCE)) {
            Ok(answer) if !answer.is_success() => return (1, Some(answer.body.trim_end().to_owned())),
            Ok(answer) if answer.body == DONE => return (0, None),
            Ok(answer) => answer.body,
            Err(Error::NotRunning) => return (1, Some("the daemon ended before it was done".to_owned())),
            // Its answer may have been cut off by its end: the next question tells.
            Err(Error::Malformed) => Error::Malformed.to_string(),
            Err(Error::TimedOut) if now() >= until => Error::TimedOut.to_string(),
            Err(error) => return (1, Some(error.to_string())),
        };
        if now() >= until {
            return (TIME_OVER, Some(format!("the time to wait is over: {}", said.trim_end())));
        }
        pause(length.min(until.since(now())));
        length = (length * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// A dialogue of ten seconds with these answers; the last is given again and again. Returns how long it took as well.
    fn dialogue(answers: &[fn() -> Result<Answer, Error>]) -> (i32, String, Duration) {
        let clock = Cell::new(Mono::default());
        let asked = Cell::new(0);
        let until = clock.get().plus(Duration::from_secs(10));
        let ask = |_| {
            let place = asked.replace(asked.get() + 1);
            answers.get(place).or(answers.last()).unwrap()()
        };
        let (code, said) = follow(until, || clock.get(), |time| clock.set(clock.get().plus(time)), ask);
        (code, said.unwrap_or_default(), clock.get().since(Mono::default()))
    }

    fn said(code: u16, body: &str) -> Result<Answer, Error> {
        Ok(Answer { code, body: body.to_owned() })
    }

    const PENDING: fn() -> Result<Answer, Error> = || said(200, "'x' start is not done yet\n");

    #[test]
    fn the_end_of_an_action_is_the_end_of_the_wait() {
        assert_eq!(dialogue(&[|| said(200, DONE)]), (0, String::new(), Duration::ZERO));
        let (code, text, time) = dialogue(&[PENDING, PENDING, || said(200, DONE)]);
        assert_eq!((code, text.as_str(), time), (0, "", FIRST_PAUSE * 3));
        let (code, text, _) = dialogue(&[PENDING, || said(409, "'x' failed to start\n")]);
        assert_eq!((code, text.as_str()), (1, "'x' failed to start"));
    }

    #[test]
    fn what_never_ends_is_waited_for_so_long_and_no_longer() {
        let (code, text, time) = dialogue(&[PENDING]);
        assert_eq!((code, time), (TIME_OVER, Duration::from_secs(10)));
        assert_eq!(text, "the time to wait is over: 'x' start is not done yet");
    }

    #[test]
    fn a_daemon_that_goes_is_an_error_and_a_torn_answer_is_asked_again() {
        let (code, text, _) = dialogue(&[PENDING, || Err(Error::NotRunning)]);
        assert_eq!((code, text.as_str()), (1, "the daemon ended before it was done"));
        let (code, text, _) = dialogue(&[PENDING, || Err(Error::Malformed), || Err(Error::NotRunning)]);
        assert_eq!((code, text.as_str()), (1, "the daemon ended before it was done"));
        let (code, text, _) = dialogue(&[|| Err(Error::TimedOut)]);
        assert_eq!((code, text.as_str()), (1, "the daemon does not answer"));
    }
}
