//! The last events of a service, for people who look at it.

use std::collections::VecDeque;

use crate::base::event::{EventKind, EventState};
use crate::base::time::Mono;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it came.
    pub at: Mono,
    /// What it is about.
    pub kind: EventKind,
    /// Whether something failed, changed or is over.
    pub state: EventState,
    /// Its message, cut at [`TEXT_MAX`] characters.
    pub text: String,
}

/// So many events are kept.
pub const EVENTS_MAX: usize = 16;

/// So many characters of a message are kept.
pub const TEXT_MAX: usize = 512;

/// The last [`EVENTS_MAX`] events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recent(VecDeque<Event>);

impl Recent {
    /// Keeps an event, and forgets the oldest when there are too many.
    pub fn push(&mut self, at: Mono, kind: EventKind, state: EventState, text: &str) {
        if self.0.len() >= EVENTS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(Event { at, kind, state, text: text.chars().take(TEXT_MAX).collect() });
    }

    /// The events, latest first.
    pub fn iter(&self) -> impl Iterator<Item = &Event> {
        self.0.iter().rev()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_events_are_kept_and_their_texts_are_bounded() {
        let mut recent = Recent::default();
        for count in 0..100 {
            recent.push(Mono::default(), EventKind::Exec, EventState::Failed, &format!("{count}{}", "é".repeat(9999)));
        }
        assert_eq!(recent.iter().count(), EVENTS_MAX);
        assert!(recent.iter().next().is_some_and(|event| event.text.starts_with("99")));
        assert!(recent.iter().all(|event| event.text.chars().count() == TEXT_MAX));
    }
}
