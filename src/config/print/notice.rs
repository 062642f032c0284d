//! Alerts, mail, collectors.

use std::fmt::Write;

use super::connection::{tls, url};
use super::{Secrets, operand, quoted};
use crate::config::model::{Alert, Collector, EventQueue, Mail, MailAddress, MailFormat};

/// `alert ADDRESS …`
pub fn alert(alert: &Alert) -> String {
    let mut text = format!("alert {}", alert.address);
    if let Some(events) = &alert.events {
        let words: Vec<&str> = events.iter().map(|kind| kind.word()).collect();
        text.push_str(&format!(" {}on {{ {} }}", if alert.except { "not " } else { "" }, words.join(", ")));
    }
    if alert.format != MailFormat::default() {
        text.push_str(&format!(" with mail-format {}", mail_format(&alert.format)));
    }
    if alert.reminder > 0 {
        text.push_str(&format!(" with reminder on {} cycles", alert.reminder));
    }
    text
}

/// `{ from: … }`
pub fn mail_format(format: &MailFormat) -> String {
    let address = |address: &MailAddress| match &address.name {
        Some(name) => format!("\"{name}\" <{}>", address.address),
        None => address.address.clone(),
    };
    let mut text = String::from("{\n");
    if let Some(from) = &format.from {
        let _ = writeln!(text, "        from: {}", address(from));
    }
    if let Some(reply) = &format.reply_to {
        let _ = writeln!(text, "        reply-to: {}", address(reply));
    }
    if let Some(subject) = &format.subject {
        let _ = writeln!(text, "        subject: {subject}");
    }
    if let Some(message) = &format.message {
        let _ = writeln!(text, "        message: {message}");
    }
    text.push_str("    }");
    text
}

/// `set mailserver …`
pub fn mail(mail: &Mail, secrets: Secrets) -> String {
    let mut text = String::from("set mailserver");
    for (place, server) in mail.servers.iter().enumerate() {
        let comma = if place > 0 { "," } else { "" };
        text.push_str(&format!("{comma} {} port {}", quoted(&server.host), server.port));
        if let Some(username) = &server.username {
            text.push_str(&format!(" username {}", quoted(username)));
        }
        if let Some(password) = &server.password {
            text.push_str(&format!(" password {}", secrets.text(password)));
        }
        if let Some(found) = &server.tls {
            text.push_str(&tls(found));
        }
    }
    if let Some(timeout) = mail.timeout {
        text.push_str(&format!(" timeout {} seconds", timeout.as_secs()));
    }
    if let Some(hostname) = &mail.hostname {
        text.push_str(&format!(" hostname {}", quoted(hostname)));
    }
    text
}

/// `set eventqueue …`
pub fn event_queue(queue: &EventQueue) -> String {
    let basedir = queue.basedir.as_ref().map(|path| format!(" basedir {}", operand(path)));
    let slots = queue.slots.map(|slots| format!(" slots {slots}"));
    format!("set eventqueue{}{}", basedir.unwrap_or_default(), slots.unwrap_or_default())
}

/// `set mmonit …`
pub fn collector(collector: &Collector, secrets: Secrets) -> String {
    let mut text = format!("set mmonit {}", url(&collector.url, secrets));
    if let Some(timeout) = collector.timeout {
        text.push_str(&format!(" timeout {} seconds", timeout.as_secs()));
    }
    if let Some(found) = &collector.tls {
        text.push_str(&tls(found));
    }
    if collector.without_credentials {
        text.push_str(" register without credentials");
    }
    if !collector.hostgroups.is_empty() {
        let names: Vec<String> = collector.hostgroups.iter().map(|name| super::connection::plain(name)).collect();
        text.push_str(&format!(" hostgroups [{}]", names.join(", ")));
    }
    text
}
