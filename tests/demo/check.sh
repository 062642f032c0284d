#!/bin/sh
# check.sh BINARY : runs the demo unattended. The services must come up, one that is killed must come back as another
# process, the commands that the demo recommends must work, and nothing may be left of it at the end.
set -eu

command -v ps >/dev/null || { echo 'demo: ps is missing, nothing can be proven' >&2; exit 1; }
here=$(cd "$(dirname "$0")" && pwd)
output=$(mktemp "${TMPDIR:-/tmp}/pollux-demo-check.XXXXXX")
sh "$here/demo.sh" "${1:?usage: check.sh BINARY}" >"$output" 2>&1 &
demo=$!
trap 'kill "$demo" 2>/dev/null || :; wait "$demo" 2>/dev/null || :; rm -f "$output"' EXIT

fail() {
    echo "demo: $*; what it said:" >&2
    cat "$output" >&2
    exit 1
}

# until_true SECONDS WHAT COMMAND ... : waits for a command to succeed.
until_true() {
    tries=$(($1 * 5)) what=$2
    shift 2
    until "$@"; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] && kill -0 "$demo" 2>/dev/null || fail "$what"
        sleep 0.2
    done
}

named() { dir=$(sed -n 's|^  The control file *\(/.*\)/monitrc$|\1|p' "$output") && [ -n "$dir" ]; }
lives() { pid=$(cat "$dir/run/$1.pid" 2>/dev/null) && kill -0 "$pid" 2>/dev/null; }
came_back() { lives sidekiq && [ "$pid" != "$old" ]; }
answers() { "$dir/pollux" summary >/dev/null 2>&1; }
# One that dies while its start is still waited for is started again only when the time for that is over.
is_up() { "$dir/pollux" summary -B 2>/dev/null | grep -Eq "^ $1 +OK "; }

until_true 10 'no directory was named' named
for service in puma sidekiq node; do until_true 20 "$service did not start" lives $service; done
until_true 10 'the command line got no answer' answers
until_true 20 'sidekiq is not seen to run' is_up sidekiq

lives sidekiq
old=$pid
kill -9 "$old"
until_true 20 'sidekiq did not come back' came_back
"$dir/pollux" status sidekiq >/dev/null || fail 'status failed'
"$dir/pollux" reload >/dev/null || fail 'reload failed'

kill -TERM "$demo"
code=0
wait "$demo" || code=$?
[ $code = 0 ] || fail "the demo ended with exit code $code"
[ ! -e "$dir" ] || fail "$dir is left"
left=$(ps -A -o pid= -o args= | grep -F "$dir/" | grep -v grep || :)
[ -z "$left" ] || fail "processes are left: $left"
echo 'demo: services came up, one was killed and came back, nothing is left'
