//! Trees laid out like /proc, for tests.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::process::ProcessTable;

/// A process of a fake tree. The default is a plain daemon.
#[derive(Clone, Debug)]
pub(crate) struct FakeProcess {
    pub(crate) pid: i32,
    pub(crate) parent: i32,
    /// Hundredths of a second after boot.
    pub(crate) start: u64,
    /// The name in parentheses; the kernel keeps 15 bytes of it.
    pub(crate) name: Vec<u8>,
    /// Arguments with their NULs.
    pub(crate) arguments: Vec<u8>,
    pub(crate) state: char,
    pub(crate) flags: u64,
    pub(crate) exit_signal: i32,
    /// Hundredths of a second of processor time in user and in kernel mode.
    pub(crate) cpu: (u64, u64),
    pub(crate) threads: u64,
    /// Pages of 4 KiB.
    pub(crate) resident: u64,
}

impl FakeProcess {
    /// A process with `arguments` (blanks between them become NULs) that started at `start`.
    pub(crate) fn new(pid: i32, parent: i32, start: u64, arguments: &str) -> FakeProcess {
        let mut words = arguments.replace(' ', "\0").into_bytes();
        words.push(0);
        let name = arguments.split(' ').next().unwrap_or_default().as_bytes().to_vec();
        FakeProcess {
            pid,
            parent,
            start,
            name,
            arguments: words,
            state: 'S',
            flags: 0x0040_0000,
            exit_signal: 17,
            cpu: (5, 3),
            threads: 1,
            resident: 1021,
        }
    }

    /// A thread of the kernel.
    pub(crate) fn kernel_thread(pid: i32, name: &str) -> FakeProcess {
        let (name, flags) = (name.as_bytes().to_vec(), 0x0020_8040);
        FakeProcess { name, flags, arguments: Vec::new(), exit_signal: 0, ..FakeProcess::new(pid, 2, 1, "") }
    }

    /// The same process, dead and not reaped.
    pub(crate) fn zombie(self) -> FakeProcess {
        FakeProcess { state: 'Z', arguments: Vec::new(), ..self }
    }

    /// Its `stat`, field by field as proc(5) numbers them.
    pub(crate) fn stat(&self) -> Vec<u8> {
        let FakeProcess { pid, parent, start, state, flags, exit_signal, threads, resident, .. } = self;
        let (user, system) = self.cpu;
        let mut line = format!("{pid} (").into_bytes();
        line.extend(&self.name);
        line.extend(
            format!(
                ") {state} {parent} {pid} {pid} 0 -1 {flags} 136 0 0 0 {user} {system} 1 2 20 0 {threads} 0 {start} \
                 8712192 {resident} \
                 18446744073709551615 1 1 0 0 0 0 0 4096 0 0 0 0 {exit_signal} 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
            )
            .bytes(),
        );
        line
    }
}

/// A directory that looks like /proc; removed when dropped.
#[derive(Debug)]
pub(crate) struct FakeProc {
    root: PathBuf,
}

impl FakeProc {
    /// An empty, mounted /proc.
    pub(crate) fn new() -> FakeProc {
        static SERIAL: AtomicU32 = AtomicU32::new(0);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("pollux-proc-{}-{serial}", std::process::id()));
        fs::create_dir_all(&root).unwrap();
        let proc = FakeProc { root };
        symlink("1", proc.root.join("self")).unwrap();
        proc.file("meminfo", b"MemTotal: 1 kB\n");
        proc
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A reader of this tree.
    pub(crate) fn table(&self) -> ProcessTable {
        ProcessTable::with_root(self.root.clone())
    }

    /// Adds or replaces a process.
    pub(crate) fn add(&self, process: &FakeProcess) {
        self.file(&format!("{}/stat", process.pid), &process.stat());
        self.file(&format!("{}/cmdline", process.pid), &process.arguments);
    }

    /// Adds a process that the listing shows and that is gone when it is opened.
    pub(crate) fn add_vanishing(&self, pid: i32) {
        symlink("gone", self.root.join(pid.to_string())).unwrap();
    }

    /// Takes a process away.
    pub(crate) fn remove(&self, pid: i32) {
        fs::remove_dir_all(self.root.join(pid.to_string())).unwrap();
    }

    /// Writes any file of the tree.
    pub(crate) fn file(&self, path: &str, content: &[u8]) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

impl Drop for FakeProc {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}
