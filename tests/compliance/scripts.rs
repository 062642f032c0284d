//! The programs of a sandbox, as shell scripts: the stand-ins for services, and words for the steps. `$DIR` is the sandbox;
//! in a start program it is known from the script's own place.

/// Every script that cases may call, by name.
pub const SCRIPTS: [(&str, &str); 14] = [
    ("monit", MONIT),
    ("bare", BARE),
    ("standin", STANDIN),
    ("nanny", NANNY),
    ("service", SERVICE),
    ("note", NOTE),
    ("up", UP),
    ("slay", SLAY),
    ("lives", LIVES),
    ("alive", ALIVE),
    ("gone", GONE),
    ("ran", RAN),
    ("field", FIELD),
    ("world", WORLD),
];

/// The program under test, with the case's control file.
const MONIT: &str = r#"#!/bin/sh
exec @DIR@/prog/monit -c @DIR@/monitrc "$@"
"#;

/// The program under test, with what the case gives it.
const BARE: &str = r#"#!/bin/sh
exec @DIR@/prog/monit "$@"
"#;

/// A daemon that does nothing until it is ended: `standin NAME`.
const STANDIN: &str = r#"#!/bin/sh
echo $$ >@DIR@/run/$1.new
mv @DIR@/run/$1.new @DIR@/run/$1.pid
read -r line <>@DIR@/run/never
"#;

/// Reaps a stand-in, which the first process of a container may not: `nanny NAME`.
const NANNY: &str = r#"#!/bin/sh
@DIR@/bin/standin $1 &
wait
"#;

/// What rc.d scripts do: `service NAME start|stop|restart|WORD`. Writes what it was called for to `record`; prints
/// `run/NAME.say`; with `run/NAME.fail` it does nothing more and exits with the number in that file.
const SERVICE: &str = r#"#!/bin/sh
name=$1 verb=$2
echo "$name $verb" >>@DIR@/record
trap 'rm -f @DIR@/run/$name.busy' EXIT
: >@DIR@/run/$name.busy
cat @DIR@/run/$name.say 2>/dev/null
if [ -e @DIR@/run/$name.fail ]; then
    exit $(cat @DIR@/run/$name.fail)
fi
stop() {
    pid=$(cat @DIR@/run/$name.pid 2>/dev/null) && kill $pid 2>/dev/null
    while kill -0 $pid 2>/dev/null; do sleep 0.02; done
    rm -f @DIR@/run/$name.pid
}
start() {
    rm -f @DIR@/run/$name.pid
    setsid @DIR@/bin/nanny $name </dev/null >/dev/null 2>&1 &
    while [ ! -s @DIR@/run/$name.pid ]; do [ -d @DIR@/run ] || exit 1; sleep 0.02; done
}
case $verb in
start) start ;;
stop) stop ;;
restart) stop; start ;;
esac
exit 0
"#;

/// A line in `record`, and the environment of programs in `run/env`: `note WORD...`.
const NOTE: &str = r#"#!/bin/sh
env | sort >@DIR@/run/env.new
mv @DIR@/run/env.new @DIR@/run/env
echo "$*" >>@DIR@/record
"#;

/// Starts a stand-in, as somebody else would.
const UP: &str = r#"#!/bin/sh
rm -f @DIR@/run/$1.pid
setsid @DIR@/bin/nanny $1 </dev/null >/dev/null 2>&1 &
while [ ! -s @DIR@/run/$1.pid ]; do sleep 0.02; done
"#;

/// Kills a stand-in and waits until it is gone: `slay NAME [SIGNAL]`.
const SLAY: &str = r#"#!/bin/sh
pid=$(cat @DIR@/run/$1.pid) || exit 1
kill -${2:-KILL} $pid || exit 1
while kill -0 $pid 2>/dev/null; do sleep 0.02; done
"#;

/// Whether a stand-in lives: `yes` or `no`.
const LIVES: &str = r#"#!/bin/sh
if kill -0 $(cat @DIR@/run/$1.pid 2>/dev/null) 2>/dev/null; then echo yes; else echo no; fi
"#;

/// Waits until a stand-in lives and the script that started it is done: `alive NAME`.
const ALIVE: &str = r#"#!/bin/sh
until kill -0 $(cat @DIR@/run/$1.pid) 2>/dev/null; do sleep 0.02; done 2>/dev/null
while [ -e @DIR@/run/$1.busy ]; do sleep 0.02; done
"#;

/// Waits until a process is gone, or a zombie that somebody else reaps: `gone PID`.
const GONE: &str = r#"#!/bin/sh
while :; do
    case $(ps -o state= -p "$1") in '' | Z*) exit 0 ;; esac
    sleep 0.02
done
"#;

/// Waits until a program that writes its number into `run/ran` has ended so many times: `ran COUNT`.
const RAN: &str = r#"#!/bin/sh
until [ "$(cat @DIR@/run/ran 2>/dev/null | wc -l)" -ge "$1" ]; do sleep 0.02; done
exec @DIR@/bin/gone $(tail -1 @DIR@/run/ran)
"#;

/// Lines of a service's status by their labels: `field NAME LABEL...`.
const FIELD: &str = r#"#!/bin/sh
name=$1
shift
@DIR@/bin/monit status -B "$name" >@DIR@/run/status || exit $?
for label; do grep "^  $label  " @DIR@/run/status; done
exit 0
"#;

/// Holds a network and mounts of its own; see the links of that network, not the machine's.
const WORLD: &str = r#"#!/bin/sh
mount -t sysfs sysfs /sys && ip link set lo up || exit 1
: >@DIR@/run/world
while :; do read -r line <>@DIR@/run/never; done
"#;
