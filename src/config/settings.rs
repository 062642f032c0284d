//! `set` statements to [`Settings`](super::Settings).

use std::net::IpAddr;
use std::time::Duration;

use super::build::{Builder, to_path};
use super::model::{
    AllowGroup, AllowHost, Credential, Facility, Httpd, HttpdSocket, LogTarget, PasswordFile, Secret, Signature, Tls,
    Variable,
};
use super::passwords;
use crate::syntax::diagnostic::Diagnostic;
use crate::syntax::source::{Span, Text};
use crate::syntax::statement as written;
use crate::syntax::statement::{HttpdOption, Limit, LimitName, Number, Set};

/// Longest time that any number may stand for.
pub const SECONDS_MAX: u64 = 366 * 24 * 60 * 60;

/// Largest buffer in bytes.
pub const BUFFER_MAX: u64 = 1024 * 1024 * 1024;

/// Most variables of `set environment`.
const VARIABLES_MAX: usize = 256;

/// Most lines of a password file that are named one by one.
const LINES_NAMED: usize = 5;

/// Longest password in bytes.
const PASSWORD_MAX: usize = 64;

impl Builder<'_> {
    /// A `set` statement other than `onreboot`.
    pub(super) fn setting(&mut self, set: Set, span: Span) {
        match set {
            Set::Daemon { interval, start_delay } => {
                self.settings.interval = self.seconds(&interval, 1, "an interval").or(self.settings.interval);
                self.settings.start_delay = start_delay.and_then(|delay| self.seconds(&delay, 0, "a delay"));
            }
            Set::Init => self.settings.foreground = true,
            Set::TerminalBatch => self.settings.batch = true,
            Set::LogFile(path) => self.settings.log = Some(LogTarget::File(to_path(&path.value))),
            Set::LogSyslog { facility } => self.log_syslog(facility),
            Set::Pidfile(path) => self.settings.pidfile = Some(to_path(&path.value)),
            Set::Idfile(path) => self.settings.idfile = Some(to_path(&path.value)),
            Set::Statefile(path) => self.settings.statefile = Some(to_path(&path.value)),
            Set::Limits(limits) => limits.iter().for_each(|limit| self.limit(limit)),
            Set::Httpd(options) => {
                self.settings.httpd.get_or_insert_with(Httpd::default);
                let location = self.location(span);
                self.httpd_place.get_or_insert(location);
                options.into_iter().for_each(|option| self.httpd_option(option, span));
            }
            Set::OnReboot(word) => self.onreboot = super::build::onreboot(word),
            Set::Backoff(written) => self.backoff = self.backoff(written).unwrap_or(self.backoff),
            Set::Alert(alert) => {
                self.unbuilt(span, "set alert");
                let alert = self.alert(&alert);
                self.settings.alerts.extend(alert);
            }
            Set::MailFormat(format) => {
                self.unbuilt(span, "set mail-format");
                self.settings.mail_format = super::notices::mail_format(&format);
            }
            Set::MailServers(mail) => {
                self.unbuilt(span, "set mailserver");
                self.mail_servers(&mail);
            }
            Set::EventQueue(queue) => {
                self.unbuilt(span, "set eventqueue");
                self.event_queue(&queue);
            }
            Set::Collectors(all) => {
                self.unbuilt(span, "set mmonit");
                let location = self.location(span);
                self.collectors_place.get_or_insert(location);
                let all: Vec<_> = all.iter().filter_map(|collector| self.collector(collector)).collect();
                self.settings.collectors.extend(all);
            }
            Set::Tls(options) => {
                self.unbuilt(span, "set ssl");
                let mut tls = Tls::default();
                options.iter().for_each(|option| self.tls_option(&mut tls, option));
                self.settings.tls = Some(tls);
            }
            Set::Fips => {
                self.unbuilt(span, "set fips");
                self.settings.fips = true;
            }
            Set::Environment(variables) => variables.iter().for_each(|variable| self.variable(variable)),
            Set::ExpectBuffer { value, unit } => {
                self.limit(&Limit { name: LimitName::SendExpectBuffer, value, unit });
            }
        }
    }

    /// A variable of programs; of two with one name the last counts.
    fn variable(&mut self, written: &written::Variable) {
        let name = written.name.lossy();
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !starts || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            let help = "a name has letters, digits and underscores, and does not begin with a digit";
            let error = self.error(written.name.span, format!("'{name}' is no name of a variable"));
            self.push(error.with_help(help));
            return;
        }
        if name.starts_with("MONIT_") {
            let message = format!("'{name}' cannot be set: variables that begin with MONIT_ tell of events");
            self.push(self.error(written.name.span, message));
            return;
        }
        let value = match String::from_utf8(written.value.value.clone()) {
            Ok(value) if !value.contains('\0') => value,
            _ => {
                self.push(self.error(written.value.span, "a value must be UTF-8 and without NUL"));
                return;
            }
        };
        let known = &mut self.settings.environment;
        known.retain(|variable| variable.name != name);
        if known.len() >= VARIABLES_MAX {
            self.push(self.error(written.name.span, format!("more than {VARIABLES_MAX} variables")));
            return;
        }
        known.push(Variable { name, value: Secret(value) });
    }

    /// A number of seconds within its limits.
    pub(super) fn seconds(&mut self, number: &Number, least: u64, what: &str) -> Option<Duration> {
        if (least..=SECONDS_MAX).contains(&number.value) {
            return Some(Duration::from_secs(number.value));
        }
        let message = format!("{what} must be between {least} and {SECONDS_MAX} seconds");
        self.push(self.error(number.span, message));
        None
    }

    fn log_syslog(&mut self, facility: Option<Text>) {
        let Some(text) = facility else {
            self.settings.log = Some(LogTarget::Syslog(Facility::default()));
            return;
        };
        let name = text.lossy().to_ascii_lowercase();
        let local = name.strip_prefix("log_local").and_then(|digit| digit.parse().ok()).filter(|number| *number < 8);
        let facility = match (name.as_str(), local) {
            ("log_user", _) => Facility::User,
            ("log_daemon", _) => Facility::Daemon,
            (_, Some(number)) if name.len() == "log_local0".len() => Facility::Local(number),
            _ => {
                let help = "known are log_user, log_daemon and log_local0 to log_local7";
                self.push(self.error(text.span, "unknown syslog facility").with_help(help));
                return;
            }
        };
        self.settings.log = Some(LogTarget::Syslog(facility));
    }

    fn limit(&mut self, limit: &Limit) {
        let name = limit.name.word();
        let value = limit.value.value.saturating_mul(limit.unit);
        if limit.name.is_timeout() {
            if value == 0 || value > SECONDS_MAX * 1000 {
                let message = format!("{name} must be more than 0 and at most {SECONDS_MAX} seconds");
                self.push(self.error(limit.value.span, message));
                return;
            }
        } else if value > BUFFER_MAX {
            self.push(self.error(limit.value.span, format!("{name} must be at most {BUFFER_MAX} bytes")));
            return;
        }
        let (time, size) = (Duration::from_millis(value), usize::try_from(value).unwrap_or(usize::MAX));
        let limits = &mut self.settings.limits;
        match limit.name {
            LimitName::ProgramOutput => limits.program_output = size,
            LimitName::SendExpectBuffer => limits.send_expect_buffer = size,
            LimitName::FileContentBuffer => limits.file_content_buffer = size,
            LimitName::HttpContentBuffer => limits.http_content_buffer = size,
            LimitName::NetworkTimeout => limits.network_timeout = time,
            LimitName::ProgramTimeout => limits.program_timeout = time,
            LimitName::StopTimeout => limits.stop_timeout = time,
            LimitName::StartTimeout => limits.start_timeout = time,
            LimitName::RestartTimeout => limits.restart_timeout = time,
            LimitName::ExecTimeout => limits.exec_timeout = Some(time),
        }
    }

    fn httpd_option(&mut self, option: HttpdOption, span: Span) {
        match option {
            HttpdOption::Port { port, read_only } => match u16::try_from(port.value) {
                Ok(number) if number > 0 => {
                    let httpd = self.httpd();
                    httpd.port = Some(number);
                    httpd.read_only = read_only;
                }
                _ => self.push(self.error(port.span, "a port must be between 1 and 65535")),
            },
            HttpdOption::Address(address) => {
                let location = self.location(address.span);
                if let Some(first) = self.httpd_address.replace(location) {
                    let message = "the address can be given only once, the last one counts";
                    self.push(Diagnostic::warning(location, message).with_note(first, "first given here"));
                }
                self.httpd().address = Some(address.lossy());
            }
            HttpdOption::Signature(shown) => {
                self.httpd().signature = if shown { Signature::Shown } else { Signature::Hidden };
            }
            HttpdOption::AllowHost(host) => match allow_host(&host.lossy()) {
                Some(allow) => self.httpd().allow.push(allow),
                None => {
                    let message = "this is no network and is ignored, nobody is allowed by it";
                    let help = "write an address with a prefix length or mask, such as 10.0.0.0/8";
                    let location = self.location(host.span);
                    self.push(Diagnostic::warning(location, message).with_help(help));
                }
            },
            HttpdOption::AllowUser { user, password, read_only } => self.credential(&user, &password, read_only),
            HttpdOption::Socket(path) => {
                self.httpd_socket().path = to_path(&path.value);
            }
            HttpdOption::SocketUid(text) => self.httpd_socket().uid = self.known_user(&text),
            HttpdOption::SocketGid(text) => self.httpd_socket().gid = self.known_group(&text),
            HttpdOption::SocketPermission(text) => self.httpd_socket().permission = self.permission(&text),
            HttpdOption::SocketReadOnly => self.httpd_socket().read_only = true,
            HttpdOption::Tls(options) => {
                let mut tls = self.httpd().tls.take().unwrap_or_default();
                options.iter().for_each(|option| self.tls_option(&mut tls, option));
                self.httpd().tls = Some(tls);
                self.httpd_tls = Some(self.location(span));
            }
            HttpdOption::AllowSelfCertification => {
                self.httpd().tls.get_or_insert_default().self_signed = Some(true);
            }
            HttpdOption::File(file, path) => {
                let mut tls = self.httpd().tls.take().unwrap_or_default();
                self.tls_file(&mut tls, file, &path);
                self.httpd().tls = Some(tls);
                self.httpd_tls = Some(self.location(path.span));
            }
            HttpdOption::AllowFile { kind, path, users } => {
                let users: Vec<String> = users.iter().map(Text::lossy).collect();
                let file = PasswordFile { kind, path: to_path(&path.value), users };
                self.check_passwords(&file, path.span);
                self.httpd().password_files.push(file);
            }
            HttpdOption::AllowGroup { group, read_only } => {
                let name = group.lossy();
                if self.world.gid_of(&name).is_none() {
                    let location = self.location(group.span);
                    let message = format!("there is no group '{name}' on this system, nobody can log in by it");
                    self.push(Diagnostic::warning(location, message));
                }
                self.httpd().groups.push(AllowGroup { group: name, read_only });
            }
        }
    }

    /// Says what of a password file lets nobody in. One that is not here, but on the machine that the control file is for, is
    /// read as an empty one.
    fn check_passwords(&mut self, file: &PasswordFile, span: Span) {
        let path = file.path.display();
        if self.world.stat(&file.path).is_err() {
            self.push(self.error(span, format!("the file '{path}' does not exist")));
            return;
        }
        let text = match self.world.read_data(&file.path, passwords::FILE_MAX) {
            Ok(text) => text,
            Err(error) => {
                self.push(self.error(span, format!("the password file '{path}' cannot be read: {error}")));
                return;
            }
        };
        if text.is_empty() && !self.checking {
            return;
        }
        let mut messages = Vec::new();
        let mut known = Vec::new();
        for (line, entry) in passwords::lines(&text, file.kind) {
            match entry {
                Err(bad) => messages.push(format!("line {line} of '{path}' lets nobody in: {bad}")),
                Ok(entry) => known.push(String::from_utf8_lossy(entry.user).into_owned()),
            }
        }
        let more = messages.len().saturating_sub(LINES_NAMED);
        messages.truncate(LINES_NAMED);
        if more > 0 {
            messages.push(format!("{more} more lines of '{path}' let nobody in"));
        }
        let missing = file.users.iter().filter(|user| !known.contains(user));
        messages
            .extend(missing.map(|user| format!("'{user}' cannot log in by the file '{path}', which has no such user")));
        if known.is_empty() && file.users.is_empty() {
            messages.push(format!("nobody can log in by the file '{path}', it has no users"));
        }
        known.retain(|user| file.users.is_empty() || file.users.contains(user));
        known.sort();
        known.dedup();
        for user in known {
            if !self.httpd_users.insert(user.clone()) {
                messages.push(format!("there are credentials for '{user}' already, those in '{path}' are ignored"));
            }
        }
        let location = self.location(span);
        messages.into_iter().for_each(|message| self.push(Diagnostic::warning(location, message)));
    }

    fn httpd(&mut self) -> &mut Httpd {
        self.settings.httpd.get_or_insert_with(Httpd::default)
    }

    fn httpd_socket(&mut self) -> &mut HttpdSocket {
        self.httpd().socket.get_or_insert_with(HttpdSocket::default)
    }

    fn credential(&mut self, user: &Text, password: &Text, read_only: bool) {
        let (Ok(name), Ok(secret)) = (String::from_utf8(user.value.clone()), String::from_utf8(password.value.clone()))
        else {
            self.push(self.error(user.span, "user and password must be UTF-8"));
            return;
        };
        if secret.len() > PASSWORD_MAX {
            let message = format!("the password is longer than {PASSWORD_MAX} bytes");
            self.push(self.error(password.span, message));
            return;
        }
        if secret.is_empty() {
            let location = self.location(password.span);
            self.push(Diagnostic::warning(location, "the password is empty, nobody can log in with it"));
        }
        if !self.httpd_users.insert(name.clone()) {
            let location = self.location(user.span);
            let message = format!("there are credentials for '{name}' already, these are ignored");
            self.push(Diagnostic::warning(location, message));
            return;
        }
        self.httpd().credentials.push(Credential { user: name, password: secret, read_only });
    }
}

/// A name, an address, or a network as ADDRESS/BITS or ADDRESS/MASK.
fn allow_host(text: &str) -> Option<AllowHost> {
    let Some((address, mask)) = text.split_once('/') else {
        let Ok(address) = text.parse::<IpAddr>() else {
            return Some(AllowHost::Name(text.to_owned()));
        };
        return Some(AllowHost::Network { address, prefix: bits(address) });
    };
    let address: IpAddr = address.parse().ok()?;
    let digits = !mask.is_empty() && mask.bytes().all(|byte| byte.is_ascii_digit());
    let prefix = if digits {
        mask.parse().ok()?
    } else {
        let mask: std::net::Ipv4Addr = mask.parse().ok().filter(|_| address.is_ipv4())?;
        let mask = mask.to_bits();
        (mask.leading_ones() == mask.count_ones()).then(|| mask.count_ones())?
    };
    let prefix = u8::try_from(prefix).ok().filter(|prefix| *prefix <= bits(address))?;
    Some(AllowHost::Network { address, prefix })
}

fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_networks() {
        let network = |address: &str, prefix| Some(AllowHost::Network { address: address.parse().unwrap(), prefix });
        assert_eq!(allow_host("127.0.0.1"), network("127.0.0.1", 32));
        assert_eq!(allow_host("10.0.0.0/8"), network("10.0.0.0", 8));
        assert_eq!(allow_host("0.0.0.0/0"), network("0.0.0.0", 0));
        assert_eq!(allow_host("10.0.0.0/255.255.0.0"), network("10.0.0.0", 16));
        assert_eq!(allow_host("fe80::/64"), network("fe80::", 64));
        assert_eq!(allow_host("::1"), network("::1", 128));
        assert_eq!(allow_host("localhost"), Some(AllowHost::Name("localhost".to_owned())));
        for wrong in [
            "10.0.0.0/33",
            "10.0.0.0/255.0.255.0",
            "fe80::/129",
            "::/255.0.0.0",
            "x/8",
            "1.2.3.4/",
            "1.2.3.4/-1",
            "::/999999999999",
        ] {
            assert_eq!(allow_host(wrong), None, "{wrong}");
        }
    }
}
