//! What a service was when it was looked at last, for checks that compare: positions in files, checksums, sizes, times.
//! Texts under names that the checks choose; they outlive the daemon in its state file.

use std::collections::BTreeMap;

/// The device a file is on, in decimal digits.
pub const DEVICE: &str = "device";
/// The inode of a file, in decimal digits.
pub const INODE: &str = "inode";
/// How many bytes of a file its content rules have read, its inode, and `within` when that is in the middle of a line.
pub const POSITION: &str = "position";
/// The size of a file in bytes.
pub const SIZE: &str = "size";
/// Permission bits in octal digits.
pub const PERMISSION: &str = "permission";
/// Who owns a path: the number of the user.
pub const OWNER: &str = "owner";
/// Who owns a path: the number of the group.
pub const GROUP: &str = "group";
/// How many hard links a path has.
pub const LINKS: &str = "links";
/// When a path was read last, in seconds since 1970, with nine decimals where they are known.
pub const ACCESS_TIME: &str = "access";
/// When the inode of a path was changed last, likewise.
pub const CHANGE_TIME: &str = "change";
/// When a path was written last, likewise.
pub const MODIFY_TIME: &str = "modify";
/// The last checksums of a file in lower-case hexadecimal digits, separated by blanks; their length tells their kind.
pub const CHECKSUM: &str = "checksum";
/// The checksums that a file had when it was seen first, likewise.
pub const FIRST_CHECKSUM: &str = "first checksum";
/// Whether the text that was read last matched a rule: `yes` or `no`.
pub const MATCHED: &str = "matched";

/// The mount options of a filesystem.
pub const FLAGS: &str = "flags";
/// The speed of a network link in bits per second, `-` when it does not tell.
pub const SPEED: &str = "speed";
/// Whether a network link sends and receives at the same time: `full` or `half`, `-` when it does not tell.
pub const DUPLEX: &str = "duplex";
/// The exit status of a check program, or the number of the signal that ended it.
pub const STATUS: &str = "status";
/// What a check program printed.
pub const OUTPUT: &str = "output";

/// Names and texts, in the order of the names. Bounded: what is too much is not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baselines(BTreeMap<String, String>);

impl Baselines {
    /// So many are kept.
    pub const MOST: usize = 256;
    /// Longest name in bytes; enough for the text of a rule.
    pub const NAME_MAX: usize = 1024;
    /// Longest text in bytes; of what is longer keep a checksum.
    pub const TEXT_MAX: usize = 4096;

    /// The text under that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The number under that name; `None` also for what is no number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    /// Keeps a text. One that is too long, or one too many, is not kept, and neither is what stood there before: false.
    pub fn set(&mut self, name: &str, text: impl Into<String>) -> bool {
        let text = text.into();
        let known = self.0.remove(name).is_some();
        let fits = name.len() <= Self::NAME_MAX && text.len() <= Self::TEXT_MAX && (known || self.0.len() < Self::MOST);
        if fits {
            self.0.insert(name.to_owned(), text);
        }
        fits
    }

    /// Forgets what is under that name.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Names and texts.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_not_kept() {
        let mut baselines = Baselines::default();
        assert!(baselines.set(SIZE, "5") && baselines.set(SIZE, "6"));
        assert_eq!((baselines.get(SIZE), baselines.number(SIZE)), (Some("6"), Some(6)));
        assert!(!baselines.set(SIZE, "x".repeat(Baselines::TEXT_MAX + 1)));
        assert_eq!(baselines.get(SIZE), None, "a stale value would be worse than none");
        assert!(!baselines.set(&"x".repeat(Baselines::NAME_MAX + 1), "1"));
        for place in 0..Baselines::MOST {
            assert!(baselines.set(&place.to_string(), "1"));
        }
        assert!(!baselines.set("one more", "1") && baselines.set("0", "2"));
        baselines.remove("0");
        assert_eq!(baselines.iter().count(), Baselines::MOST - 1);
    }
}
