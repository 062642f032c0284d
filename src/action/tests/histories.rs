//! Thousands of random histories.

use super::*;
use crate::base::schedule::Backoff;

/// A small generator (SplitMix64): the same seed gives the same history.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// Services with random dependencies live through deaths, slow and failing programs, commands, reloads and restarts of the
/// daemon. `start_program` and the checks below panic on a broken promise; the seed replays alone.
fn history(seed: u64) {
    let mut dice = Dice(seed);
    let count = 1 + dice.below(8) as usize;
    let services: Vec<Service> = (0..count)
        .map(|place| {
            let depends: Vec<usize> = (0..place).filter(|_| dice.below(4) == 0).collect();
            let mut service = service(&format!("s{place}"), &depends);
            if dice.below(6) == 0 {
                service.stop = None;
            }
            if dice.below(4) == 0 {
                service.kind = Kind::File(PathBuf::from("/f"));
            }
            if dice.below(6) == 0 {
                service.restart = program("restart", 20);
            }
            if dice.below(3) == 0 {
                let first = Duration::from_secs(1 + dice.below(60));
                service.backoff = Some(Backoff { first, longest: first + Duration::from_secs(dice.below(90)) });
            }
            if matches!(service.kind, Kind::Process(_)) && dice.below(3) == 0 {
                service.rules[0].test = Test::Exited;
            } else if dice.below(4) == 0 {
                let window = 1 + dice.below(4) as u32;
                service.rules[0].failure.rate = Rate { count: 1 + dice.below(window.into()) as u32, window };
            }
            if dice.below(4) == 0 {
                let restarts = 1 + dice.below(3) as u32;
                let action = match dice.below(3) {
                    0 => Action::Unmonitor,
                    1 => Action::Alert,
                    _ => Action::UnmonitorFor(Duration::from_secs(1 + dice.below(300))),
                };
                service.restart_limits = vec![RestartLimit { restarts, cycles: restarts + 3, action }];
            }
            service
        })
        .collect();
    let mut world = World::new(services.clone());
    for _ in 0..60 {
        let place = dice.below(count as u64) as usize;
        match dice.below(11) {
            0 => world.reals[place].process = None,
            1 => world.die(place),
            2 => world.reals[place].broken = dice.below(2) == 0,
            3 => {
                world.reals[place].takes = Duration::from_millis(dice.below(50_000));
                world.reals[place].slow = Duration::from_millis(dice.below(4) * dice.below(9_000));
            }
            4 => {
                use Command::*;
                let command = [Start, Stop, Restart, Monitor, Unmonitor][dice.below(5) as usize];
                let all: Vec<usize> = if dice.below(3) == 0 { (0..count).collect() } else { vec![place] };
                world.command(command, &all);
            }
            5 => drop(world.engine.reconfigure(config(services.clone()))),
            6 => restart_daemon(&mut world, &services),
            7 => world.leave_alone(&[place], Duration::from_secs(1 + dice.below(300))),
            _ => world.cycle(),
        }
        let step = Duration::from_millis(dice.below(40_000));
        world.run_until(world.now.plus(step));
    }
    // Calm: everything works again; whatever is watched and not held down by a stopped parent must come to live.
    for real in &mut world.reals {
        real.broken = false;
        real.takes = Duration::from_secs(1);
        real.slow = Duration::ZERO;
    }
    for _ in 0..count * 6 + 12 {
        world.minute();
    }
    let busy: Vec<_> = world.engine.runs.iter().map(|run| &run.plan).collect();
    assert!(!world.engine.is_busy(), "seed {seed}: an action never ends: {busy:#?}\n{services:#?}\n{:#?}", world.log);
    for (place, service) in services.iter().enumerate() {
        let held_down = service.depends.iter().any(|parent| !world.engine.is_up(*parent));
        if world.monitor(place) != Monitor::Off && !held_down {
            assert!(world.reals[place].process.is_some(), "seed {seed}: {} is left dead", service.name);
        }
    }
    let starts = world.starts();
    for _ in 0..3 {
        world.minute();
    }
    assert_eq!(world.starts(), starts, "seed {seed}: what lives is started again");
}

#[test]
fn random_histories_break_no_promise() {
    for seed in 0..3000 {
        history(seed);
    }
}
