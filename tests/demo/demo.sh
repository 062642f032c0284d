#!/bin/sh
# demo.sh BINARY : pollux at work. Sets up three stand-in services in a temporary directory, watches them in the foreground
# and says what to try. Ctrl-C (or the end of pollux) removes everything, the services by their process numbers.
#
# The services are what an administrator has: rc.d scripts called through `service NAME restart` that leave a pipeline in
# the background, which keeps the start program's stdout and stderr for ever; no pidfile that pollux knows; titles that
# change as they run. Each stand-in renames itself by executing itself again with other arguments.
set -eu

case ${1:?usage: demo.sh BINARY} in
/*) binary=$1 ;;
*) binary=$PWD/$1 ;;
esac
[ -x "$binary" ] || { echo "demo: $binary is not there; run make first" >&2; exit 1; }

# Whether something listens on TCP port $1. Base tools only: the kernel's table on Linux, sockstat(1) on FreeBSD.
port_taken() {
    if [ -r /proc/net/tcp ]; then
        cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
            awk -v port="$(printf '%04X' "$1")" '$4 == "0A" && $2 ~ ":" port "$" { found = 1 } END { exit !found }'
    elif command -v sockstat >/dev/null 2>&1; then
        sockstat -l -P tcp -p "$1" | awk 'NR > 1 { found = 1 } END { exit !found }'
    else
        return 1
    fi
}

port=2812
while port_taken $port; do port=$((port + 1)); done

dir=$(mktemp -d "${TMPDIR:-/tmp}/pollux-demo.XXXXXX")
dir=$(cd "$dir" && pwd -P)
pollux=

# The processes that registered themselves and still are what they were: a number alone may be somebody else's by now.
services() {
    for pid in $(sort -u "$dir/run/all" 2>/dev/null); do
        case $(ps -o args= -p "$pid" 2>/dev/null) in *"$dir/"*) echo "$pid" ;; esac
    done
}

remove_all() {
    trap '' INT TERM HUP
    trap - EXIT
    [ -n "$dir" ] || exit 0
    echo
    echo "demo: stopping pollux and the three services, removing $dir"
    if [ -n "$pollux" ]; then
        kill -TERM "$pollux" 2>/dev/null || :
        wait "$pollux" 2>/dev/null || :
    fi
    for signal in TERM TERM TERM TERM TERM KILL KILL; do
        left=$(services)
        [ -n "$left" ] || break
        # shellcheck disable=SC2086 # a list of numbers
        kill -$signal $left 2>/dev/null || :
        sleep 1
    done
    rm -rf "$dir"
    exit "${1:-0}"
}
trap 'remove_all 1' EXIT
trap 'remove_all 0' INT TERM HUP

mkdir -m 700 "$dir/control"
mkdir "$dir/bin" "$dir/rc.d" "$dir/run" "$dir/log" "$dir/mastodon" "$dir/mastodon/streaming"
: >"$dir/mastodon/streaming/index.js"

# script FILE : an executable from stdin, in which @DIR@ is the demo's directory.
script() {
    sed "s|@DIR@|$dir|g" >"$1"
    chmod 755 "$1"
}

# The three programs. `turn` counts how often one has renamed itself; the first time it registers its number.
script "$dir/bin/puma" <<'END'
#!/bin/sh
[ -n "${turn:-}" ] || { echo $$ >@DIR@/run/puma.pid; echo $$ >>@DIR@/run/all; }
turn=$((${turn:-0} + 1)); export turn
echo "request $turn served"
sleep 2
exec "$0" 5.6.7 "(tcp://127.0.0.1:3000)" "[mastodon]"
END
script "$dir/bin/sidekiq" <<'END'
#!/bin/sh
[ -n "${turn:-}" ] || { echo $$ >@DIR@/run/sidekiq.pid; echo $$ >>@DIR@/run/all; }
turn=$((${turn:-0} + 1)); export turn
echo "job $turn done"
sleep 2
exec "$0" 6.1.1 mastodon "[$((turn % 26)) of 25 busy]"
END
script "$dir/bin/node" <<'END'
#!/bin/sh
[ -n "${turn:-}" ] || { echo $$ >@DIR@/run/node.pid; echo $$ >>@DIR@/run/all; }
turn=$((${turn:-0} + 1)); export turn
echo "connection $turn opened"
sleep 2
exec "$0" "$1"
END

# logger(1)'s part: reads as long as the service writes.
script "$dir/bin/logger" <<'END'
#!/bin/sh
echo $$ >>@DIR@/run/all
while read -r line; do echo "$line" >>"@DIR@/log/$1"; done
END

# The rc.d scripts.
rc() {
    script "$dir/rc.d/$1" <<END
#!/bin/sh
name=$1
start() {
    cd @DIR@
    # pipeline in the background: nobody waits for it, and it keeps our stdout and stderr
    $2 2>&1 | @DIR@/bin/logger \$name &
    echo "Starting \$name."
}
stop() {
    echo "Stopping \$name."
    pid=\$(cat @DIR@/run/\$name.pid 2>/dev/null) || return 0
    case \$(ps -o args= -p "\$pid") in *@DIR@/bin/\$name*) ;; *) return 0 ;; esac
    kill "\$pid"
    while kill -0 "\$pid" 2>/dev/null; do sleep 0.1; done
}
case \$1 in
start) start ;;
stop) stop ;;
restart) stop; start ;;
*) echo "usage: \$name start|stop|restart" >&2; exit 1 ;;
esac
END
}
rc puma '@DIR@/bin/puma 5.6.7 "(tcp://127.0.0.1:3000)" "[mastodon]"'
rc sidekiq '@DIR@/bin/sidekiq 6.1.1 mastodon "[0 of 25 busy]"'
rc node '@DIR@/bin/node @DIR@/mastodon/streaming/index.js'

# service(8)'s part: a clean environment, the root directory, then the rc.d script.
script "$dir/bin/service" <<'END'
#!/bin/sh
echo $$ >>@DIR@/run/all
cd /
[ -x "@DIR@/rc.d/$1" ] || { echo "$1 does not exist in @DIR@/rc.d" >&2; exit 1; }
exec env -i HOME=/ PATH=/sbin:/bin:/usr/sbin:/usr/bin "@DIR@/rc.d/$1" "$2"
END

# The command line with this demo's control file and control socket.
script "$dir/pollux" <<END
#!/bin/sh
POLLUX_RUNDIR=@DIR@/control
export POLLUX_RUNDIR
exec '$binary' -c @DIR@/monitrc "\$@"
END

(umask 077 && sed "s|@DIR@|$dir|g" >"$dir/monitrc") <<END
set daemon 5
set pidfile @DIR@/control/pollux
set idfile @DIR@/control/id
set statefile @DIR@/control/state
set httpd port $port and
    use address 127.0.0.1
    allow 127.0.0.1

check process puma matching "@DIR@/bin/puma .* \[mastodon\]"
    start program = "@DIR@/bin/service puma restart"
    stop program = "@DIR@/bin/service puma stop"

check process sidekiq matching "@DIR@/bin/sidekiq .* mastodon"
    start program = "@DIR@/bin/service sidekiq restart" with timeout 60 seconds
    stop program = "@DIR@/bin/service sidekiq stop"

check process node matching "@DIR@/mastodon/streaming/index.js"
    start program = "@DIR@/bin/service node restart" with timeout 60 seconds
    stop program = "@DIR@/bin/service node stop"
END

[ $port = 2812 ] || echo "demo: port 2812 is taken, so the page is on port $port"
cat <<END

pollux watches three stand-in services, every 5 seconds. None of them runs yet, so the first thing it does is start them.

  The page               http://127.0.0.1:$port/
  The control file       $dir/monitrc

Try in another terminal:

  kill -9 \$(cat $dir/run/sidekiq.pid)     see below how it comes back
  $dir/pollux status sidekiq
  $dir/pollux summary
  $dir/pollux stop puma                  stays stopped, until
  $dir/pollux start puma
  $dir/pollux reload                     after a change of the control file
  tail -f $dir/log/sidekiq               what the service writes

Ctrl-C ends pollux, stops the services and removes the directory. The log of pollux:

END

cd /
"$dir/pollux" -I &
pollux=$!
code=0
wait $pollux || code=$?
pollux=
[ $code = 0 ] || echo "demo: pollux ended with exit code $code" >&2
remove_all $code
