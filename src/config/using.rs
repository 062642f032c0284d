//! What goes beyond Monit for rc.d scripts and jails: `using service NAME` and `in jail NAME`.

use super::build::Builder;
use super::model::{Jail, Pattern, Program};
use super::world::ProgramState;
use crate::syntax::diagnostic::Diagnostic;
use crate::syntax::source::{Span, Text};
use crate::syntax::statement::Using;

/// The program behind `using service`, in the same place everywhere.
const SERVICE: &str = "/usr/sbin/service";

/// Where service(8) of FreeBSD looks for scripts.
const SCRIPTS: [&str; 2] = ["/etc/rc.d", "/usr/local/etc/rc.d"];

impl Builder<'_> {
    /// `using service NAME`: the three programs of the open service. Statements behind it may replace them one by one.
    ///
    /// On FreeBSD they are `onestart`, `onestop` and `onerestart`, which do the same as the plain words for a service that is
    /// enabled, and their work for one that is not, where the plain words do nothing and exit 0.
    ///
    /// For a process in a jail they are those of the jail.
    pub(super) fn using(&mut self, using: &Using, jail: Option<&str>) {
        let span = using.name.span;
        let name = using.name.lossy();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.@-".contains(&byte);
        if !name.bytes().all(is_plain) || name.starts_with(['-', '.']) {
            let error = self.error(span, format!("'{name}' is no name of a service"));
            self.push(error.with_help("service(8) takes letters, digits and the signs '_', '.', '@' and '-'"));
            return;
        }
        let timeout = match &using.timeout {
            Some(number) => match self.seconds(number, 1, "a timeout") {
                Some(timeout) => Some(timeout),
                None => return,
            },
            None => None,
        };
        let is_freebsd = self.world.is_freebsd();
        self.warn_service(&name, span, is_freebsd && jail.is_none());
        let limits = &self.settings.limits;
        let manner = if is_freebsd { "one" } else { "" };
        let program = |verb: &str, default| {
            let verb = format!("{manner}{verb}");
            let in_jail = jail.into_iter().flat_map(|jail| ["-j", jail]);
            let words = std::iter::once(SERVICE).chain(in_jail).chain([name.as_str(), verb.as_str()]);
            let argv = words.map(Into::into).collect();
            Some(Program { argv, uid: None, gid: None, timeout: timeout.or(Some(default)) })
        };
        let start = program("start", limits.start_timeout);
        let stop = program("stop", limits.stop_timeout);
        let restart = program("restart", limits.restart_timeout);
        if let Some(draft) = self.draft() {
            (draft.start, draft.stop, draft.restart) = (start, stop, restart);
        }
    }

    /// A script may come later, and its service with it. Those in jails are not looked for.
    fn warn_service(&mut self, name: &str, span: Span, has_script: bool) {
        let is_missing = |path: String| self.world.program(path.as_ref()) == ProgramState::Missing;
        let message = if is_missing(SERVICE.to_owned()) {
            format!("the program '{SERVICE}' does not exist")
        } else if has_script && SCRIPTS.iter().all(|dir| is_missing(format!("{dir}/{name}"))) {
            format!("there is no script '{name}' in {}", SCRIPTS.join(" or "))
        } else {
            return;
        };
        self.push(Diagnostic::warning(self.location(span), message));
    }

    /// Where a process must run.
    pub(super) fn jail(&mut self, text: Option<Text>) -> Result<Option<Jail>, ()> {
        let Some(text) = text else {
            return Ok(None);
        };
        let name = text.lossy();
        if name.eq_ignore_ascii_case("host") {
            return Ok(Some(Jail::Host));
        }
        if !self.world.is_freebsd() {
            let error = self.error(text.span, format!("there are no jails on this system, so none is named '{name}'"));
            self.push(error.with_help("'in jail' with a name is for FreeBSD"));
            return Err(());
        }
        Ok(Some(Jail::Named(name)))
    }

    /// A pattern without `in jail` means processes in jails too, as it does to Monit: `-t` tells when there are such.
    pub(super) fn warn_jailed(&mut self, pattern: &Pattern, span: Span) {
        if !self.checking {
            return;
        }
        let world = self.world;
        let jailed = self.jailed.get_or_insert_with(|| world.jailed());
        let Some(found) = jailed.iter().find(|process| pattern.regex.is_match(&process.command)) else {
            return;
        };
        let message = format!("this pattern also matches process {} in the jail with number {}", found.pid, found.jail);
        let help = "'in jail host' behind the pattern means processes outside of jails, 'in jail NAME' those in one";
        self.push(Diagnostic::warning(self.location(span), message).with_help(help));
    }
}
