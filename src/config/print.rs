//! The canonical spelling of what a control file can say: what is printed here is read back with the same meaning.

mod connection;
mod test;

pub(super) use connection::connection;
pub(super) use test::test;

use super::model::{Operator, Secret};

/// What stands in place of a secret.
pub const MASK: &str = "********";

/// Whether secrets are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// [`MASK`] stands in their place.
    Masked,
    /// They are shown.
    Shown,
}

impl Secrets {
    fn text(self, secret: &Secret) -> String {
        match self {
            Secrets::Masked => quoted(MASK),
            Secrets::Shown => quoted(&secret.0),
        }
    }
}

/// A string in quotes that hold it, with escapes for what the quotes cannot hold as it is.
pub(super) fn quoted(text: &str) -> String {
    quoted_bytes(text.as_bytes())
}

/// The same for bytes.
pub(super) fn quoted_bytes(bytes: &[u8]) -> String {
    let double = !bytes.contains(&b'"');
    let quote = if double { '"' } else { '\'' };
    let mut text = String::from(quote);
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => text.push_str("\\n"),
                '\t' => text.push_str("\\t"),
                '\r' => text.push_str("\\r"),
                '\'' if !double => text.push_str("\\0x27"),
                // A backslash that is followed by nothing special stands for itself; doubled it always does.
                '\\' => text.push_str("\\\\"),
                c if c.is_ascii_control() => text.push_str(&format!("\\0x{:02x}", u32::from(c))),
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
