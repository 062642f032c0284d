//! The words for how a service stands.

use crate::base::event::{DISPLAY_ORDER, EventState};

use super::status::{Monitoring, ServiceStatus};

/// How a service stands, in the order in which people want to hear of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Condition {
    /// Something failed.
    Failed,
    /// Nothing failed, something changed.
    Changed,
    /// Not judged yet.
    Initializing,
    /// Nobody looks.
    NotMonitored,
    /// All is well.
    Ok,
}

impl Condition {
    pub(super) fn of(service: &ServiceStatus) -> Condition {
        // One that is open as succeeded is a link that is up and should not be.
        let is_failure = |state| matches!(state, EventState::Failed | EventState::Succeeded);
        match service.monitoring {
            Monitoring::NotMonitored => Condition::NotMonitored,
            Monitoring::Initializing => Condition::Initializing,
            Monitoring::Waiting | Monitoring::Monitored => {
                if service.open.is_empty() {
                    Condition::Ok
                } else if service.open.iter().any(|(_, state)| is_failure(*state)) {
                    Condition::Failed
                } else {
                    Condition::Changed
                }
            }
        }
    }
}

/// The status without what is pending: `OK`, or what is wrong, joined by ` | `.
pub(super) fn status(service: &ServiceStatus) -> String {
    match Condition::of(service) {
        Condition::Ok => "OK".to_owned(),
        Condition::NotMonitored => "Not monitored".to_owned(),
        Condition::Initializing => "Initializing".to_owned(),
        Condition::Failed | Condition::Changed => {
            let open = DISPLAY_ORDER.iter().filter_map(|kind| service.open.iter().find(|(open, _)| open == kind));
            let words: Vec<_> = open.map(|(kind, state)| kind.description(*state)).collect();
            words.join(" | ")
        }
    }
}

/// ` - start pending` while an action is under way, else nothing.
pub(super) fn pending(service: &ServiceStatus) -> String {
    service.pending.map(|action| format!(" - {} pending", action.word())).unwrap_or_default()
}

/// The word of the line `monitoring status`.
pub(super) fn monitoring(monitoring: Monitoring) -> &'static str {
    match monitoring {
        Monitoring::NotMonitored => "Not monitored",
        Monitoring::Initializing => "Initializing",
        Monitoring::Waiting => "Waiting",
        Monitoring::Monitored => "Monitored",
    }
}

#[cfg(test)]
mod tests {
    use super::super::status::sample;
    use super::super::status::{Monitoring, PendingAction};
    use super::*;
    use crate::base::event::EventKind;

    #[test]
    fn failures_are_listed_in_display_order() {
        let mut service = sample::process("a");
        service.open = vec![
            (EventKind::Uid, EventState::Failed),
            (EventKind::Pid, EventState::Changed),
            (EventKind::Permission, EventState::Failed),
        ];
        service.pending = Some(PendingAction::Restart);
        assert_eq!(
            status(&service) + &pending(&service),
            "Permission failed | PID changed | UID failed - restart pending"
        );
        assert_eq!(Condition::of(&service), Condition::Failed);
        service.open = vec![(EventKind::Pid, EventState::Changed)];
        assert_eq!(Condition::of(&service), Condition::Changed);
        service.monitoring = Monitoring::NotMonitored;
        assert_eq!(status(&service), "Not monitored", "open events of an unmonitored service are no longer true");
    }

    #[test]
    fn a_waiting_service_keeps_its_last_status() {
        let mut service = sample::process("a");
        service.monitoring = Monitoring::Waiting;
        assert_eq!(status(&service), "OK");
    }
}
