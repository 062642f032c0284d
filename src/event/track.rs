//! The state of one rule: its history of posts and the moment it flips.

use crate::base::event::EventState;
use crate::base::logging::Level;
use crate::base::schedule::Rate;

/// One rule's history. Nothing is held against a rule (or for it) that happened before its last flip.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Track {
    /// Newest post in bit 0; a set bit is a failure.
    history: u64,
    /// `None` until the first failure: a rule that never failed has no event.
    state: Option<EventState>,
    /// How many posts agreed with the state since it was entered, the one that entered it included.
    repeats: u32,
    /// That its value is not known was told, and it has not been known since.
    is_unknown: bool,
    /// How many posts of the history count.
    known: u32,
    /// Its failure is open, but has to reach its rate once more before anything is done about it.
    anew: bool,
    /// The state whose reaction could not be begun when it was due, and is due still.
    owed: Option<EventState>,
}

/// States and their words in the state file.
const STATES: [(Option<EventState>, &str); 5] = [
    (None, "none"),
    (Some(EventState::Succeeded), "succeeded"),
    (Some(EventState::Failed), "failed"),
    (Some(EventState::Changed), "changed"),
    (Some(EventState::NotChanged), "unchanged"),
];

/// Whose reactions may be owed, and their words in the state file.
const OWED: [(EventState, &str); 3] = [
    (EventState::Succeeded, "owes-recovery"),
    (EventState::NotChanged, "owes-unchanged"),
    (EventState::Changed, "owes-change"),
];

/// What a post asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posted {
    /// The level of the log line; `None`: nothing new worth a line.
    pub log: Option<Level>,
    /// Which reaction is due.
    pub due: Due,
}

/// Which reaction is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// None.
    Nothing,
    /// The failure's, for the n-th time in a row (1 at the flip).
    Failure(u32),
    /// The recovery's.
    Recovery,
}

impl Track {
    /// Enters one result and tells what follows from it. Failures and changes count against the rule; a change is an event
    /// in itself each time it has been seen often enough, a failure is one until it is over.
    pub fn enter(&mut self, verdict: EventState, failure: Rate, recovery: Rate) -> Posted {
        let bad = matches!(verdict, EventState::Failed | EventState::Changed);
        self.is_unknown = false;
        self.history = (self.history << 1) | u64::from(bad);
        self.known = (self.known + 1).min(u64::BITS);
        let was_bad = self.is_open();
        let rate = if bad { failure } else { recovery };
        let flips = (bad != was_bad || verdict == EventState::Changed) && self.agreeing(bad, rate.window) >= rate.count;
        if flips {
            self.state = Some(verdict);
            self.history = if bad { u64::MAX } else { 0 };
            self.known = u64::BITS;
            self.anew = false;
            self.repeats = 1;
            // What is worse again needs nothing for having been better.
            self.owed = self.owed.filter(|owed| !bad || *owed == EventState::Changed);
        } else if bad && self.anew && self.agreeing(bad, rate.window) < rate.count {
            return Posted { log: Some(Level::Error), due: Due::Nothing };
        } else if bad == was_bad {
            self.repeats = self.repeats.saturating_add(1);
            self.anew &= !bad;
        }
        match (bad, flips, self.is_open()) {
            (true, _, true) => Posted { log: Some(Level::Error), due: Due::Failure(self.repeats) },
            (true, _, false) => Posted { log: Some(Level::Warning), due: Due::Nothing },
            (false, true, _) => Posted { log: Some(Level::Info), due: Due::Recovery },
            (false, false, _) => Posted { log: None, due: Due::Nothing },
        }
    }

    /// [`Track::enter`] for a test that passes or fails.
    pub fn post(&mut self, failed: bool, failure: Rate, recovery: Rate) -> Posted {
        self.enter(if failed { EventState::Failed } else { EventState::Succeeded }, failure, recovery)
    }

    /// What the rule asks for is not known. True when that is news.
    pub fn unknown(&mut self) -> bool {
        !std::mem::replace(&mut self.is_unknown, true)
    }

    /// The reaction to that state could not be begun. Only one that is asked for once has to be kept: while a test fails
    /// it is asked for again and again.
    pub fn owe(&mut self, state: EventState) {
        self.owed = (state != EventState::Failed).then_some(state);
    }

    /// The state whose reaction is still due.
    pub fn owed(&self) -> Option<EventState> {
        self.owed
    }

    /// No reaction is due any longer: the service is started or stopped, or not watched.
    pub fn settle(&mut self) {
        self.owed = None;
    }

    /// The failure was open before this program knew the rule; its end is to be told.
    pub fn reopen(&mut self) {
        self.state = Some(EventState::Failed);
        self.history = u64::MAX;
        self.known = u64::BITS;
        self.anew = false;
        self.repeats = 1;
    }

    /// Much time has passed unseen, or the machine was booted (`boot`): what was seen before says nothing about now. What
    /// people were told stands: an open failure is not told a second time unless `boot`, and its end is told.
    pub fn lapse(&mut self, boot: bool) {
        self.forget();
        if boot {
            self.repeats = 0;
        }
    }

    /// One word that holds all of it; `None` when there is nothing to keep.
    pub fn save(&self) -> Option<String> {
        if self.state.is_none() && self.history == 0 && !self.is_unknown && self.owed.is_none() {
            return None;
        }
        let state = STATES.iter().find(|(state, _)| *state == self.state).map_or("none", |(_, word)| word);
        // While nothing is open it is of no interest how often the test has passed, which changes in every cycle.
        let (known, repeats) = if self.is_open() { (self.known, self.repeats) } else { (u64::BITS, 0) };
        let flags = [(self.anew, "anew"), (self.is_unknown, "unknown")];
        let owed = OWED.into_iter().map(|(state, word)| (self.owed == Some(state), word));
        let flags: Vec<&str> = flags.into_iter().chain(owed).filter(|(is, _)| *is).map(|(_, word)| word).collect();
        Some(format!("{state}:{:x}:{known}:{repeats}:{}", self.history, flags.join("+")))
    }

    /// What [`Track::save`] wrote; `None` when it is something else.
    pub fn load(word: &str) -> Option<Track> {
        let parts: Vec<&str> = word.split(':').collect();
        let [state, history, known, repeats, flags] = parts.as_slice() else { return None };
        let has = |flag: &str| flags.split('+').any(|word| word == flag);
        Some(Track {
            state: STATES.iter().find(|(_, word)| word == state)?.0,
            history: u64::from_str_radix(history, 16).ok()?,
            known: known.parse().ok().filter(|known| *known <= u64::BITS)?,
            repeats: repeats.parse().ok()?,
            anew: has("anew"),
            is_unknown: has("unknown"),
            owed: OWED.iter().find(|(_, word)| has(word)).map(|(state, _)| *state),
        })
    }

    /// The service was started anew: what was posted before is no reason for anything any more. A failure stays open, but
    /// acts again only when it has reached its rate anew, and is over only when its recovery has reached its own.
    pub fn forget(&mut self) {
        self.history = 0;
        self.known = 0;
        self.anew = self.is_open();
    }

    /// Whether a failure is open, or the last look found a change.
    pub fn is_open(&self) -> bool {
        matches!(self.state, Some(EventState::Failed | EventState::Changed))
    }

    /// Whether the rule's failure is open.
    pub fn is_failed(&self) -> bool {
        self.state == Some(EventState::Failed)
    }

    /// Whether its value is not known, which was told.
    pub fn is_unknown(&self) -> bool {
        self.is_unknown
    }

    /// The state an interface shows; `None` for a rule that never failed.
    pub fn state(&self) -> Option<EventState> {
        self.state
    }

    fn agreeing(&self, failed: bool, window: u32) -> u32 {
        let window = window.min(self.known);
        let mask = if window >= u64::BITS { u64::MAX } else { (1 << window) - 1 };
        let bits = if failed { self.history } else { !self.history };
        (bits & mask).count_ones()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(posts: &[bool], failure: Rate, recovery: Rate) -> Vec<Due> {
        let mut track = Track::default();
        posts.iter().map(|failed| track.post(*failed, failure, recovery).due).collect()
    }

    #[test]
    fn once_is_enough_without_a_rate_and_each_further_failure_counts() {
        use Due::*;
        let dues = run(&[false, true, true, false, false, true], Rate::ONCE, Rate::ONCE);
        assert_eq!(dues, [Nothing, Failure(1), Failure(2), Recovery, Nothing, Failure(1)]);
    }

    #[test]
    fn three_times_within_five_cycles_is_exact() {
        use Due::*;
        let rate = Rate { count: 3, window: 5 };
        assert_eq!(run(&[true, false, true, false, false, true], rate, Rate::ONCE), [Nothing; 6]);
        assert_eq!(
            run(&[true, false, true, false, true], rate, Rate::ONCE),
            [Nothing, Nothing, Nothing, Nothing, Failure(1)]
        );
    }

    #[test]
    fn recovery_counts_only_what_came_after_the_failure() {
        use Due::*;
        let two = Rate { count: 2, window: 3 };
        let dues = run(&[false, false, true, false, true, false, false], Rate::ONCE, two);
        assert_eq!(dues, [Nothing, Nothing, Failure(1), Nothing, Failure(2), Recovery, Nothing]);
    }

    #[test]
    fn below_the_threshold_a_failure_is_a_warning() {
        let rate = Rate { count: 2, window: 2 };
        let mut track = Track::default();
        assert_eq!(track.post(true, rate, Rate::ONCE).log, Some(Level::Warning));
        assert_eq!(track.post(true, rate, Rate::ONCE).log, Some(Level::Error));
        assert_eq!(track.post(true, rate, Rate::ONCE).log, Some(Level::Error));
        assert_eq!(track.post(false, rate, Rate::ONCE).log, Some(Level::Info));
        assert_eq!(track.post(false, rate, Rate::ONCE).log, None);
    }

    #[test]
    fn each_change_is_an_event_and_its_end_is_told_once() {
        use Due::*;
        use EventState::*;
        let mut track = Track::default();
        let mut enter = |verdict| track.enter(verdict, Rate::ONCE, Rate::ONCE);
        let dues: Vec<Due> =
            [NotChanged, Changed, Changed, NotChanged, NotChanged, Changed].map(|v| enter(v).due).into_iter().collect();
        assert_eq!(dues, [Nothing, Failure(1), Failure(1), Recovery, Nothing, Failure(1)]);
    }

    #[test]
    fn a_change_below_its_rate_is_a_warning() {
        let mut track = Track::default();
        let twice = Rate { count: 2, window: 3 };
        let mut log = |verdict| track.enter(verdict, twice, Rate::ONCE).log;
        assert_eq!(log(EventState::Changed), Some(Level::Warning));
        assert_eq!(log(EventState::NotChanged), None);
        assert_eq!(log(EventState::Changed), Some(Level::Error));
        assert_eq!(log(EventState::NotChanged), Some(Level::Info));
    }

    #[test]
    fn what_is_not_known_is_news_once() {
        let mut track = Track::default();
        assert!(track.unknown());
        assert!(!track.unknown());
        track.post(false, Rate::ONCE, Rate::ONCE);
        assert!(track.unknown());
    }

    const TWICE: Rate = Rate { count: 2, window: 3 };

    #[test]
    fn a_saved_track_goes_on_where_it_was() {
        use EventState::*;
        for history in 0..4_u32.pow(5) {
            let mut track = Track::default();
            for place in 0..5 {
                match history / 4_u32.pow(place) % 4 {
                    0 => drop(track.unknown()),
                    1 => drop(track.enter(Changed, TWICE, TWICE)),
                    other => drop(track.post(other == 2, TWICE, TWICE)),
                }
            }
            let mut loaded = track.save().map_or_else(Track::default, |word| Track::load(&word).unwrap());
            assert_eq!(track.clone().unknown(), loaded.clone().unknown());
            for verdict in [Failed, Succeeded, Failed, Changed, NotChanged, Succeeded, Failed, Succeeded] {
                let (one, other) = (track.enter(verdict, TWICE, TWICE), loaded.enter(verdict, TWICE, TWICE));
                assert_eq!(one, other, "{history}");
            }
        }
        assert_eq!(Track::default().save(), None);
        for word in ["", "failed", "failed:x:1:1:", "failed:1:65:1:", "failed:1:1:-1:", "lost:1:1:1:", "failed:1:1:1::"]
        {
            assert_eq!(Track::load(word), None, "{word}");
        }
    }

    #[test]
    fn what_was_open_is_neither_told_twice_nor_ended_in_silence() {
        use Due::*;
        let lapsed = |anew| {
            let mut track = Track::default();
            track.reopen();
            track.lapse(anew);
            Track::load(&track.save().unwrap()).unwrap()
        };
        let mut track = lapsed(false);
        let dues = [true, true, true, false, false].map(|failed| track.post(failed, TWICE, TWICE).due);
        assert_eq!(dues, [Nothing, Failure(2), Failure(3), Nothing, Recovery], "its rate counts anew");
        let mut track = lapsed(true);
        let dues = [true, true].map(|failed| track.post(failed, TWICE, Rate::ONCE).due);
        assert_eq!(dues, [Nothing, Failure(1)], "another boot, another failure");
        let mut track = lapsed(false);
        let dues = [false, true, false, false].map(|failed| track.post(failed, TWICE, TWICE).due);
        assert_eq!(dues, [Nothing, Nothing, Recovery, Nothing]);
        let mut track = Track::default();
        track.post(true, TWICE, TWICE);
        track.lapse(false);
        assert_eq!(track.save(), None, "half a failure is forgotten");
    }

    #[test]
    fn after_a_start_both_rates_begin_anew() {
        use Due::*;
        let (failure, recovery) = (Rate { count: 3, window: 3 }, Rate { count: 2, window: 2 });
        let mut track = Track::default();
        let post = |track: &mut Track, failed| track.post(failed, failure, recovery);
        for _ in 0..2 {
            post(&mut track, true);
        }
        track.forget();
        assert_eq!([true, true, true].map(|failed| post(&mut track, failed).due), [Nothing, Nothing, Failure(1)]);
        assert_eq!(post(&mut track, true).due, Failure(2), "every cycle while nothing else happens");
        track.forget();
        assert_eq!([true, true, true].map(|failed| post(&mut track, failed).due), [Nothing, Nothing, Failure(3)]);
        track.forget();
        let posted = [false, true, false, false].map(|failed| post(&mut track, failed));
        assert_eq!(posted.map(|posted| posted.due), [Nothing, Nothing, Nothing, Recovery]);
        assert_eq!(posted[1].log, Some(Level::Error), "the failure is still open");
        assert_eq!([true, true, true].map(|failed| post(&mut track, failed).due), [Nothing, Nothing, Failure(1)]);
    }

    #[test]
    fn the_widest_window_holds_64_posts() {
        let rate = Rate { count: 64, window: 64 };
        let mut track = Track::default();
        for _ in 0..63 {
            assert_eq!(track.post(true, rate, Rate::ONCE).due, Due::Nothing);
        }
        assert_eq!(track.post(true, rate, Rate::ONCE).due, Due::Failure(1));
    }
}
