//! pollux is killed again and again, at any instruction, while services die. `POLLUX_STORM=N` makes N rounds.

use std::fs;
use std::time::Duration;

use crate::harness::{Sandbox, process, until};

/// Numbers that look random and are the same in each run (Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

const NAMES: [&str; 3] = ["puma", "sidekiq", "node"];

#[test]
fn no_kill_starts_a_service_twice_or_tears_the_state() {
    let rounds: u64 = std::env::var("POLLUX_STORM").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let sandbox = Sandbox::new();
    let body: String = NAMES.iter().map(|name| sandbox.service(name)).collect();
    // A start whose end no daemon saw is waited for until its time is over: the process may still be on its way.
    let body = body.replace("with timeout 60 seconds", "with timeout 5 seconds");
    // Cycles all the time, and a start's journal is written in most of them.
    sandbox.control_raw(&(sandbox.head_with_interval(1) + &body));
    let mut dice = Dice(rounds);
    let control = sandbox.control_path();
    for _ in 0..rounds {
        sandbox.launch(sandbox.command(&["-I", "-c", control.to_str().expect("path")]));
        let victim = NAMES[dice.below(3) as usize];
        if let Ok(text) = fs::read_to_string(sandbox.path(&format!("run/{victim}.pid")))
            && let Ok(pid) = text.trim().parse()
            && process::lives(pid)
            && process::command(pid).contains(&sandbox.tag)
        {
            process::signal(pid, "KILL");
        }
        // This pause is the storm itself: the kill comes at another instruction each time.
        std::thread::sleep(Duration::from_micros(dice.below(60_000)));
        sandbox.kill();
        assert_eq!(
            fs::read_dir(sandbox.path("state"))
                .expect("state")
                .flatten()
                .filter(|e| e.file_name() == "state.aside")
                .count(),
            0
        );
    }
    sandbox.start();
    for name in NAMES {
        until(name, || {
            let status = sandbox.cli(&["status", name]).out;
            (status.contains("  status                       OK\n") && status.contains("  pid  ")).then_some(())
        });
        assert!(process::lives(sandbox.standin(name)));
        assert!(sandbox.begun(name, "restart") >= 1);
        assert_eq!(sandbox.most_at_once(Some(name)), 1, "two start programs of {name} at once");
        assert_eq!(sandbox.begun(name, "restart"), sandbox.done(name, "restart"));
    }
    let log = sandbox.log();
    assert!(!log.contains("not used"), "the state was torn");
    // One live process each, and no temporary files of writes that were cut short pile up.
    let titles = sandbox.live_standins();
    assert_eq!(titles.len(), NAMES.len(), "{titles:?}");
    let left: Vec<_> = fs::read_dir(sandbox.path("state")).expect("state").flatten().map(|e| e.file_name()).collect();
    assert!(left.len() < 12, "{left:?}");
    let starts: usize = NAMES.iter().map(|name| sandbox.begun(name, "restart")).sum();
    eprintln!("storm: {rounds} kills of pollux, {starts} starts, never two at once");
}
