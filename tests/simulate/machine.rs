//! What is real: processes, pidfiles, programs that run. It lives on when the daemon dies.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use pollux::base::process::{Identity, Pid, StartTime, Tolerance};
use pollux::base::program::Purpose;
use pollux::base::time::Mono;
use pollux::config::ProcessTarget;
use pollux::facts::pidfile::{Content, PidfileProblem};
use pollux::facts::process::{Entry, GoneReason, Listed, Presence};
use pollux::facts::usage::{ProcessFacts, Row, Wanted};
use pollux::probe::process::{Sample, observe, observe_by_content};
use pollux::sys::table::Processes;

use crate::dice::Dice;

/// The daemon's own number.
const OWN: i32 = 50;
/// Process numbers go round in this range.
const PIDS: std::ops::Range<i32> = 100..1_400;

/// One process.
#[derive(Clone)]
pub struct Process {
    pub start: Duration,
    pub zombie: bool,
    pub command: String,
}

/// What the programs of a service do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// They end with status 1 and bring nothing about.
    Fails,
    /// service(8) does nothing and says so.
    Refuses,
    /// They cannot even be started.
    NoFork,
    /// They end well and bring nothing about.
    Lies,
}

/// What stands behind one service.
#[derive(Clone)]
pub struct Unit {
    /// How long its programs take.
    pub takes: Duration,
    /// How long it takes to appear or to go after that.
    pub slow: Duration,
    pub fault: Fault,
    /// The start program becomes the service instead of leaving one behind.
    pub becomes: bool,
    /// It lives so long after each start.
    pub lifetime: Option<Duration>,
    /// Its pidfile is on a filesystem that takes so long to answer.
    pub distance: Duration,
    /// Its next program cannot be started.
    pub no_fork: bool,
    /// Its programs ignore TERM.
    pub stubborn: bool,
    /// The system does not tell about its process.
    pub unreadable: bool,
    /// Its process, while it lives.
    pub process: Option<i32>,
    pub pidfile: Option<String>,
    pub appears: Option<Mono>,
    pub dies: Option<Mono>,
    /// When the program that starts it must have brought it up.
    pub until: Option<Mono>,
    /// Somebody else restarts it, until then.
    pub script: Option<Mono>,
}

impl Unit {
    /// Its start program has ended, and it will appear in time.
    pub fn is_coming(&self) -> bool {
        self.appears.zip(self.until).is_some_and(|(appears, until)| appears < until)
    }

    pub fn new() -> Unit {
        Unit {
            takes: Duration::from_secs(1),
            slow: Duration::ZERO,
            fault: Fault::None,
            becomes: false,
            lifetime: None,
            distance: Duration::ZERO,
            no_fork: false,
            stubborn: false,
            unreadable: false,
            process: None,
            pidfile: None,
            appears: None,
            dies: None,
            until: None,
            script: None,
        }
    }
}

/// A program that runs.
#[derive(Clone)]
pub struct Program {
    pub unit: usize,
    pub purpose: Purpose,
    pub identity: Identity,
    /// `None`: it waits at its gate.
    pub ends: Option<Mono>,
    /// When it must have brought its service up.
    pub until: Option<Mono>,
    pub fault: Fault,
}

/// How a program ended.
#[derive(Clone, Copy)]
pub struct End {
    pub status: i32,
    pub refused: bool,
}

/// The machine.
#[derive(Clone)]
pub struct Machine {
    pub now: Mono,
    /// What the wall clock shows beyond the monotonic one, in seconds.
    pub wall: u64,
    /// Number of the boot.
    pub boot: u32,
    pub units: Vec<Unit>,
    pub programs: Vec<Program>,
    processes: BTreeMap<i32, Process>,
    ended: Vec<(Identity, End)>,
    next_pid: i32,
    /// Who dies leaves nothing behind.
    pub clean: bool,
    tolerance: Duration,
}

impl Machine {
    pub fn new(units: usize, dice: &mut Dice) -> Machine {
        let mut machine = Machine {
            now: Mono::from_origin(Duration::from_secs(100)),
            wall: 1_793_000_000,
            boot: 1,
            units: vec![Unit::new(); units],
            programs: Vec::new(),
            processes: BTreeMap::new(),
            ended: Vec::new(),
            next_pid: PIDS.start,
            clean: false,
            tolerance: Duration::from_secs(dice.below(2)),
        };
        machine.power_on();
        machine
    }

    fn power_on(&mut self) {
        let process = |command: &str| Process { start: Duration::ZERO, zombie: false, command: command.to_owned() };
        self.processes = BTreeMap::from([(1, process("init")), (OWN, process("pollux -c unit"))]);
    }

    fn spawn(&mut self, command: String) -> i32 {
        while self.processes.contains_key(&self.next_pid) {
            self.next_pid = if self.next_pid + 1 < PIDS.end { self.next_pid + 1 } else { PIDS.start };
        }
        let pid = self.next_pid;
        self.next_pid = if pid + 1 < PIDS.end { pid + 1 } else { PIDS.start };
        self.processes.insert(pid, Process { start: self.now.since_origin(), zombie: false, command });
        pid
    }

    fn identity(&self, pid: i32) -> Identity {
        let start = StartTime::from_boot(self.processes[&pid].start);
        Identity { pid: Pid::new(pid).unwrap(), start }
    }

    /// Forks a program, which waits at its gate.
    pub fn fork(&mut self, unit: usize, purpose: Purpose, timeout: Option<Duration>) -> Identity {
        let until = timeout.map(|timeout| self.now.plus(timeout));
        let pid = self.spawn(format!("/bin/u{unit} {}", purpose.word()));
        let identity = self.identity(pid);
        self.programs.push(Program { unit, purpose, identity, ends: None, until, fault: self.units[unit].fault });
        identity
    }

    /// The program of such a purpose that works on the unit, apart from one that has become it.
    fn at_it(&mut self, unit: usize, purpose: fn(Purpose) -> bool) -> Option<&mut Program> {
        let itself = self.units[unit].process;
        let works = |p: &&mut Program| p.unit == unit && purpose(p.purpose) && Some(p.identity.pid.get()) != itself;
        self.programs.iter_mut().filter(|program| program.ends.is_some()).find(works)
    }

    /// Whether there is one.
    pub fn is_at_it(&self, unit: usize, purpose: fn(Purpose) -> bool) -> bool {
        let itself = self.units[unit].process;
        let works = |p: &&Program| p.unit == unit && purpose(p.purpose) && Some(p.identity.pid.get()) != itself;
        self.programs.iter().filter(|program| program.ends.is_some()).any(|program| works(&program))
    }

    /// It ends now, and so.
    pub fn end_now(&mut self, unit: usize, purpose: fn(Purpose) -> bool, fault: Fault) {
        let now = self.now;
        if let Some(program) = self.at_it(unit, purpose) {
            (program.ends, program.fault) = (Some(now), fault);
        }
    }

    /// It takes longer than anybody waits.
    pub fn last(&mut self, unit: usize, purpose: fn(Purpose) -> bool) {
        let ends = self.now.plus(Duration::from_secs(200));
        if let Some(program) = self.at_it(unit, purpose) {
            program.ends = Some(ends);
        }
    }

    /// Opens its gate.
    pub fn release(&mut self, identity: Identity) {
        let now = self.now;
        let Some(program) = self.programs.iter_mut().find(|program| program.identity == identity) else { return };
        let unit = program.unit;
        let becomes = self.units[unit].becomes && program.purpose == Purpose::Start && program.fault == Fault::None;
        if becomes && self.units[unit].process.is_none() {
            program.ends = Some(now.plus(Duration::from_secs(1_000_000_000)));
            let pid = identity.pid.get();
            self.processes.get_mut(&pid).unwrap().command = format!("unit {unit} ");
            self.live(unit, pid);
        } else {
            program.ends = Some(now.plus(self.units[unit].takes));
        }
    }

    /// Nobody promises any more to wait for what is on its way.
    pub fn forget_promises(&mut self) {
        self.units.iter_mut().for_each(|unit| unit.until = None);
        self.programs.iter_mut().for_each(|program| program.until = None);
    }

    /// The daemon died before it opened the gate.
    pub fn drop_held(&mut self) {
        let held: Vec<_> = self.programs.iter().filter(|program| program.ends.is_none()).map(|p| p.identity).collect();
        self.programs.retain(|program| program.ends.is_some());
        for identity in held {
            self.processes.remove(&identity.pid.get());
        }
    }

    fn live(&mut self, unit: usize, pid: i32) {
        let now = self.now;
        let unit = &mut self.units[unit];
        unit.process = Some(pid);
        unit.pidfile = Some(pid.to_string());
        unit.appears = None;
        unit.dies = unit.lifetime.map(|lifetime| now.plus(lifetime));
    }

    /// A process of the unit comes to life, by whosever hand.
    pub fn appear(&mut self, unit: usize) {
        if self.units[unit].process.is_none() {
            let pid = self.spawn(format!("unit {unit} "));
            self.live(unit, pid);
        }
    }

    /// The unit's process dies. It may stay as a zombie, its pidfile may stay, its number may be taken by a stranger.
    pub fn die(&mut self, unit: usize, dice: &mut Dice) {
        self.units[unit].dies = None;
        let Some(pid) = self.units[unit].process.take() else { return };
        if self.clean || dice.once_in(2) {
            self.units[unit].pidfile = None;
        }
        if let Some(place) = self.programs.iter().position(|program| program.identity.pid.get() == pid) {
            let program = self.programs.remove(place);
            self.ended.push((program.identity, End { status: 0, refused: false }));
            self.processes.remove(&pid);
        } else if !self.clean && dice.once_in(8) {
            self.processes.get_mut(&pid).unwrap().zombie = true;
        } else {
            self.processes.remove(&pid);
            if !self.clean && dice.once_in(8) {
                self.next_pid = pid;
                self.spawn("stranger".to_owned());
            }
        }
    }

    /// Somebody else restarts it.
    pub fn hand(&mut self, unit: usize, time: Duration, dice: &mut Dice) {
        self.die(unit, dice);
        self.units[unit].script = Some(self.now.plus(time));
    }

    /// What a look at it finds when it is a file, not a process.
    pub fn file(&self, unit: usize) -> Presence {
        match self.units[unit].process.and_then(Pid::new) {
            _ if self.units[unit].unreadable => Presence::Unknown("input/output error".to_owned()),
            Some(pid) => self.entry(pid).ok().flatten().map_or(Presence::Gone(GoneReason::NoMatch), Presence::Running),
            None => Presence::Gone(GoneReason::NoMatch),
        }
    }

    /// Zombies are reaped and strangers leave.
    pub fn sweep(&mut self) {
        self.processes.retain(|_, process| !process.zombie && process.command != "stranger");
    }

    /// A signal for a program: TERM may be ignored, KILL not.
    pub fn signal(&mut self, identity: Identity, kill: bool) {
        let now = self.now;
        let Some(program) = self.programs.iter_mut().find(|program| program.identity == identity) else { return };
        if kill || !self.units[program.unit].stubborn {
            program.ends = Some(now);
            program.fault = Fault::Fails;
        }
    }

    /// Whether a program lives.
    pub fn runs(&self, identity: Identity) -> bool {
        self.programs.iter().any(|program| program.identity == identity)
    }

    /// How a program ended, told once.
    pub fn reap(&mut self, identity: Identity) -> Option<End> {
        let place = self.ended.iter().position(|(ended, _)| *ended == identity)?;
        Some(self.ended.swap_remove(place).1)
    }

    /// When something happens next by itself.
    pub fn next(&self) -> Option<Mono> {
        let units = self.units.iter().flat_map(|unit| [unit.appears, unit.dies, unit.script]).flatten();
        units.chain(self.programs.iter().filter_map(|program| program.ends)).min()
    }

    /// Does what is due.
    pub fn turn(&mut self, dice: &mut Dice) {
        let now = self.now;
        for unit in 0..self.units.len() {
            if self.units[unit].appears.is_some_and(|at| at <= now) {
                self.units[unit].appears = None;
                self.appear(unit);
            }
            if self.units[unit].dies.is_some_and(|at| at <= now) {
                self.die(unit, dice);
            }
            if self.units[unit].script.take_if(|at| *at <= now).is_some() {
                self.appear(unit);
            }
        }
        while let Some(place) = self.programs.iter().position(|program| program.ends.is_some_and(|ends| ends <= now)) {
            let program = self.programs.remove(place);
            self.end(&program, dice);
        }
    }

    fn end(&mut self, program: &Program, dice: &mut Dice) {
        let (number, now) = (program.unit, self.now);
        self.processes.remove(&program.identity.pid.get());
        // Late programs are given up, and taken up again only where that suits.
        let until = program.until.filter(|until| now < *until);
        if program.fault == Fault::None {
            let slow = self.units[number].slow;
            match program.purpose {
                Purpose::Stop => {
                    self.units[number].appears = None;
                    if self.units[number].process.is_some() {
                        self.units[number].dies = Some(now.plus(slow));
                    }
                }
                Purpose::Restart => {
                    self.die(number, dice);
                    (self.units[number].appears, self.units[number].until) = (Some(now.plus(slow)), until);
                }
                // One that lives already is enough.
                _ if self.units[number].process.is_none() => {
                    (self.units[number].appears, self.units[number].until) = (Some(now.plus(slow)), until);
                }
                _ => {}
            }
        }
        let status = i32::from(program.fault == Fault::Fails);
        self.ended.push((program.identity, End { status, refused: program.fault == Fault::Refuses }));
    }

    /// The power fails.
    pub fn reboot(&mut self) {
        self.boot += 1;
        self.now = Mono::from_origin(Duration::from_secs(20));
        self.power_on();
        self.programs.clear();
        self.ended.clear();
        for unit in &mut self.units {
            (unit.process, unit.appears, unit.dies, unit.script) = (None, None, None, None);
        }
    }

    /// What is in the unit's pidfile.
    pub fn content(&self, unit: usize) -> Content {
        match &self.units[unit].pidfile {
            Some(text) => Content::Head(text.clone().into_bytes()),
            None => Content::Problem(PidfileProblem::Missing),
        }
    }

    /// What the daemon's look at the service of a unit finds, which read the pidfile earlier.
    pub fn presence(
        &self,
        unit: usize,
        target: &ProcessTarget,
        known: Option<Identity>,
        content: &Content,
    ) -> Presence {
        if self.units[unit].unreadable {
            return Presence::Unknown("too many open files".to_owned());
        }
        let mut sample = Sample::new(self, Pid::new(OWN).unwrap());
        match target {
            ProcessTarget::Pidfile { path, .. } => observe_by_content(target, path, content, known, &sample),
            ProcessTarget::Matching { .. } => observe(target, known, &mut sample),
        }
    }
}

impl Processes for Machine {
    fn entry(&self, pid: Pid) -> io::Result<Option<Entry>> {
        let entry = |process: &Process| Entry {
            identity: self.identity(pid.get()),
            parent: Pid::new(1),
            zombie: process.zombie,
            kernel: false,
            jail: None,
        };
        Ok(self.processes.get(&pid.get()).map(entry))
    }

    fn usage(&self, _pid: Pid, _wanted: Wanted) -> io::Result<Option<ProcessFacts>> {
        Ok(None)
    }

    fn rows(&self) -> io::Result<Vec<Row>> {
        Ok(Vec::new())
    }

    fn open_descriptors(&self, _pid: Pid) -> io::Result<Option<u64>> {
        Ok(None)
    }

    fn scan(&self, _with_commands: bool) -> io::Result<Vec<Listed>> {
        let listed = |(pid, process): (&i32, &Process)| {
            let entry = self.entry(Pid::new(*pid).unwrap()).unwrap().unwrap();
            Listed { entry, command: process.command.clone().into_bytes() }
        };
        Ok(self.processes.iter().map(listed).collect())
    }

    fn arguments(&self, entry: &Entry) -> io::Result<Option<Vec<u8>>> {
        let process = self.processes.get(&entry.identity.pid.get());
        Ok(process.map(|process| process.command.clone().into_bytes()))
    }

    fn tolerance(&self) -> Tolerance {
        Tolerance(self.tolerance)
    }
}
