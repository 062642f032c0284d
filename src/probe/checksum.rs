//! Checksums of files, computed in a helper child.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use super::wire::{Reader, Writer};
use crate::base::digest::Hash;
use crate::base::time::Wall;
use crate::facts::file::{FileFacts, Look};
use crate::facts::observation::Checksums;
use crate::sys::digest::{DigestError, FileDigest};
use crate::sys::posix::{clock, stat};

/// After so many bytes a child shows that it gets on. An answer has room for the signs of 16 TiB.
const STEP: u64 = 16 * 1024 * 1024;

/// The sign that it gets on, and what stands before the answer.
const GETS_ON: u8 = b'.';
const ANSWER: u8 = b'=';

/// Times of filesystems are this coarse at worst (FAT).
const COARSE: Duration = Duration::from_secs(2);

/// Reads the file at `path`; between its parts signs go into the pipe. What is returned belongs behind them.
pub(super) fn compute(path: &Path, kinds: &[Hash], pipe: &mut dyn Write) -> Vec<u8> {
    encode(&read(path, kinds, &mut || {
        let _ = pipe.write_all(&[GETS_ON]);
    }))
}

fn read(path: &Path, kinds: &[Hash], gets_on: &mut dyn FnMut()) -> Checksums {
    let begun = clock::wall();
    let mut digested = || -> Result<_, DigestError> {
        let mut digest = FileDigest::open(path, kinds)?;
        loop {
            match digest.step(STEP)? {
                Some(digested) => return Ok(digested),
                None => gets_on(),
            }
        }
    };
    match digested() {
        Ok(digested) => {
            let facts = digested.file;
            let is_same = matches!(stat::look(path), Look::Found(now) if facts.is_unchanged(&now));
            Checksums {
                facts: Some(facts),
                sums: digested.digests.into_iter().map(|(kind, sum)| (kind, Ok(sum))).collect(),
                is_settled: is_same && is_settled(&facts, begun),
            }
        }
        Err(error) => {
            let sums = kinds.iter().map(|kind| (*kind, Err(error.to_string()))).collect();
            Checksums { facts: None, sums, is_settled: false }
        }
    }
}

/// Whether a change after `begun` must show in the times of the file.
fn is_settled(facts: &FileFacts, begun: Wall) -> bool {
    let is_apart = |time: Wall| {
        let (time, begun) = (time.since_epoch(), begun.since_epoch());
        time.abs_diff(begun) >= COARSE
    };
    is_apart(facts.changed) && is_apart(facts.modified)
}

fn encode(sums: &Checksums) -> Vec<u8> {
    let mut writer = Writer::default();
    match &sums.facts {
        None => writer.number(0),
        Some(facts) => writer.number(1).file(facts),
    };
    writer.number(u64::from(sums.is_settled));
    for (kind, sum) in &sums.sums {
        let (is_sum, text) = match sum {
            Ok(sum) => (1, sum),
            Err(why) => (0, why),
        };
        let kind = KINDS.iter().position(|known| known == kind).unwrap_or_default();
        writer.number(kind as u64).number(is_sum).bytes(text.as_bytes());
    }
    let mut bytes = vec![ANSWER];
    bytes.extend(writer.finish());
    bytes
}

/// In the order of their numbers in an answer.
const KINDS: [Hash; 3] = [Hash::Md5, Hash::Sha1, Hash::Sha256];

/// What [`compute`] has found; `None` when the answer is torn.
pub(super) fn decode(bytes: &[u8]) -> Option<Checksums> {
    let signs = bytes.iter().take_while(|byte| **byte == GETS_ON).count();
    let mut reader = Reader::new(bytes.get(signs..)?.strip_prefix(&[ANSWER])?);
    let facts = match reader.number()? {
        0 => None,
        _ => Some(reader.file()?),
    };
    let is_settled = reader.number()? != 0;
    let mut sums = Vec::new();
    while !reader.is_at_end() {
        let kind = *KINDS.get(usize::try_from(reader.number()?).ok()?)?;
        let is_sum = reader.number()? != 0;
        let text = reader.text()?;
        sums.push((kind, if is_sum { Ok(text) } else { Err(text) }));
    }
    Some(Checksums { facts, sums, is_settled })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(not(feature = "tls"), ignore = "OpenSSL computes checksums and MD5")]
    fn a_file_is_read_once_for_all_kinds_and_a_large_one_shows_that_it_gets_on() {
        let path = std::env::temp_dir().join(format!("pollux-checksum-{}", std::process::id()));
        let file = std::fs::File::create(&path).unwrap();
        file.set_len(2 * STEP + 1).unwrap();
        let mut pipe = Vec::new();
        let answer = compute(&path, &[Hash::Md5, Hash::Sha256], &mut pipe);
        assert_eq!(pipe, [GETS_ON; 2]);
        pipe.extend(answer);
        let sums = decode(&pipe).unwrap();
        assert_eq!(sums.sums.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [Hash::Md5, Hash::Sha256]);
        assert!(sums.sums.iter().all(|(_, sum)| sum.is_ok()), "{sums:?}");
        assert!(!sums.is_settled, "it was made a moment ago");
        for end in 0..pipe.len() - 1 {
            assert!(decode(&pipe[..end]).is_none_or(|torn| torn.sums.len() < 2), "{end}");
        }
        std::fs::remove_file(&path).unwrap();
        let sums = decode(&compute(&path, &[Hash::Md5], &mut Vec::new())).unwrap();
        assert!(sums.facts.is_none() && sums.sums[0].1.is_err(), "{sums:?}");
    }

    #[test]
    fn a_file_that_was_left_alone_for_a_while_is_settled() {
        let Look::Found(facts) = stat::look(Path::new("/")) else { panic!("no root") };
        let at = |seconds| Wall::from_epoch(Duration::from_secs(seconds));
        let facts = |changed, modified| FileFacts { changed: at(changed), modified: at(modified), ..facts };
        assert!(is_settled(&facts(100, 90), at(102)));
        assert!(!is_settled(&facts(100, 90), at(101)));
        assert!(!is_settled(&facts(50, 101), at(100)));
        assert!(is_settled(&facts(50, 9_000), at(100)), "a time in the future: what is written now gets another");
    }
}
