#!/bin/sh
# run.sh BINARY : programs that read and drive Monit, unmodified, against a live pollux that watches stub services. What is
# proved is printed fact by fact, `ok` or `FAIL`; the exit code is 1 if any fails or a client is missing.
#
# Clients come from PyPI, npm and Debian the first time and are kept in target/clients: Ansible's module, python-monit, npm's
# monit, fail2ban's filter. Monit's own command line is taken as it is installed. What other programs rely on is told anew by
# the small readers in readers/. Nothing is installed on the machine, and nothing but what is started here is ended, by its
# number.
set -u

case ${1:?usage: run.sh BINARY} in
/*) binary=$1 ;;
*) binary=$PWD/$1 ;;
esac
[ -x "$binary" ] || { echo "clients: $binary is not there; run make first" >&2; exit 1; }
here=$(cd "$(dirname "$0")" && pwd -P)
store=$PWD/target/clients
mkdir -p "$store" || exit 1

dir=$(mktemp -d "${TMPDIR:-/tmp}/pollux-clients.XXXXXX") || exit 1
dir=$(cd "$dir" && pwd -P)
daemon=
clean_up() {
    trap '' INT TERM HUP
    trap - EXIT
    if [ -n "$daemon" ]; then
        kill -TERM "$daemon" 2>/dev/null
        wait "$daemon" 2>/dev/null
    fi
    for file in "$dir"/run/*.pid; do
        [ -f "$file" ] || continue
        pid=$(cat "$file")
        case $(ps -o args= -p "$pid" 2>/dev/null) in *"$dir/bin/stub "*) kill "$pid" 2>/dev/null ;; esac
    done
    rm -rf "$dir"
}
trap clean_up EXIT
trap 'clean_up; exit 1' INT TERM HUP

results=$dir/results
: >"$results"
# What a client prints: facts are counted, everything else is shown.
count() { tee -a "$results"; }
missing() { echo "FAIL $1: $2" | count; }

. "$here/fetch.sh"

# The stub services. A stub is a shell that waits; its command line names this directory.
mkdir "$dir/bin" "$dir/run"
cat >"$dir/bin/stub" <<EOF
#!/bin/sh
trap 'kill \$child; exit 0' TERM
while :; do sleep 1000 & child=\$!; wait \$child; done
EOF
cat >"$dir/bin/svc" <<EOF
#!/bin/sh
pidfile=$dir/run/\$1.pid
case \$2 in
start)
    [ "\$1" != slow ] || sleep 4
    $dir/bin/stub "\$1" >/dev/null 2>&1 &
    echo \$! >\$pidfile ;;
stop)
    pid=\$(cat \$pidfile) || exit 0
    kill "\$pid"
    while kill -0 "\$pid" 2>/dev/null; do sleep 0.05; done
    rm -f \$pidfile ;;
esac
EOF
printf '#!/bin/sh\necho "all is <well> & good"\n' >"$dir/bin/good"
printf '#!/bin/sh\necho "a bad thing"\nexit 3\n' >"$dir/bin/bad"
chmod 755 "$dir/bin/stub" "$dir/bin/svc" "$dir/bin/good" "$dir/bin/bad"
mkfifo -m 640 "$dir/run/pipe"
echo text >"$dir/run/text"
ln -s "$binary" "$dir/bin/monit"

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])') || exit 1
process() {
    echo "check process $1 with pidfile $dir/run/$1.pid"
    echo "  start program \"$dir/bin/svc $1 start\" with timeout 20 seconds"
    echo "  stop program \"$dir/bin/svc $1 stop\" with timeout 20 seconds"
}
control() {
    cat <<EOF
set daemon 2
set log $dir/log
set pidfile $dir/state.pid
set statefile $dir/state
set idfile $dir/id
set httpd port $port and use address 127.0.0.1
  allow 127.0.0.1
  allow admin:"monit"
  allow viewer:"look" read-only
set httpd unixsocket $dir/monit.sock
check system box
  group vcap
$(process web)
  group vcap
$(process db)
  group vcap
  group store
$(process slow)
check process gone with pidfile $dir/run/gone.pid
  mode passive
$(process resting)
  onreboot nostart
check file text with path $dir/run/text
  if failed checksum expect d41d8cd98f00b204e9800998ecf8427e then alert
check directory place with path $dir/run
check fifo pipe with path $dir/run/pipe
check filesystem root with path /
check network loopback with interface lo
check program good with path $dir/bin/good
  if status != 0 then alert
check program bad with path $dir/bin/bad
  if status != 0 then alert
EOF
}
(umask 077 && control >"$dir/.monitrc")

PATH=$dir/bin:$PATH HOME=$dir POLLUX_RUNDIR=$dir/rundir
URL=http://127.0.0.1:$port PORT=$port DIR=$dir STORE=$store HERE=$here
PYTHONPATH=$here/readers PYTHONDONTWRITEBYTECODE=1
LC_ALL=C.UTF-8
export PATH HOME POLLUX_RUNDIR URL PORT DIR STORE HERE PYTHONPATH PYTHONDONTWRITEBYTECODE LC_ALL
unset NO_COLOR TZ 2>/dev/null

monit -I >"$dir/daemon.out" 2>&1 &
daemon=$!
# The services come up by themselves; then everything is judged at least once.
tries=0
until [ "$(monit report initialising 2>/dev/null)" = 0 ] && [ "$(monit report down)" = 3 ] &&
    [ -s "$dir/run/slow.pid" ] && monit -B status slow | grep -q '^  status  *OK$'; do
    tries=$((tries + 1))
    if [ $tries -gt 150 ] || ! kill -0 "$daemon" 2>/dev/null; then
        cat "$dir/daemon.out"
        monit -B summary
        echo "FAIL pollux: the stub services do not come up"
        exit 1
    fi
    sleep 0.2
done

for reader in "$here"/readers/[a-z]*.py; do
    case $reader in */facts.py) continue ;; esac
    python3 "$reader" 2>&1 | count
done
[ -z "$have_npm" ] || NODE_PATH=$store/npm/node_modules node "$here/npm-monit.js" 2>&1 | count
[ -z "$have_python_monit" ] || "$store/venv/bin/python" "$here/python_monit.py" 2>&1 | count
[ -z "$have_fail2ban" ] || sh "$here/fail2ban.sh" 2>&1 | count
[ -z "$have_ansible" ] || sh "$here/ansible.sh" 2>&1 | count
sh "$here/monit.sh" 2>&1 | count

kill -0 "$daemon" 2>/dev/null || echo "FAIL pollux: the daemon has ended" | count
passed=$(grep -c '^ok ' "$results")
failed=$(grep -c '^FAIL \|^Traceback' "$results")
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
