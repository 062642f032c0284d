//! The `set` statements.

use std::fmt::Write;

use super::connection::tls_lines;
use super::notice::{alert, collector, event_queue, mail, mail_format};
use super::{Secrets, account, operand, quoted};
use crate::config::model::{
    AllowHost, Facility, Httpd, Limits, LogTarget, MailFormat, PasswordKind, Settings, Signature, Variable,
};

use crate::syntax::secret::{credentials, is_secret_name};

/// All settings but the limits.
pub fn settings(text: &mut String, settings: &Settings, secrets: Secrets) {
    let mut line = |line: String| {
        let _ = writeln!(text, "{line}");
    };
    if let Some(interval) = settings.interval {
        let delay = settings.start_delay.map(|delay| format!(" with start delay {}", delay.as_secs()));
        let delay = delay.unwrap_or_default();
        line(format!("set daemon {}{delay}", interval.as_secs()));
    }
    if settings.foreground {
        line("set init".to_owned());
    }
    if settings.batch {
        line("set terminal batch".to_owned());
    }
    match &settings.log {
        None => {}
        Some(LogTarget::File(path)) => line(format!("set log {}", operand(path))),
        Some(LogTarget::Syslog(facility)) => line(format!("set log syslog{}", self::facility(*facility))),
    }
    let paths = [("pidfile", &settings.pidfile), ("idfile", &settings.idfile), ("statefile", &settings.statefile)];
    for (word, path) in paths.into_iter().filter_map(|(word, path)| Some((word, path.as_ref()?))) {
        line(format!("set {word} {}", operand(path)));
    }
    if let Some(httpd) = &settings.httpd {
        line(self::httpd(httpd, secrets));
    }
    if !settings.environment.is_empty() {
        let value = |variable: &Variable| {
            let is_secret =
                is_secret_name(variable.name.as_bytes()) || credentials(variable.value.0.as_bytes()).is_some();
            if !is_secret { quoted(&variable.value.0) } else { secrets.text(&variable.value) }
        };
        let lines = settings.environment.iter().map(|one| format!("    {} = {}\n", one.name, value(one)));
        line(format!("set environment {{\n{}}}", lines.collect::<String>()));
    }
    if settings.fips {
        line("set fips".to_owned());
    }
    if let Some(tls) = &settings.tls {
        line(format!("set ssl {{{} }}", tls_lines(tls)));
    }
    if let Some(found) = &settings.mail {
        line(mail(found, secrets));
    }
    if settings.mail_format != MailFormat::default() {
        line(format!("set mail-format {}", mail_format(&settings.mail_format)));
    }
    if let Some(queue) = &settings.event_queue {
        line(event_queue(queue));
    }
    settings.collectors.iter().for_each(|found| line(collector(found, secrets)));
    settings.alerts.iter().for_each(|found| line(format!("set {}", alert(found))));
}

/// `set limits`; it stands at the end, where it changes no default of a service.
pub fn limits(limits: &Limits) -> String {
    let mut text = String::from("set limits {\n");
    let sizes = [
        ("programOutput", limits.program_output),
        ("sendExpectBuffer", limits.send_expect_buffer),
        ("fileContentBuffer", limits.file_content_buffer),
        ("httpContentBuffer", limits.http_content_buffer),
    ];
    for (name, size) in sizes {
        let _ = writeln!(text, "    {name}: {size} bytes");
    }
    let times = [
        ("networkTimeout", Some(limits.network_timeout)),
        ("programTimeout", Some(limits.program_timeout)),
        ("stopTimeout", Some(limits.stop_timeout)),
        ("startTimeout", Some(limits.start_timeout)),
        ("restartTimeout", Some(limits.restart_timeout)),
        ("execTimeout", limits.exec_timeout),
    ];
    for (name, time) in times.into_iter().filter_map(|(name, time)| Some((name, time?))) {
        let _ = writeln!(text, "    {name}: {} ms", time.as_millis());
    }
    text.push_str("}\n");
    text
}

fn facility(facility: Facility) -> String {
    match facility {
        // The default, whose name older releases of the original do not know.
        Facility::User => String::new(),
        Facility::Daemon => " facility log_daemon".to_owned(),
        Facility::Local(number) => format!(" facility log_local{number}"),
    }
}

fn httpd(httpd: &Httpd, secrets: Secrets) -> String {
    let mut text = String::from("set httpd");
    let mut option = |option: String| text.push_str(&format!("\n    {option}"));
    let read_only = |read_only: bool| if read_only { " read-only" } else { "" };
    if let Some(port) = httpd.port {
        option(format!("port {port}{}", read_only(httpd.read_only)));
    }
    if let Some(address) = &httpd.address {
        option(format!("address {}", quoted(address)));
    }
    if let Some(socket) = &httpd.socket {
        let uid = socket.uid.as_ref().map(|user| format!(" uid {}", account(user.name.as_deref(), user.uid)));
        let gid = socket.gid.as_ref().map(|group| format!(" gid {}", account(group.name.as_deref(), group.gid)));
        let mode = socket.permission.map(|mode| format!(" permission {mode:04o}"));
        let options = [uid, gid, mode].map(Option::unwrap_or_default).concat();
        option(format!("unixsocket {}{options}{}", operand(&socket.path), read_only(socket.read_only)));
    }
    match &httpd.tls {
        None => {}
        Some(tls) if tls.files.is_empty() => option("allowselfcertification".to_owned()),
        Some(tls) => option(format!("with ssl {{{} }}", tls_lines(tls))),
    }
    if httpd.signature == Signature::Hidden {
        option("signature disable".to_owned());
    }
    for allow in &httpd.allow {
        option(match allow {
            AllowHost::Network { address, prefix } => format!("allow \"{address}/{prefix}\""),
            AllowHost::Name(name) => format!("allow {}", quoted(name)),
        });
    }
    for found in &httpd.credentials {
        let password = secrets.text(&crate::config::model::Secret(found.password.clone()));
        option(format!("allow {}:{password}{}", quoted(&found.user), read_only(found.read_only)));
    }
    for file in &httpd.password_files {
        let kind = match file.kind {
            PasswordKind::ClearText => "cleartext",
            PasswordKind::Md5 => "md5",
            PasswordKind::Crypt => "crypt",
        };
        let users: String = file.users.iter().map(|user| format!(" {}", quoted(user))).collect();
        option(format!("allow {kind} {}{users}", operand(&file.path)));
    }
    for group in &httpd.groups {
        option(format!("allow @{}{}", quoted(&group.group), read_only(group.read_only)));
    }
    text
}
