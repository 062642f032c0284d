//! The accounts that programs run as, looked up when a configuration is loaded and not when a program is started: a user
//! database may be a server that does not answer.

use std::collections::{BTreeSet, HashMap};

use crate::config::{Action, Config, Kind, Service};
use crate::sys::posix::account::{self, Account};

/// By user number; `None` for a number without an account.
pub(super) type Accounts = HashMap<u32, Option<Account>>;

/// The users of all programs of a configuration, and this daemon's own.
pub(super) fn users(config: &Config) -> BTreeSet<u32> {
    let programs = config.services.iter().flat_map(of_service);
    BTreeSet::from([account::effective_uid()]).into_iter().chain(programs).collect()
}

/// The users that a service's programs name.
fn of_service(service: &Service) -> impl Iterator<Item = u32> {
    let checked = match &service.kind {
        Kind::Program(program) => Some(program),
        _ => None,
    };
    let own = [&service.start, &service.stop, &service.restart].into_iter().flatten();
    let rules = service.rules.iter().flat_map(|rule| [&rule.failure.action, &rule.recovery.action]);
    let limits = service.restart_limits.iter().map(|limit| &limit.action);
    let execs = rules.chain(limits).filter_map(|action| match action {
        Action::Exec(exec) => Some(&exec.program),
        _ => None,
    });
    checked.into_iter().chain(own).chain(execs).filter_map(|program| program.uid.as_ref()).map(|user| user.uid)
}

/// Asks the system for them; may wait for it.
pub(super) fn look_up(config: &Config) -> Accounts {
    users(config).into_iter().map(|uid| (uid, account::account(uid))).collect()
}

/// The question about an account, in words.
pub(super) fn question(uid: u32) -> String {
    format!("the account of the user with the number {uid}")
}

/// An account as the answer to it: four texts with NULs between them, nothing for no account.
pub(super) fn encode(account: Option<&Account>) -> Vec<u8> {
    account.map(|a| format!("{}\0{}\0{}\0{}", a.name, a.gid, a.home, a.shell).into_bytes()).unwrap_or_default()
}

/// Takes the answer apart.
pub(super) fn decode(uid: u32, answer: &[u8]) -> Option<Account> {
    let text = String::from_utf8_lossy(answer);
    let mut fields = text.split('\0');
    let mut next = || fields.next().map(str::to_owned);
    Some(Account { uid, name: next()?, gid: next()?.parse().ok()?, home: next()?, shell: next()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_of_every_kind_of_program_is_looked_up() {
        let process = "check process p matching \"p\"\n ";
        let program = "check program q with path \"/bin/true\" as uid www if status != 0 then alert";
        assert_eq!(of_service(&crate::config::tests::first(program)).collect::<Vec<_>>(), [80]);
        for statement in [
            "start program = \"/bin/true\"",
            "stop program = \"/bin/true\"",
            "restart program = \"/bin/true\"",
            "if cpu > 50% then exec \"/bin/true\"",
            "if cpu > 50% then alert else if succeeded then exec \"/bin/true\"",
            "if 3 restarts within 5 cycles then exec \"/bin/true\"",
        ] {
            let service = crate::config::tests::first(&format!("{process}{statement} as uid www"));
            assert_eq!(of_service(&service).collect::<Vec<_>>(), [80], "{statement}");
        }
    }

    #[test]
    fn an_account_survives_the_pipe() {
        let root = account::account(0).unwrap();
        assert_eq!(decode(0, &encode(Some(&root))), Some(root));
        assert_eq!(decode(7, &encode(None)), None);
        assert_eq!(decode(7, b"name\0x\0/\0/bin/sh"), None);
    }
}
