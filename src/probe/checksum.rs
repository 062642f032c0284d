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

/// So often a child begins again because its file was replaced; the next one is read to its end, so that something is told
/// of a path whose file is never the same for as long as it takes.
const REPLACED_MAX: u32 = 3;

/// Times of filesystems are this coarse at worst (FAT).
const COARSE: Duration = Duration::from_secs(2);

/// Reads the file at `path`; between its parts signs go into the pipe. What is returned belongs behind them.
pub(super) fn compute(path: &Path, kinds: &[Hash], pipe: &mut dyn Write) -> Vec<u8> {
    encode(&read(path, kinds, &mut || {
        let _ = pipe.write_all(&[GETS_ON]);
    }))
}

fn read(path: &Path, kinds: &[Hash], gets_on: &mut dyn FnMut()) -> Checksums {
    let mut begun = clock::wall();
    let mut digested = || -> Result<_, DigestError> {
        let mut digest = FileDigest::open(path, kinds)?;
        let mut replaced = 0;
        loop {
            if let Some(digested) = digest.step(STEP)? {
                return Ok(Some(digested));
            }
            gets_on();
            match stat::look(path) {
                Look::Missing => return Ok(None),
                Look::Found(now) if replaced < REPLACED_MAX && is_another(&now, digest.file()) => {
                    replaced += 1;
                    begun = clock::wall();
                    digest = FileDigest::open(path, kinds)?;
                }
                Look::Found(_) | Look::Failed(_) => {}
            }
        }
    };
    match digested() {
        Ok(Some(digested)) => {
            let facts = digested.file;
            let is_same = matches!(stat::look(path), Look::Found(now) if facts.is_unchanged(&now));
            Checksums {
                facts: Some(facts),
                sums: digested.digests.into_iter().map(|(kind, sum)| (kind, Ok(sum))).collect(),
                is_settled: is_same && is_settled(&facts, begun),
            }
        }
        // It is gone, which the next look tells.
        Ok(None) => Checksums { facts: None, sums: Vec::new(), is_settled: false },
        Err(error) => {
            let sums = kinds.iter().map(|kind| (*kind, Err(error.to_string()))).collect();
            Checksums { facts: None, sums, is_settled: false }
        }
    }
}

/// Whether a path names another file than the one that is open: nobody wants to know any more what is in this one.
fn is_another(now: &FileFacts, open: &FileFacts) -> bool {
    (now.device, now.inode) != (open.device, open.inode)
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
    #[cfg_attr(not(feature = "tls"), ignore = "OpenSSL computes checksums and MD5")]
    fn of_a_file_that_is_replaced_the_new_one_is_read_but_not_for_ever() {
        let path = std::env::temp_dir().join(format!("pollux-checksum-replaced-{}", std::process::id()));
        let other = path.with_extension("new");
        let large = |path: &Path| std::fs::File::create(path).unwrap().set_len(2 * STEP + 1).unwrap();
        large(&path);
        let sums = read(&path, &[Hash::Md5], &mut || {
            std::fs::write(&other, "x\n").unwrap();
            std::fs::rename(&other, &path).unwrap();
        });
        assert_eq!(sums.sums, [(Hash::Md5, Ok("401b30e3b8b5d629635a5c613cdb7919".to_owned()))]);
        assert_eq!(sums.facts.map(|facts| facts.size_bytes), Some(2));
        // One that is never the same for long is told of all the same.
        large(&path);
        let mut signs = 0;
        let sums = read(&path, &[Hash::Md5], &mut || {
            signs += 1;
            large(&other);
            std::fs::rename(&other, &path).unwrap();
        });
        assert!(sums.sums[0].1.is_ok() && !sums.is_settled, "{sums:?}");
        assert_eq!(signs, REPLACED_MAX + 2);
        // And of one that is gone nothing.
        let sums = read(&path, &[Hash::Md5], &mut || drop(std::fs::remove_file(&path)));
        assert_eq!(decode(&encode(&sums)), Some(Checksums { facts: None, sums: Vec::new(), is_settled: false }));
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
