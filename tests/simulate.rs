//! The engine in a made-up world: services with dependencies, slow and failing starts, crash loops, numbers of processes that
//! are used again, zombies, clocks that step, scripts of others, kill -9 of the daemon between any two steps, reloads of changed files. Promises
//! are checked at every step. `make simulate SEEDS=N` runs it with N seeds more; `SEED=n` repeats one; with `TABLE` set the
//! table of the random seeds is printed as well.

// a test may fail loudly; clippy's exception covers test functions only, not what they share
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::unwrap_used)]

#[path = "simulate/clock.rs"]
mod clock;
#[path = "simulate/control.rs"]
mod control;
#[path = "simulate/daemon.rs"]
mod daemon;
#[path = "simulate/dice.rs"]
mod dice;
#[path = "simulate/history.rs"]
mod history;
#[path = "simulate/looks.rs"]
mod looks;
#[path = "simulate/machine.rs"]
mod machine;
#[path = "simulate/promises.rs"]
mod promises;
#[path = "simulate/table.rs"]
mod table;

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use table::Table;

/// Seeds of every run: the first of them in `make test`, all in `make simulate`.
const FIXED: Range<u64> = 0..8_400;
const FIRST: u64 = 24;

/// How often the fixed seeds visit each cell of the table at least.
const VISITS: u64 = 1_000;

/// So many seeds that break promises are enough.
const BROKEN_MAX: usize = 20;

/// Runs seeds, as many at a time as there are processors, and adds up their tables; broken promises name their seeds.
fn run(seeds: Range<u64>) -> Table {
    let next = AtomicU64::new(seeds.start);
    let found = Mutex::new((Table::default(), Vec::new()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let history = catch_unwind(AssertUnwindSafe(|| history::history(seed)));
            let (table, broken) = &mut *found.lock().unwrap();
            match history {
                Ok(history) => table.add(&history),
                Err(_) => {
                    println!("seed {seed} breaks a promise");
                    broken.push(seed);
                }
            }
            if broken.len() >= BROKEN_MAX {
                next.store(seeds.end, Ordering::Relaxed);
            }
        }
    };
    let processors = thread::available_parallelism().map_or(1, |count| count.get());
    thread::scope(|scope| (0..processors).for_each(|_| drop(scope.spawn(work))));
    let (table, broken) = found.into_inner().unwrap();
    if !broken.is_empty() {
        println!("{table}");
    }
    assert!(broken.is_empty(), "promises are broken; again: {}", again(&broken));
    table
}

fn again(seeds: &[u64]) -> String {
    seeds.iter().map(|seed| format!("SEED={seed} make simulate; ")).collect()
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.trim().parse().ok()
}

#[test]
fn the_first_seeds_break_no_promise() {
    if number("SEED").is_none() {
        let table = run(FIXED.start..FIXED.start + FIRST);
        println!("{} events", table.total());
    }
}

#[test]
#[ignore = "make simulate runs it: the fixed seeds, and the table of the states and events that they visit"]
fn the_fixed_seeds_break_no_promise_and_visit_every_cell() {
    if number("SEED").is_some() {
        return;
    }
    let began = std::time::Instant::now();
    let table = run(FIXED);
    println!("{table}\n{} events in {:.0} s", table.total(), began.elapsed().as_secs_f64());
    let gaps = table.gaps(VISITS);
    assert!(gaps.is_empty(), "{} cells:\n{}", gaps.len(), gaps.join("\n"));
}

#[test]
#[ignore = "make simulate runs it: random seeds, as many as SEEDS says, or the one that SEED names"]
fn random_seeds_break_no_promise() {
    if let Some(seed) = number("SEED") {
        run(seed..seed + 1);
        return;
    }
    let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let first = (clock.as_secs() << 20).max(FIXED.end);
    let count = number("SEEDS").unwrap_or(200);
    let table = run(first..first + count);
    println!("{count} seeds from {first} on, {} events", table.total());
    if std::env::var_os("TABLE").is_some() {
        println!("{table}");
    }
}
