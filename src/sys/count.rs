//! Counts the system calls that readers make, so that a test can hold the cost of a cycle to a number.
//!
//! Always compiled: an increment of a thread's own cell is nothing beside the call it stands for, and a count that exists
//! in one kind of build only would guard the wrong one. Each call into the kernel is one, except that listing a directory
//! counts as one whatever number of getdents(2) the C library makes of it.

use std::cell::Cell;

thread_local! {
    static TAKEN: Cell<u64> = const { Cell::new(0) };
}

/// Notes one system call of this thread.
pub fn bump() {
    TAKEN.with(|taken| taken.set(taken.get().wrapping_add(1)));
}

/// System calls this thread's readers have made so far; the difference of two readings is the cost of what lies between.
pub fn taken() -> u64 {
    TAKEN.with(Cell::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thread_counts_for_itself() {
        let before = taken();
        bump();
        bump();
        std::thread::spawn(bump).join().unwrap();
        assert_eq!(taken() - before, 2);
    }
}
