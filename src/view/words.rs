//! The words for how a service stands.

use crate::base::event::{DISPLAY_ORDER, EventState};

use super::Product;
use super::status::{Monitoring, PendingAction, ServiceStatus};

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
            // Its time has not come yet.
            Monitoring::Waiting if !service.is_judged => Condition::Initializing,
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
        Condition::Initializing => monitoring(service.monitoring).to_owned(),
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

/// What readers of the original are told: the status with what is pending. A service that is well and is restarted is
/// initializing until it has been judged again, because readers that have asked for the restart wait until the status
/// changes; behind a bar in place of the dash, because they take what stands before a dash for the outcome.
pub(super) fn told(service: &ServiceStatus, product: Product) -> String {
    let is_watched = service.monitoring == Monitoring::Monitored;
    if product == Product::Monit && is_watched && Condition::of(service) == Condition::Ok {
        match service.pending {
            Some(PendingAction::Restart) => return "Initializing | restart pending".to_owned(),
            None if service.is_restarted => return "Initializing".to_owned(),
            _ => {}
        }
    }
    status(service) + &pending(service)
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
    fn who_asks_for_a_restart_sees_the_status_change() {
        let mut service = sample::process("a");
        let words = |service: &ServiceStatus| (told(service, Product::Monit), told(service, Product::Pollux));
        let pair = |monit: &str, pollux: &str| (monit.to_owned(), pollux.to_owned());
        service.pending = Some(PendingAction::Restart);
        assert_eq!(words(&service), pair("Initializing | restart pending", "OK - restart pending"));
        service.pending = Some(PendingAction::Stop);
        assert_eq!(words(&service), pair("OK - stop pending", "OK - stop pending"));
        service.pending = None;
        service.is_restarted = true;
        assert_eq!(words(&service), pair("Initializing", "OK"));
        service.monitoring = Monitoring::Waiting;
        assert_eq!(words(&service), pair("OK", "OK"), "nobody shall wait for its next turn");
        service.monitoring = Monitoring::Monitored;
        service.pending = Some(PendingAction::Restart);
        service.open = vec![(EventKind::NonExist, EventState::Failed)];
        assert_eq!(words(&service).0, "Does not exist - restart pending");
    }

    #[test]
    fn a_waiting_service_keeps_its_last_status() {
        let mut service = sample::process("a");
        service.monitoring = Monitoring::Waiting;
        assert_eq!(status(&service), "OK");
        service.is_judged = false;
        assert_eq!((status(&service).as_str(), Condition::of(&service)), ("Waiting", Condition::Initializing));
    }
}
