//! The canonical spelling of what a control file can say: what is printed here is read back with the same meaning.

mod connection;
mod notice;
mod service;
mod settings;
mod test;
#[cfg(test)]
mod tests;

pub(super) use connection::connection;
pub(super) use test::test;

use std::path::Path;

use super::model::{Config, Operator, Secret};
use crate::syntax::secret::{self, MASK};

/// Whether secrets are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// [`MASK`] stands in their place.
    Masked,
    /// They are shown.
    Shown,
}

/// A whole configuration as a control file: read back, it gives the same configuration.
pub fn print(config: &Config, secrets: Secrets) -> String {
    let mut text = String::new();
    settings::settings(&mut text, &config.settings, secrets);
    text.push('\n');
    let listed = config.listed.iter().filter_map(|id| config.services.get(id.0));
    for found in listed {
        service::service(&mut text, config, found, secrets);
    }
    text.push_str(&settings::limits(&config.settings.limits));
    text
}

impl Secrets {
    fn text(self, secret: &Secret) -> String {
        match self {
            Secrets::Masked => quoted(MASK),
            Secrets::Shown => quoted(&secret.0),
        }
    }

    /// A request, or the path of an address.
    fn request(self, text: &str) -> String {
        match self {
            Secrets::Masked => {
                let masked = secret::masked(text.as_bytes(), &secret::in_request(text.as_bytes()));
                String::from_utf8_lossy(&masked).into_owned()
            }
            Secrets::Shown => text.to_owned(),
        }
    }

    /// What is sent.
    fn dialogue(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Secrets::Masked => secret::masked(bytes, &secret::in_dialogue(bytes)),
            Secrets::Shown => bytes.to_vec(),
        }
    }
}

/// A string in quotes that hold it, with escapes for what the quotes cannot hold as it is.
pub(super) fn quoted(text: &str) -> String {
    quoted_bytes(text.as_bytes())
}

/// The same for bytes.
pub(super) fn quoted_bytes(bytes: &[u8]) -> String {
    // With a line feed as it is, what begins like a path is none.
    let raw = bytes.starts_with(b"/");
    in_quotes(bytes, if bytes.contains(&b'"') { '\'' } else { '"' }, raw)
}

/// The same in single quotes.
fn single_quoted(bytes: &[u8]) -> String {
    in_quotes(bytes, '\'', false)
}

fn in_quotes(bytes: &[u8], quote: char, raw: bool) -> String {
    let mut text = String::from(quote);
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' if !raw => text.push_str("\\n"),
                '\t' => text.push_str("\\t"),
                '\r' => text.push_str("\\r"),
                '\'' if quote == '\'' => text.push_str("\\0x27"),
                // A backslash that is followed by nothing special stands for itself; doubled it always does.
                '\\' => text.push_str("\\\\"),
                // `\0x00` is no escape for this byte, which stands for itself.
                '\0' => text.push(c),
                c if c.is_ascii_control() && c != '\n' => text.push_str(&format!("\\0x{:02x}", u32::from(c))),
                c => text.push(c),
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\0x{byte:02x}"));
        }
    }
    text.push(quote);
    text
}

/// A path.
fn operand(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    let bytes = path.as_os_str().as_bytes();
    in_quotes(bytes, if bytes.contains(&b'"') { '\'' } else { '"' }, false)
}

/// A name in quotes that hold it; names have no escapes.
fn word(name: &str) -> String {
    if name.contains('"') { format!("'{name}'") } else { format!("\"{name}\"") }
}

/// A user or group: by its name, where it has one.
fn account(name: Option<&str>, number: u32) -> String {
    name.map_or_else(|| number.to_string(), quoted)
}

/// The sign for an operator.
pub(super) fn operator(operator: Operator) -> &'static str {
    match operator {
        Operator::Less => "<",
        Operator::LessOrEqual => "<=",
        Operator::Greater => ">",
        Operator::GreaterOrEqual => ">=",
        Operator::Equal => "=",
        Operator::NotEqual => "!=",
    }
}
