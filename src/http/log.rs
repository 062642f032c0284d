//! What the front has to say, within limits: a flood of clients must not become a flood of log lines, and one kind of
//! message must not drown another. Pure.

use std::time::Duration;

use crate::base::escape;
use crate::base::time::Mono;

/// Messages of one kind in one [`WINDOW`].
const BURST: u32 = 20;
const WINDOW: Duration = Duration::from_secs(10);

/// A message of severity `error`, on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine(pub String);

/// Each kind has its own limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    Denied,
    Login,
    Error,
    Trouble,
    Handshake,
}

#[derive(Debug, Default)]
pub(super) struct Log {
    lines: Vec<LogLine>,
    limits: [Limit; 5],
}

#[derive(Clone, Copy, Debug, Default)]
struct Limit {
    since: Mono,
    count: u32,
    suppressed: u64,
}

impl Log {
    pub(super) fn add(&mut self, topic: Topic, text: &str, now: Mono) {
        let Some(limit) = self.limits.get_mut(topic as usize) else { return };
        if limit.count > 0 && now.since(limit.since) >= WINDOW {
            if limit.suppressed > 0 {
                let text = format!("HttpRequest: {} more messages of this kind were suppressed", limit.suppressed);
                self.lines.push(LogLine(text));
            }
            *limit = Limit::default();
        }
        if limit.count == 0 {
            limit.since = now;
        }
        if limit.count < BURST {
            limit.count += 1;
            self.lines.push(LogLine(escape::log_line(text)));
        } else {
            limit.suppressed += 1;
        }
    }

    pub(super) fn take(&mut self) -> Vec<LogLine> {
        std::mem::take(&mut self.lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_one_kind_is_cut_and_counted_and_hides_no_other() {
        let mut log = Log::default();
        let at = |seconds| Mono::from_origin(Duration::from_secs(seconds));
        for _ in 0..1000 {
            log.add(Topic::Denied, "denied\n", at(1));
        }
        log.add(Topic::Login, "login", at(1));
        let lines = log.take();
        assert_eq!(lines.len(), BURST as usize + 1);
        assert_eq!(lines[0], LogLine("denied\\n".into()));
        assert_eq!(lines[BURST as usize], LogLine("login".into()));
        log.add(Topic::Denied, "denied", at(12));
        let text = "HttpRequest: 980 more messages of this kind were suppressed";
        assert_eq!(log.take(), [LogLine(text.into()), LogLine("denied".into())]);
    }
}
