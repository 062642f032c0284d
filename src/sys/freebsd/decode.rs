//! The bytes of FreeBSD's sysctls: `struct kinfo_proc` of <sys/user.h> and `struct timeval`, as 64-bit kernels lay them
//! out (the same in FreeBSD 12 to 15). Little as is read of them, nothing is taken on trust: every record says its size.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::base::process::{BootId, Identity, Pid, StartTime};
use crate::facts::process::{Entry, Owner};

/// Size of `struct kinfo_proc` (KINFO_PROC_SIZE).
pub const RECORD_SIZE: usize = 1088;

/// Size of `struct timeval`.
pub const TIMEVAL_SIZE: usize = 16;

/// Where the fields of `struct kinfo_proc` begin.
mod offset {
    pub const STRUCTSIZE: usize = 0;
    pub const PID: usize = 72;
    pub const PPID: usize = 76;
    pub const UID: usize = 168;
    pub const RUID: usize = 172;
    pub const RGID: usize = 180;
    pub const RSSIZE: usize = 264;
    pub const RUNTIME: usize = 328;
    pub const START: usize = 336;
    pub const FLAG: usize = 368;
    pub const STAT: usize = 388;
    pub const COMM: usize = 447;
    pub const JID: usize = 592;
    pub const NUMTHREADS: usize = 596;
    /// `ru_inblock` and `ru_oublock` of `ki_rusage`.
    pub const INBLOCK: usize = 608 + 88;
    pub const OUBLOCK: usize = 608 + 96;
}

/// COMMLEN and the NUL.
const COMM_SIZE: usize = 20;
/// `ki_stat` of a process that waits to be reaped (<sys/proc.h>).
const SZOMB: u8 = 5;
/// The bit of `ki_flag` that marks processes of the kernel (<sys/proc.h>).
const P_KPROC: i64 = 0x0000_0004;

/// The compiler's view of the system's structure must be ours.
#[cfg(target_os = "freebsd")]
const _: () = {
    use std::mem::{offset_of, size_of};
    assert!(size_of::<libc::kinfo_proc>() == RECORD_SIZE);
    assert!(size_of::<libc::timeval>() == TIMEVAL_SIZE);
    assert!(offset_of!(libc::timeval, tv_usec) == 8);
    assert!(offset_of!(libc::kinfo_proc, ki_structsize) == offset::STRUCTSIZE);
    assert!(offset_of!(libc::kinfo_proc, ki_pid) == offset::PID);
    assert!(offset_of!(libc::kinfo_proc, ki_ppid) == offset::PPID);
    assert!(offset_of!(libc::kinfo_proc, ki_uid) == offset::UID);
    assert!(offset_of!(libc::kinfo_proc, ki_ruid) == offset::RUID);
    assert!(offset_of!(libc::kinfo_proc, ki_rgid) == offset::RGID);
    assert!(offset_of!(libc::kinfo_proc, ki_rssize) == offset::RSSIZE);
    assert!(offset_of!(libc::kinfo_proc, ki_runtime) == offset::RUNTIME);
    assert!(offset_of!(libc::kinfo_proc, ki_start) == offset::START);
    assert!(offset_of!(libc::kinfo_proc, ki_flag) == offset::FLAG);
    assert!(size_of::<libc::c_long>() == 8);
    assert!(offset_of!(libc::kinfo_proc, ki_stat) == offset::STAT);
    assert!(offset_of!(libc::kinfo_proc, ki_comm) == offset::COMM);
    assert!(libc::COMMLEN + 1 == COMM_SIZE);
    assert!(offset_of!(libc::kinfo_proc, ki_jid) == offset::JID);
    assert!(offset_of!(libc::kinfo_proc, ki_numthreads) == offset::NUMTHREADS);
    let rusage = offset_of!(libc::kinfo_proc, ki_rusage);
    assert!(rusage + offset_of!(libc::rusage, ru_inblock) == offset::INBLOCK);
    assert!(rusage + offset_of!(libc::rusage, ru_oublock) == offset::OUBLOCK);
};

/// Why bytes from the kernel are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The kernel's process records have another size than the one this program was built for.
    RecordSize(i32),
    /// The last record, or the value, is not whole.
    Truncated,
    /// A field holds what it never should: the number of a process is not positive, or a time is out of range.
    Nonsense(&'static str),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::RecordSize(size) => write!(
                f,
                "the kernel's process records (struct kinfo_proc) have {size} bytes and this program knows those of \
                 {RECORD_SIZE}: it was built for another FreeBSD release or machine"
            ),
            DecodeError::Truncated => f.write_str("the kernel's answer ends within a value"),
            DecodeError::Nonsense(field) => write!(f, "the kernel's answer holds nonsense in {field}"),
        }
    }
}

impl std::error::Error for DecodeError {}

impl From<DecodeError> for io::Error {
    fn from(error: DecodeError) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, error)
    }
}

/// A `struct timeval`: seconds and microseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeval {
    seconds: i64,
    micros: i64,
}

impl Timeval {
    /// Decodes `kern.boottime`, or `ki_start`.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn decode(bytes: &[u8]) -> Result<Timeval, DecodeError> {
        Ok(Timeval { seconds: long(bytes, 0)?, micros: long(bytes, 8)? })
    }

    /// Whole seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.seconds
    }

    /// Time from `earlier` to this; zero when `earlier` is later.
    fn since(self, earlier: Timeval) -> Duration {
        let micros = |t: Timeval| i128::from(t.seconds) * 1_000_000 + i128::from(t.micros);
        let passed = u64::try_from((micros(self) - micros(earlier)).max(0)).unwrap_or(u64::MAX);
        Duration::from_micros(passed)
    }
}

/// What one `struct kinfo_proc` says of the use of resources; negative numbers, which none should be, are unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// `ki_numthreads`.
    pub threads: Option<u64>,
    /// `ki_runtime`: microseconds of processor time.
    pub cpu_time: Option<Duration>,
    /// `ki_rssize`: pages in memory.
    pub resident_pages: Option<u64>,
    /// `ru_inblock`: reads that reached a disk.
    pub reads: Option<u64>,
    /// `ru_oublock`: writes that reached a disk.
    pub writes: Option<u64>,
}

/// What one `struct kinfo_proc` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The process.
    pub entry: Entry,
    /// Whom it acts for.
    pub owner: Owner,
    /// What it uses.
    pub usage: Usage,
    /// `ki_comm`, the name of the program file, at most 19 bytes.
    pub name: Vec<u8>,
}

/// Decodes the answer of KERN_PROC_PID or KERN_PROC_PROC. Process 0, the kernel itself, is left out. `boot` is
/// `kern.boottime` of the same moment: the kernel keeps start times as time since boot and adds the boot time when asked,
/// so the difference stays what it is when the clock steps.
///
/// # Errors
/// [`DecodeError`].
pub fn records(bytes: &[u8], boot: Timeval) -> Result<Vec<Record>, DecodeError> {
    if !bytes.is_empty() {
        size_is_known(bytes)?;
    }
    let mut records = Vec::with_capacity(bytes.len() / RECORD_SIZE);
    for bytes in bytes.chunks(RECORD_SIZE) {
        size_is_known(bytes)?;
        if bytes.len() < RECORD_SIZE {
            return Err(DecodeError::Truncated);
        }
        if int(bytes, offset::PID)? != 0 {
            records.push(record(bytes, boot)?);
        }
    }
    Ok(records)
}

fn size_is_known(bytes: &[u8]) -> Result<(), DecodeError> {
    match int(bytes, offset::STRUCTSIZE)? {
        size if usize::try_from(size) == Ok(RECORD_SIZE) => Ok(()),
        size => Err(DecodeError::RecordSize(size)),
    }
}

fn record(bytes: &[u8], boot: Timeval) -> Result<Record, DecodeError> {
    let pid = Pid::new(int(bytes, offset::PID)?).ok_or(DecodeError::Nonsense("ki_pid"))?;
    let start = Timeval::decode(bytes.get(offset::START..).unwrap_or_default())?.since(boot);
    let unsigned = |at: usize| long(bytes, at).map(|value| u64::try_from(value).ok());
    let stat = bytes.get(offset::STAT).ok_or(DecodeError::Truncated)?;
    let comm = bytes.get(offset::COMM..offset::COMM + COMM_SIZE).ok_or(DecodeError::Truncated)?;
    Ok(Record {
        entry: Entry {
            identity: Identity { pid, start: StartTime::from_boot(start) },
            parent: Pid::new(int(bytes, offset::PPID)?),
            zombie: *stat == SZOMB,
            kernel: long(bytes, offset::FLAG)? & P_KPROC != 0,
            jail: Some(int(bytes, offset::JID)?),
        },
        owner: Owner {
            uid: int(bytes, offset::RUID)? as u32,
            euid: int(bytes, offset::UID)? as u32,
            gid: int(bytes, offset::RGID)? as u32,
        },
        usage: Usage {
            threads: u64::try_from(int(bytes, offset::NUMTHREADS)?).ok(),
            cpu_time: unsigned(offset::RUNTIME)?.map(Duration::from_micros),
            resident_pages: unsigned(offset::RSSIZE)?,
            reads: unsigned(offset::INBLOCK)?,
            writes: unsigned(offset::OUBLOCK)?,
        },
        name: comm.split(|b| *b == 0).next().unwrap_or_default().to_vec(),
    })
}

/// Decodes `kern.boot_id`, 16 random bytes, to 32 hex digits.
///
/// # Errors
/// [`DecodeError::Truncated`] unless there are exactly 16.
pub fn boot_id(bytes: &[u8]) -> Result<BootId, DecodeError> {
    if bytes.len() != 16 {
        return Err(DecodeError::Truncated);
    }
    Ok(BootId(bytes.iter().map(|b| format!("{b:02x}")).collect()))
}

/// Decodes a number of 4 or 8 bytes; `None` when it is negative.
///
/// # Errors
/// [`DecodeError::Truncated`] when it has another size.
pub fn number(bytes: &[u8]) -> Result<Option<u64>, DecodeError> {
    match bytes.len() {
        4 => int(bytes, 0).map(|value| u64::try_from(value).ok()),
        8 => long(bytes, 0).map(|value| u64::try_from(value).ok()),
        _ => Err(DecodeError::Truncated),
    }
}

/// Decodes numbers of 4 bytes each; an incomplete one at the end is left out.
pub fn numbers(bytes: &[u8]) -> Vec<i32> {
    bytes.chunks_exact(4).filter_map(|bytes| int(bytes, 0).ok()).collect()
}

/// Decodes a text: what stands before its first NUL, wrong UTF-8 replaced.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
}

pub(super) fn int(bytes: &[u8], at: usize) -> Result<i32, DecodeError> {
    let field = bytes.get(at..at + 4).and_then(|field| field.try_into().ok());
    field.map(i32::from_ne_bytes).ok_or(DecodeError::Truncated)
}

pub(super) fn long(bytes: &[u8], at: usize) -> Result<i64, DecodeError> {
    let field = bytes.get(at..at + 8).and_then(|field| field.try_into().ok());
    field.map(i64::from_ne_bytes).ok_or(DecodeError::Truncated)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record as the headers lay it out, written field by field.
    struct Raw(Vec<u8>);

    impl Raw {
        fn new(pid: i32, ppid: i32, start: (i64, i64), comm: &[u8]) -> Raw {
            let mut raw = Raw(vec![0xa5; 1088]);
            raw.put(0, &1088i32.to_ne_bytes());
            raw.put(4, &0i32.to_ne_bytes());
            raw.put(72, &pid.to_ne_bytes());
            raw.put(76, &ppid.to_ne_bytes());
            raw.put(168, &1001u32.to_ne_bytes()); // ki_uid, the effective one
            raw.put(172, &1002u32.to_ne_bytes()); // ki_ruid
            raw.put(176, &1003u32.to_ne_bytes()); // ki_svuid
            raw.put(180, &2002u32.to_ne_bytes()); // ki_rgid
            raw.put(184, &2003u32.to_ne_bytes()); // ki_svgid
            raw.put(264, &2500i64.to_ne_bytes()); // ki_rssize
            raw.put(328, &1_500_000u64.to_ne_bytes()); // ki_runtime
            raw.put(336, &start.0.to_ne_bytes());
            raw.put(344, &start.1.to_ne_bytes());
            raw.put(368, &0x1000_4000i64.to_ne_bytes()); // P_SUGID-like bits, not P_KPROC
            raw.put(388, &[3]); // SSLEEP
            raw.put(447, &[0; 20]);
            raw.put(447, comm);
            raw.put(592, &4i32.to_ne_bytes());
            raw.put(596, &9i32.to_ne_bytes()); // ki_numthreads
            raw.put(696, &70i64.to_ne_bytes()); // ki_rusage.ru_inblock
            raw.put(704, &80i64.to_ne_bytes()); // ki_rusage.ru_oublock
            raw
        }

        fn put(&mut self, at: usize, bytes: &[u8]) {
            self.0[at..at + bytes.len()].copy_from_slice(bytes);
        }
    }

    const BOOT: (i64, i64) = (1_700_000_000, 250_000);

    fn timeval((seconds, micros): (i64, i64)) -> Timeval {
        let mut bytes = seconds.to_ne_bytes().to_vec();
        bytes.extend(micros.to_ne_bytes());
        Timeval::decode(&bytes).unwrap()
    }

    fn decoded(raw: &Raw, boot: (i64, i64)) -> Result<Record, DecodeError> {
        records(&raw.0, timeval(boot)).map(|mut all| all.remove(0))
    }

    #[test]
    fn the_fields_are_found() {
        let raw = Raw::new(4711, 1, (1_700_000_100, 0), b"ruby31");
        let record = decoded(&raw, BOOT).unwrap();
        assert_eq!(record.entry.identity.pid.get(), 4711);
        assert_eq!(record.entry.identity.start.since_boot(), Duration::from_micros(99_750_000));
        assert_eq!(record.entry.parent, Pid::new(1));
        assert_eq!(record.entry.jail, Some(4));
        assert!(!record.entry.zombie && !record.entry.kernel);
        assert_eq!(record.owner, Owner { uid: 1002, euid: 1001, gid: 2002 });
        assert_eq!(record.usage.threads, Some(9));
        assert_eq!(record.usage.cpu_time, Some(Duration::from_millis(1500)));
        assert_eq!(record.usage.resident_pages, Some(2500));
        assert_eq!((record.usage.reads, record.usage.writes), (Some(70), Some(80)));
        assert_eq!(record.name, b"ruby31");
    }

    #[test]
    fn zombies_kernel_processes_and_full_names() {
        let mut raw = Raw::new(11, 0, (1_700_000_001, 0), b"nineteen-characters");
        raw.put(388, &[5]);
        raw.put(368, &0x1000_0204i64.to_ne_bytes());
        let record = decoded(&raw, BOOT).unwrap();
        assert!(record.entry.zombie && record.entry.kernel);
        assert_eq!(record.entry.parent, None);
        assert_eq!(record.name, b"nineteen-characters");
        raw.put(447, &[b'x'; 20]); // no NUL within the field
        assert_eq!(decoded(&raw, BOOT).unwrap().name, [b'x'; 20]);
    }

    #[test]
    fn a_clock_step_does_not_make_another_process() {
        let before = decoded(&Raw::new(7, 1, (1_700_000_100, 0), b"x"), BOOT).unwrap();
        for step in [3600, -3600, -1_700_000_000] {
            let after = Raw::new(7, 1, (1_700_000_100 + step, 0), b"x");
            let after = decoded(&after, (BOOT.0 + step, BOOT.1)).unwrap();
            assert_eq!(after.entry.identity, before.entry.identity, "{step}");
        }
    }

    #[test]
    fn a_table_is_many_records_without_the_kernel_itself() {
        let mut table = Raw::new(0, 0, BOOT, b"kernel").0;
        table.extend(Raw::new(1, 0, (1_700_000_001, 0), b"init").0);
        table.extend(Raw::new(2, 0, (1_700_000_000, 0), b"clock").0); // before the boot time, as rounded
        let all = records(&table, timeval(BOOT)).unwrap();
        assert_eq!(all.iter().map(|r| r.entry.identity.pid.get()).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(all[1].entry.identity.start.since_boot(), Duration::ZERO);
        assert_eq!(records(&[], timeval(BOOT)).unwrap(), []);
    }

    #[test]
    fn foreign_and_torn_records_are_refused() {
        let mut raw = Raw::new(7, 1, BOOT, b"x");
        for end in 1..RECORD_SIZE {
            assert_eq!(records(&raw.0[..end], timeval(BOOT)), Err(DecodeError::Truncated));
        }
        let mut table = Raw::new(7, 1, BOOT, b"x").0;
        table.extend(&raw.0[..100]);
        assert_eq!(records(&table, timeval(BOOT)), Err(DecodeError::Truncated));
        raw.put(72, &(-7i32).to_ne_bytes());
        assert_eq!(decoded(&raw, BOOT), Err(DecodeError::Nonsense("ki_pid")));
        raw.put(0, &1096i32.to_ne_bytes());
        assert_eq!(decoded(&raw, BOOT), Err(DecodeError::RecordSize(1096)));
        // A larger record: the second one is not where ours would begin.
        let message = DecodeError::RecordSize(1096).to_string();
        assert!(message.contains("have 1096 bytes") && message.contains("built for another"), "{message}");
    }

    #[test]
    fn times_of_any_value_are_taken() {
        for start in [(i64::MIN, i64::MIN), (i64::MAX, i64::MAX), (0, -1)] {
            for boot in [(i64::MIN, i64::MIN), (i64::MAX, i64::MAX), BOOT] {
                assert!(decoded(&Raw::new(7, 1, start, b"x"), boot).is_ok());
            }
        }
    }

    #[test]
    fn numbers_have_four_or_eight_bytes() {
        assert_eq!(number(&7_i32.to_ne_bytes()), Ok(Some(7)));
        assert_eq!(number(&i64::MAX.to_ne_bytes()), Ok(Some(i64::MAX as u64)));
        assert_eq!(number(&(-1_i32).to_ne_bytes()), Ok(None));
        assert_eq!(number(&[0; 5]), Err(DecodeError::Truncated));
        let bytes: Vec<u8> = [1_i32, -2].iter().flat_map(|n| n.to_ne_bytes()).chain([0, 0]).collect();
        assert_eq!(numbers(&bytes), [1, -2]);
    }

    #[test]
    fn a_text_ends_at_its_first_nul() {
        assert_eq!(text(b"zroot/var/db\0\0\0"), "zroot/var/db");
        assert_eq!(text(b"kstat.zfs\0left over"), "kstat.zfs");
        assert_eq!((text(b"cut"), text(b"a\xffb\0"), text(b"")), ("cut".into(), "a\u{fffd}b".into(), String::new()));
    }

    #[test]
    fn a_boot_id_is_sixteen_bytes() {
        let bytes: Vec<u8> = (0xf0..=0xff).collect();
        assert_eq!(boot_id(&bytes).unwrap().0, "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
        assert_eq!(boot_id(&bytes[1..]), Err(DecodeError::Truncated));
    }
}
