//! The programs of a sandbox, as shell scripts. `@DIR@` stands for the sandbox.
//!
//! `service NAME VERB` plays service(8) with an rc.d script that leaves a pipeline in the background, `standin NAME TITLE…`
//! the daemon behind it: its command line is its title, which it changes by executing itself again. Everything that runs
//! registers its number in `run/pids`, so that the sandbox can end it by number.

/// service(8) and the rc.d script. What it does is written to `run/record`. Files steer it: `run/NAME.gate` (a FIFO) makes
/// it wait for a line, `run/NAME.fail` makes it do nothing and say so; `run/NAME.mode` holds words: `direct` (the daemon
/// itself keeps our output), `session` (the daemon gets a session of its own).
pub const SERVICE: &str = r#"#!/bin/sh
dir=@DIR@ name=$1 verb=$2
echo "$$ service" >>$dir/run/pids
echo "begin $name $verb $$" >>$dir/run/record
cd /
mode=$(cat $dir/run/$name.mode 2>/dev/null)

lives() {
    case $(ps -o state= -p "$1" 2>/dev/null) in '' | Z*) return 1 ;; esac
}
start() {
    rm -f $dir/run/$name.pid
    session=
    case $mode in *session*) session=setsid ;; esac
    title=$(cat $dir/run/$name.title)
    # A pipeline in the background: nobody waits for it, and it keeps our stdout and stderr for ever.
    case $mode in
    *direct*) $session $dir/bin/standin $name $title & ;;
    *) $session $dir/bin/standin $name $title 2>&1 | $dir/bin/logger $name & ;;
    esac
    while [ ! -s $dir/run/$name.pid ]; do
        [ -d $dir/run ] || exit 1 # the test is over
        sleep 0.01
    done
    echo "Starting $name."
}
stop() {
    pid=$(cat $dir/run/$name.pid 2>/dev/null) || return 0
    lives $pid && kill $pid
    while lives $pid; do sleep 0.02; done
    rm -f $dir/run/$name.pid
    echo "Stopping $name."
}

if [ -p $dir/run/$name.gate ]; then read -r line <$dir/run/$name.gate; fi
code=0
if [ -e $dir/run/$name.fail ]; then
    cat $dir/run/$name.fail
    code=1
else
    case $verb in
    start) start ;;
    stop) stop ;;
    restart) stop; start ;;
    *) echo "usage: $name start|stop|restart" >&2; code=2 ;;
    esac
fi
echo "end $name $verb $$" >>$dir/run/record
exit $code
"#;

/// The daemon. Lines on the FIFO `run/NAME.ctl` tell it what to do.
pub const STANDIN: &str = r#"#!/bin/sh
dir=@DIR@ name=$1
if [ -z "$registered" ]; then
    echo "$$ standin" >>$dir/run/pids
    echo $$ >$dir/run/$name.new
    mv $dir/run/$name.new $dir/run/$name.pid
    registered=1
    export registered
fi
exec 3<>$dir/run/$name.ctl
while read -r verb rest <&3; do
    case $verb in
    title) exec "$0" $name $rest ;;
    say) echo "$rest" ;;
    flood) dd if=/dev/zero bs=1024 count=1024 2>/dev/null | tr '\0' 'x'; echo flooded >>$dir/run/$name.done ;;
    chat) (while kill -0 $$ 2>/dev/null; do echo tick; sleep 1; done) & ;;
    esac
done
"#;

/// logger(1)'s part: reads as long as somebody writes, and says nothing itself.
pub const LOGGER: &str = r#"#!/bin/sh
echo "$$ logger" >>@DIR@/run/pids
exec cat >>"@DIR@/run/$1.log"
"#;

/// A program that waits for a line on `run/NAME.gate` and ends with a status of its own: `code STATUS`.
pub const CODE: &str = r#"#!/bin/sh
dir=@DIR@
echo "$$ code" >>$dir/run/pids
echo "begin code $1 $$" >>$dir/run/record
if [ -p $dir/run/code.gate ]; then read -r line <$dir/run/code.gate; fi
exit $1
"#;

/// A program that ignores TERM and waits for a line that never comes: `stubborn NAME`.
pub const STUBBORN: &str = r#"#!/bin/sh
trap '' TERM
dir=@DIR@
echo "$$ stubborn" >>$dir/run/pids
echo "begin $1 stop $$" >>$dir/run/record
exec 3<>$dir/run/never
read -r line <&3
"#;
