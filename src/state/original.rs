//! The state file of Monit 5.4 to 5.35 (its version 4), read once when a machine moves over.
//!
//! In the byte order of the machine: a zero and the version (32 bits each), the machine's boot time (64 bits, seconds since
//! 1970), then a record of 392 bytes for each service: its name (256 bytes, closed by a zero), type, monitoring state,
//! restarts and cycles since the first of these (32 bits each), and 120 bytes that depend on the type. Times are seconds
//! since 1970 in 64 bits, in the order access, change, modification; a mode has 32 bits.
//!
//! ```text
//! file             inode, position, size (64 bits each), times, mode, checksum (65 bytes, closed by a zero)
//! directory, fifo  times, mode
//! filesystem       mode
//! ```

use std::fmt;
use std::time::Duration;

use crate::base::baselines::{self, Baselines};
use crate::base::time::Wall;
use crate::config::ServiceType;
use crate::event::ledger::Saved;

/// What such a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original {
    /// When the machine was booted during whose uptime it was written.
    pub boot: Wall,
    /// Its services.
    pub services: Vec<Known>,
}

/// What it knows of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The service's name.
    pub name: String,
    /// Its type.
    pub service_type: ServiceType,
    /// The same as our own file would have it.
    pub saved: Saved,
}

/// Why such a file is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginalError {
    /// It has another version.
    Version(i32),
    /// A record cannot be what it should be.
    Damaged,
}

impl fmt::Display for OriginalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OriginalError::Version(version) => {
                write!(f, "it was written by Monit in its version {version}; only version 4 is understood")
            }
            OriginalError::Damaged => f.write_str("it was written by Monit, and is damaged"),
        }
    }
}

const HEAD: usize = 16;
const NAME: usize = 256;
const RECORD: usize = 392;

/// Two readings of the same boot time may differ by so much, because the clock is corrected meanwhile.
const BOOT_TOLERANCE: Duration = Duration::from_secs(10);

impl Original {
    /// Whether these bytes begin like a file of Monit's, of any version that is told apart from text.
    pub fn is(bytes: &[u8]) -> bool {
        bytes.len() >= 8 && bytes.starts_with(&[0; 4])
    }

    /// Reads a file's bytes. A last record that was cut off is passed over: the file is rewritten in place.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn parse(bytes: &[u8]) -> Result<Original, OriginalError> {
        let mut head = Fields(bytes);
        head.int().filter(|magic| *magic == 0).ok_or(OriginalError::Damaged)?;
        match head.int() {
            Some(4) => {}
            Some(version) => return Err(OriginalError::Version(version)),
            None => return Err(OriginalError::Damaged),
        }
        let boot = head.long().ok_or(OriginalError::Damaged)?;
        let records = bytes.get(HEAD..).unwrap_or_default().chunks_exact(RECORD);
        let services = records.map(|record| known(record).ok_or(OriginalError::Damaged)).collect::<Result<_, _>>()?;
        Ok(Original { boot: Wall::from_epoch(Duration::from_secs(boot)), services })
    }

    /// Whether it was written since the machine booted at that time.
    pub fn is_of_boot(&self, boot: Wall) -> bool {
        self.boot.since_epoch().abs_diff(boot.since_epoch()) <= BOOT_TOLERANCE
    }

    /// What it knows of the service of that name, whatever its letters' case, if that is of the same type.
    pub fn find(&self, name: &str, service_type: ServiceType) -> Option<&Saved> {
        let known = self.services.iter().find(|known| known.name.eq_ignore_ascii_case(name))?;
        (known.service_type == service_type).then_some(&known.saved)
    }
}

fn known(record: &[u8]) -> Option<Known> {
    let (name, rest) = record.split_at_checked(NAME)?;
    let name = name.split(|byte| *byte == 0).next().filter(|text| !text.is_empty() && text.len() < NAME)?;
    let mut fields = Fields(rest);
    let number = fields.int()?;
    let service_type = *ServiceType::DISPLAY_ORDER.iter().find(|one| **one as i32 == number)?;
    let monitor = fields.int().filter(|state| (0..8).contains(state))?;
    let count = |number: i32| u32::try_from(number).unwrap_or(0);
    let (restarts, restart_cycles) = (count(fields.int()?), count(fields.int()?));
    let saved = Saved {
        monitored: monitor != 0,
        restarts,
        restart_cycles,
        baselines: baselines(service_type, &mut fields)?,
        ..Saved::default()
    };
    Some(Known { name: String::from_utf8_lossy(name).into_owned(), service_type, saved })
}

/// What its checks compare with. Before the first look, and while nobody watches, Monit has -1 for mode and size there, or
/// nothing but zeros: then nothing is known.
fn baselines(service_type: ServiceType, fields: &mut Fields<'_>) -> Option<Baselines> {
    let mut known = Baselines::default();
    let mut set = |name: &str, text: String| {
        known.set(name, text);
    };
    let file =
        if service_type == ServiceType::File { Some([fields.long()?, fields.long()?, fields.long()?]) } else { None };
    let times = match service_type {
        ServiceType::File | ServiceType::Directory | ServiceType::Fifo => {
            Some([fields.long()?, fields.long()?, fields.long()?])
        }
        ServiceType::Filesystem => None,
        _ => return Some(known),
    };
    let mode = fields.int()?;
    let Some(mode) = u32::try_from(mode).ok().filter(|mode| *mode != 0) else { return Some(known) };
    set(baselines::PERMISSION, format!("{:o}", mode & 0o7777));
    let names = [baselines::ACCESS_TIME, baselines::CHANGE_TIME, baselines::MODIFY_TIME];
    for (name, seconds) in names.into_iter().zip(times.into_iter().flatten()) {
        set(name, seconds.to_string());
    }
    for (name, number) in
        [baselines::INODE, baselines::POSITION, baselines::SIZE].into_iter().zip(file.into_iter().flatten())
    {
        set(name, number.to_string());
    }
    if file.is_some() {
        let digits = fields.0.get(..65)?.split(|byte| *byte == 0).next().unwrap_or_default();
        let is_checksum = matches!(digits.len(), 32 | 40 | 64) && digits.iter().all(u8::is_ascii_hexdigit);
        if is_checksum {
            set(baselines::CHECKSUM, String::from_utf8_lossy(digits).to_ascii_lowercase());
        }
    }
    Some(known)
}

/// Numbers from the front of what is left.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn int(&mut self) -> Option<i32> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(i32::from_ne_bytes(*number))
    }

    fn long(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_ne_bytes(*number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record; the part that depends on the type is filled with zeros.
    fn record(name: &str, numbers: [i32; 4], rest: &[u8]) -> Vec<u8> {
        let mut record = name.as_bytes().to_vec();
        record.resize(NAME, 0);
        numbers.iter().for_each(|number| record.extend(number.to_ne_bytes()));
        record.extend(rest);
        record.resize(RECORD, 0);
        record
    }

    fn head(version: i32) -> Vec<u8> {
        let mut bytes = 0_i32.to_ne_bytes().to_vec();
        bytes.extend(version.to_ne_bytes());
        bytes.extend(1_795_383_277_u64.to_ne_bytes());
        bytes
    }

    fn sample() -> Vec<u8> {
        let mut bytes = head(4);
        let mut file: Vec<u8> = Vec::new();
        [10_051_585_u64, 8, 8, 1, 2, 3].iter().for_each(|number| file.extend(number.to_ne_bytes()));
        file.extend(0o100_640_i32.to_ne_bytes());
        file.extend(b"102e00212336a46d5139fe9a5b3b554cbf2320a3");
        bytes.extend(record("Log", [2, 1, 0, 0], &file));
        let mut missing = vec![0; 16];
        missing.extend([0xff; 8]);
        missing.extend([0; 24]);
        missing.extend([0xff; 4]);
        bytes.extend(record("missing", [2, 1, 0, 0], &missing));
        let mut times: Vec<u8> = Vec::new();
        [5_u64, 6, 7].iter().for_each(|number| times.extend(number.to_ne_bytes()));
        times.extend(0o40_755_i32.to_ne_bytes());
        bytes.extend(record("spool", [1, 2, 0, 0], &times));
        bytes.extend(record("nginx", [3, 1, 2, 5], &[]));
        bytes.extend(record("off", [3, 0, 0, 0], &[]));
        bytes.extend(record("root", [0, 5, 0, 0], &0o40_755_i32.to_ne_bytes()));
        bytes
    }

    #[test]
    fn what_monit_knew_is_known() {
        let original = Original::parse(&sample()).unwrap();
        let monitored: Vec<_> = original.services.iter().map(|known| known.saved.monitored).collect();
        assert_eq!(monitored, [true, true, true, true, false, true]);
        let nginx = original.find("NGINX", ServiceType::Process).unwrap();
        assert_eq!((nginx.restarts, nginx.restart_cycles), (2, 5));
        let texts = |name: &str, kind| -> Vec<String> {
            let saved = original.find(name, kind).unwrap();
            saved.baselines.iter().map(|(name, text)| format!("{name}={text}")).collect()
        };
        assert_eq!(
            texts("log", ServiceType::File),
            [
                "access=1",
                "change=2",
                "checksum=102e00212336a46d5139fe9a5b3b554cbf2320a3",
                "inode=10051585",
                "modify=3",
                "permission=640",
                "position=8",
                "size=8"
            ]
        );
        assert_eq!(texts("spool", ServiceType::Directory), ["access=5", "change=6", "modify=7", "permission=755"]);
        assert_eq!(texts("root", ServiceType::Filesystem), ["permission=755"]);
        assert!(texts("missing", ServiceType::File).is_empty() && texts("nginx", ServiceType::Process).is_empty());
        assert_eq!(original.find("nginx", ServiceType::File), None, "another thing of that name");
        assert_eq!(original.find("nobody", ServiceType::File), None);
    }

    #[test]
    fn a_boot_is_told_from_others() {
        let original = Original::parse(&head(4)).unwrap();
        let at = |seconds| Wall::from_epoch(Duration::from_secs(seconds));
        assert!(original.is_of_boot(at(1_795_383_277)) && original.is_of_boot(at(1_795_383_270)));
        assert!(!original.is_of_boot(at(1_795_383_337)) && !original.is_of_boot(at(0)));
    }

    #[test]
    fn other_versions_and_damage_are_refused_and_nothing_panics() {
        assert_eq!(Original::parse(&head(3)), Err(OriginalError::Version(3)));
        assert_eq!(Original::parse(&head(5)), Err(OriginalError::Version(5)));
        assert_eq!(Original::parse(&head(4)[..10]), Err(OriginalError::Damaged));
        for wrong in [[9, 1, 0, 0], [-1, 1, 0, 0], [3, 8, 0, 0], [3, -1, 0, 0]] {
            assert_eq!(Original::parse(&[head(4), record("x", wrong, &[])].concat()), Err(OriginalError::Damaged));
        }
        for name in ["", &"x".repeat(256)] {
            assert_eq!(
                Original::parse(&[head(4), record(name, [3, 1, 0, 0], &[])].concat()),
                Err(OriginalError::Damaged)
            );
        }
        let bytes = sample();
        for end in 0..bytes.len() {
            if let Ok(original) = Original::parse(&bytes[..end]) {
                assert_eq!(original.services.len(), (end - HEAD) / RECORD);
            }
        }
        for place in (0..bytes.len()).step_by(3) {
            for byte in [0, 1, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[place] = byte;
                let _ = Original::parse(&changed);
            }
        }
    }
}
