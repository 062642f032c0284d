//! What is remembered over restarts of the daemon, as names and texts. Processes are not among it: the original tells no
//! change of their numbers that happened while it was away.

use std::time::Duration;

use super::Memory;
use super::network::Capacity;
use super::path::{self, Baseline};
use crate::base::baselines::{self as name, Baselines};
use crate::base::time::Wall;
use crate::config::{Hash, ServiceType};
use crate::facts::content::Position;
use crate::facts::file::{FileFacts, Kind};

impl Memory {
    /// What a later daemon has to know.
    pub fn keep(&self) -> Baselines {
        let mut kept = Baselines::default();
        if let Some(Baseline { facts, .. }) = &self.path.last {
            let numbers = [
                (name::DEVICE, facts.device),
                (name::INODE, facts.inode),
                (name::SIZE, facts.size_bytes),
                (name::LINKS, facts.links),
                (name::OWNER, facts.uid.into()),
                (name::GROUP, facts.gid.into()),
            ];
            for (name, number) in numbers {
                kept.set(name, number.to_string());
            }
            kept.set(name::PERMISSION, format!("{:o}", facts.mode));
            for (name, time) in [
                (name::ACCESS_TIME, facts.accessed),
                (name::CHANGE_TIME, facts.changed),
                (name::MODIFY_TIME, facts.modified),
            ] {
                let time = time.since_epoch();
                kept.set(name, format!("{}.{:09}", time.as_secs(), time.subsec_nanos()));
            }
        }
        // The position may be that of an earlier file with the name: it brings its own inode, and not its device, whose number
        // may be another one after the machine was booted.
        if let Some(position) = self.path.position {
            let within = if position.is_within_line { " within" } else { "" };
            kept.set(name::POSITION, format!("{} {}{within}", position.offset, position.inode));
        }
        for (name, sums) in [(name::CHECKSUM, &self.path.checksums), (name::FIRST_CHECKSUM, &self.path.expected)] {
            let sums: Vec<&str> = sums.iter().map(|(_, sum)| sum.as_str()).collect();
            if !sums.is_empty() {
                kept.set(name, sums.join(" "));
            }
        }
        if let Some(matched) = self.path.matched {
            kept.set(name::MATCHED, if matched { "yes" } else { "no" });
        }
        self.keep_others(&mut kept);
        kept
    }

    /// What is no path: of a service either this or the other is known.
    fn keep_others(&self, kept: &mut Baselines) {
        if let Some(flags) = &self.filesystem.flags {
            kept.set(name::FLAGS, flags.as_str());
        }
        if let Some(mode) = self.filesystem.mode {
            kept.set(name::PERMISSION, format!("{mode:o}"));
        }
        if let Some(Capacity { speed_bits_per_second, full_duplex }) = self.network.as_ref().and_then(|m| m.capacity) {
            kept.set(name::SPEED, speed_bits_per_second.map_or("-".to_owned(), |speed| speed.to_string()));
            kept.set(name::DUPLEX, full_duplex.map_or("-", |full| if full { "full" } else { "half" }));
        }
        if let Some(status) = self.program.status {
            kept.set(name::STATUS, status.to_string());
        }
        // One that is too long is not kept: the first run after a restart is not compared then.
        if let Some(output) = &self.program.output {
            kept.set(name::OUTPUT, output.as_str());
        }
    }

    /// Remembers what [`Memory::keep`] wrote, or Monit, which does not tell the device, owner and links: then those are 0.
    pub fn take_back(&mut self, service_type: ServiceType, kept: &Baselines) {
        let kind = match service_type {
            ServiceType::File => Kind::Regular,
            ServiceType::Fifo => Kind::Fifo,
            ServiceType::Directory => Kind::Directory,
            ServiceType::Filesystem => {
                self.filesystem.flags = kept.get(name::FLAGS).map(str::to_owned);
                self.filesystem.mode = mode(kept);
                return;
            }
            ServiceType::Network => {
                let capacity = capacity(kept);
                if capacity.is_some() {
                    self.network.get_or_insert_default().capacity = capacity;
                }
                return;
            }
            ServiceType::Program => {
                self.program.status = kept.get(name::STATUS).and_then(|status| status.parse().ok());
                self.program.output = kept.get(name::OUTPUT).map(str::to_owned);
                return;
            }
            ServiceType::Process | ServiceType::Host | ServiceType::System => return,
        };
        let first = sums(kept, name::FIRST_CHECKSUM);
        let checksums = sums(kept, name::CHECKSUM);
        self.path = path::Memory {
            last: facts(kind, kept).map(|facts| Baseline { facts, local: None }),
            expected: if first.is_empty() { checksums.clone() } else { first },
            checksums,
            position: position(kept),
            computed: None,
            matched: kept.get(name::MATCHED).map(|word| word == "yes"),
        };
    }
}

fn mode(kept: &Baselines) -> Option<u32> {
    u32::from_str_radix(kept.get(name::PERMISSION)?, 8).ok()
}

fn capacity(kept: &Baselines) -> Option<Capacity> {
    let full_duplex = match kept.get(name::DUPLEX)? {
        "full" => Some(true),
        "half" => Some(false),
        _ => None,
    };
    Some(Capacity { speed_bits_per_second: kept.number(name::SPEED), full_duplex })
}

/// `None` when any of what Monit tells too is missing: a value that is made up would look like a change.
fn facts(kind: Kind, kept: &Baselines) -> Option<FileFacts> {
    let number = |name| kept.number(name).unwrap_or(0);
    let is_file = kind == Kind::Regular;
    Some(FileFacts {
        kind,
        mode: mode(kept)?,
        uid: u32::try_from(number(name::OWNER)).ok()?,
        gid: u32::try_from(number(name::GROUP)).ok()?,
        size_bytes: if is_file { kept.number(name::SIZE)? } else { number(name::SIZE) },
        links: number(name::LINKS),
        inode: number(name::INODE),
        device: number(name::DEVICE),
        accessed: time(kept, name::ACCESS_TIME)?,
        changed: time(kept, name::CHANGE_TIME)?,
        modified: time(kept, name::MODIFY_TIME)?,
    })
}

fn time(kept: &Baselines, name: &str) -> Option<Wall> {
    let (seconds, nanos) = match kept.get(name)?.split_once('.') {
        Some((seconds, nanos)) => (seconds.parse().ok()?, nanos.parse().ok().filter(|nanos| *nanos < 1_000_000_000)?),
        None => (kept.number(name)?, 0),
    };
    Some(Wall::from_epoch(Duration::new(seconds, nanos)))
}

fn position(kept: &Baselines) -> Option<Position> {
    let mut words = kept.get(name::POSITION)?.split(' ');
    let offset = words.next()?.parse().ok()?;
    let inode = match words.next() {
        Some(inode) => inode.parse().ok()?,
        None => kept.number(name::INODE)?,
    };
    Some(Position { device: None, inode, offset, is_within_line: words.next() == Some("within") })
}

fn sums(kept: &Baselines, name: &str) -> Vec<(Hash, String)> {
    let kind = |sum: &str| match sum.len() {
        32 => Some(Hash::Md5),
        40 => Some(Hash::Sha1),
        64 => Some(Hash::Sha256),
        _ => None,
    };
    kept.get(name).unwrap_or_default().split(' ').filter_map(|sum| Some((kind(sum)?, sum.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_file_is_remembered() {
        let at = |nanos| Wall::from_epoch(Duration::new(1_795_383_277, nanos));
        let facts = FileFacts {
            kind: Kind::Regular,
            mode: 0o4755,
            uid: 1,
            gid: 2,
            size_bytes: u64::MAX,
            links: 3,
            inode: 4,
            device: 5,
            accessed: at(0),
            changed: at(7),
            modified: at(999_999_999),
        };
        let path = path::Memory {
            last: Some(Baseline { facts, local: None }),
            checksums: vec![(Hash::Md5, "a".repeat(32)), (Hash::Sha1, "b".repeat(40))],
            expected: vec![(Hash::Md5, "c".repeat(32))],
            position: Some(Position { device: None, inode: 7, offset: 8, is_within_line: true }),
            computed: None,
            matched: Some(true),
        };
        let memory = Memory { path: path.clone(), ..Memory::default() };
        let mut back = Memory::default();
        back.take_back(ServiceType::File, &memory.keep());
        assert_eq!(back.path, path);
        let mut other = Memory::default();
        other.take_back(ServiceType::Process, &memory.keep());
        assert_eq!(other.path, path::Memory::default());
        assert_eq!(Memory::default().keep(), Baselines::default());
    }

    #[test]
    fn what_is_kept_of_others_is_remembered_by_them_alone() {
        let mut memory = Memory::default();
        memory.filesystem.flags = Some("rw, noatime".to_owned());
        memory.filesystem.mode = Some(0o1777);
        let of_filesystem = memory.keep();
        let mut back = Memory::default();
        back.take_back(ServiceType::Filesystem, &of_filesystem);
        assert_eq!((back.filesystem.flags, back.filesystem.mode), (memory.filesystem.flags, Some(0o1777)));

        for (speed_bits_per_second, full_duplex) in
            [(Some(10_000_000_000), Some(true)), (None, Some(false)), (None, None)]
        {
            let capacity = Capacity { speed_bits_per_second, full_duplex };
            let mut memory = Memory::default();
            memory.network.get_or_insert_default().capacity = Some(capacity);
            let mut back = Memory::default();
            back.take_back(ServiceType::Network, &memory.keep());
            assert_eq!(back.network.unwrap().capacity, Some(capacity));
        }
        let mut back = Memory::default();
        back.take_back(ServiceType::Network, &of_filesystem);
        assert!(back.network.is_none());

        let mut memory = Memory::default();
        (memory.program.status, memory.program.output) = (Some(3), Some(String::new()));
        let mut back = Memory::default();
        back.take_back(ServiceType::Program, &memory.keep());
        assert_eq!((back.program.status, back.program.output.as_deref()), (Some(3), Some("")));
        memory.program.output = Some("x".repeat(Baselines::TEXT_MAX + 1));
        let mut back = Memory::default();
        back.take_back(ServiceType::Program, &memory.keep());
        assert_eq!((back.program.status, back.program.output), (Some(3), None), "unknown, not empty");
    }

    #[test]
    fn what_monit_kept_is_enough_and_less_is_nothing() {
        let mut kept = Baselines::default();
        for (name, text) in [("inode", "4"), ("position", "8"), ("size", "9"), ("permission", "640"), ("access", "1")] {
            kept.set(name, text);
        }
        let sum = "102e00212336a46d5139fe9a5b3b554cbf2320a3";
        kept.set("checksum", sum);
        let remembered = |kept: &Baselines| {
            let mut memory = Memory::default();
            memory.take_back(ServiceType::File, kept);
            memory.path
        };
        let path = remembered(&kept);
        assert_eq!(path.last, None, "two times are missing");
        assert_eq!(path.position, Some(Position { device: None, inode: 4, offset: 8, is_within_line: false }));
        assert_eq!((path.checksums.clone(), path.expected), (vec![(Hash::Sha1, sum.to_owned())], path.checksums));
        kept.set("change", "2");
        kept.set("modify", "3");
        assert_eq!(remembered(&kept).last.unwrap().facts.size_bytes, 9);
        for (name, text) in [("modify", "3.x"), ("modify", "3.1000000000"), ("permission", "9"), ("size", "-1")] {
            let mut wrong = kept.clone();
            wrong.set(name, text);
            assert_eq!(remembered(&wrong).last, None, "{name} {text}");
        }
    }
}
