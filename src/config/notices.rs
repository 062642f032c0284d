//! Alerts, mail and collectors.

use super::build::{Builder, to_path};
use super::model::{Alert, Collector, EventQueue, Mail, MailAddress, MailFormat, MailServer, Secret};
use crate::syntax::source::Text;
use crate::syntax::statement as written;

/// The port of mail servers.
const SMTP: u16 = 25;

impl Builder<'_> {
    /// `alert ADDRESS …`
    pub(super) fn alert(&mut self, written: &written::Alert) -> Option<Alert> {
        let reminder = match &written.reminder {
            Some(number) => self.small(number, 0, u64::from(u32::MAX), "a number of cycles")?,
            None => 0,
        };
        Some(Alert {
            address: written.address.lossy(),
            events: written.events.as_ref().map(|filter| filter.events.clone()),
            except: written.events.as_ref().is_some_and(|filter| filter.except),
            format: written.format.as_ref().map(mail_format).unwrap_or_default(),
            reminder,
        })
    }

    /// `set mailserver …`
    pub(super) fn mail_servers(&mut self, written: &written::MailServers) {
        let timeout = written.timeout.as_ref().and_then(|number| self.seconds(number, 1, "a timeout"));
        let servers: Vec<MailServer> = written.servers.iter().filter_map(|server| self.mail_server(server)).collect();
        let mail = self.settings.mail.get_or_insert_with(Mail::default);
        mail.servers.extend(servers);
        mail.timeout = timeout.or(mail.timeout);
        mail.hostname = written.hostname.as_ref().map(Text::lossy).or(mail.hostname.take());
    }

    fn mail_server(&mut self, written: &written::MailServer) -> Option<MailServer> {
        let port = match &written.port {
            Some(number) => u16::try_from(self.small(number, 1, u64::from(u16::MAX), "a port")?).ok()?,
            None => SMTP,
        };
        let mut tls = None;
        for found in &written.tls {
            self.tls_use(&mut tls, found)?;
        }
        Some(MailServer {
            host: written.host.lossy(),
            port,
            username: written.username.as_ref().map(Text::lossy),
            password: written.password.as_ref().map(|text| Secret(text.lossy())),
            tls,
        })
    }

    /// `set eventqueue …`
    pub(super) fn event_queue(&mut self, written: &written::EventQueue) {
        let slots = match &written.slots {
            Some(number) => match self.small(number, 0, u64::from(u32::MAX), "a number of events") {
                Some(slots) => Some(slots),
                None => return,
            },
            None => None,
        };
        let basedir = written.basedir.as_ref().map(|path| to_path(&path.value));
        self.settings.event_queue = Some(EventQueue { basedir, slots });
    }

    /// One collector of `set mmonit …`
    pub(super) fn collector(&mut self, written: &written::Collector) -> Option<Collector> {
        let url = self.url(&written.url)?;
        let timeout = match &written.timeout {
            Some(number) => Some(self.seconds(number, 1, "a timeout")?),
            None => None,
        };
        let mut tls = None;
        for found in &written.tls {
            self.tls_use(&mut tls, found)?;
        }
        let hostgroups = written.hostgroups.iter().map(Text::lossy).collect();
        Some(Collector { url, timeout, tls, without_credentials: written.without_credentials, hostgroups })
    }
}

/// `mail-format { … }`
pub(super) fn mail_format(written: &written::MailFormat) -> MailFormat {
    let address = |address: &written::MailAddress| MailAddress {
        name: address.name.as_ref().map(Text::lossy),
        address: address.address.lossy(),
    };
    MailFormat {
        from: written.from.as_ref().map(address),
        reply_to: written.reply_to.as_ref().map(address),
        subject: written.subject.as_ref().map(Text::lossy),
        message: written.message.as_ref().map(Text::lossy),
    }
}
