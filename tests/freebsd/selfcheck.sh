#!/bin/sh
#
# Proves on a real machine what unit tests cannot: that pollux reads this kernel's process table, revives what dies and
# keeps its manners as a daemon. Made for FreeBSD, run as root with tools of the base system alone; runs on Linux too.
#
# Where there is no /etc/rc.subr, scripts of rc.d are tried with the stand-in of tests/port.
#
# usage: selfcheck.sh [--step-clock] POLLUX
#
#   --step-clock   also set the clock an hour ahead and back (needs root; everything on the machine sees it)
#
# Prints one line per fact: "ok NAME", "FAIL NAME: detail" or "skip NAME: reason". Exits 1 when anything failed. Nothing is
# waited for by time alone: every wait polls for an event and gives up after a bound.

set -u
export LC_ALL=C

step_clock=no
if [ "${1:-}" = --step-clock ]; then
	step_clock=yes
	shift
fi
if [ $# -ne 1 ] || [ ! -x "$1" ]; then
	echo "usage: $0 [--step-clock] POLLUX" >&2
	exit 2
fi
bin=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
source=$(cd "$(dirname "$0")" && pwd)
system=$(uname -s)
rc_subr=/etc/rc.subr
[ -r $rc_subr ] || rc_subr=$source/../port/rc.subr
port=$source/../../port

dir=$(mktemp -d "${TMPDIR:-/tmp}/pollux-selfcheck.XXXXXX") || exit 2
tag=selfcheck$$
failures=0
made_directories=
POLLUX_RUNDIR=$dir/run
export POLLUX_RUNDIR
mkdir -m 700 "$dir/run" "$dir/lib"

# ---------------------------------------------------------------- reporting and waiting

ok() {
	echo "ok $1"
}

fail() {
	failures=$((failures + 1))
	echo "FAIL $1: $2"
}

skip() {
	echo "skip $1: $2"
}

# expect NAME DETAIL COMMAND...: ok when COMMAND succeeds.
expect() {
	expect_name=$1 expect_detail=$2
	shift 2
	if "$@" >/dev/null 2>&1; then ok "$expect_name"; else fail "$expect_name" "$expect_detail"; fi
}

# await SECONDS COMMAND...: polls until COMMAND succeeds; fails after SECONDS. A subshell, since waits nest.
await() (
	until=$(($(date +%s) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -le $until ] || exit 1
		sleep 0.1
	done
)

# bounded SECONDS COMMAND...: COMMAND's exit code; 124 when it had to be killed.
bounded() (
	limit=$1
	shift
	"$@" &
	if await "$limit" has_ended $!; then
		wait $!
	else
		kill -9 $! 2>/dev/null
		wait $! 2>/dev/null
		exit 124
	fi
)

# A process of number $1 that still runs; one that waits to be reaped has ended.
is_running() {
	[ -n "$1" ] || return 1
	case $(ps -o stat= -p "$1" 2>/dev/null) in
	'' | Z*) return 1 ;;
	esac
}

has_ended() {
	! is_running "$1"
}

contains() {
	grep -q -- "$2" "$1"
}

# How often the stand-in for service(8) was asked to start $1.
starts() {
	grep -c "^$1 start\$" "$dir/calls" 2>/dev/null
	:
}

started_times() {
	[ "$(starts "$1")" -eq "$2" ]
}

pid_of() {
	cat "$dir/$1.daemon" 2>/dev/null
}

service_runs() {
	is_running "$(pid_of "$1")"
}

# Service $1 runs under another number than $2.
runs_anew() {
	service_runs "$1" && [ "$(pid_of "$1")" != "$2" ]
}

pollux() {
	bounded 20 "$bin" -c "$dir/monitrc" "$@"
}

daemon_pid() {
	cat "$dir/pollux.pid" 2>/dev/null
}

daemon_runs() {
	is_running "$(daemon_pid)" && pollux status >/dev/null 2>&1
}

start_daemon() {
	bounded 30 "$bin" -c "$dir/monitrc" >"$dir/out" 2>&1
	await 20 daemon_runs
}

hang_up() {
	kill -HUP "$(daemon_pid)" 2>/dev/null
}

status_shows() {
	pollux status | grep -q -- "$1"
}

collected() {
	pollux status | grep -i 'data collected' | head -n 1
}

collected_since() {
	[ "$(collected)" != "$1" ]
}

# A whole cycle passed: services were judged twice after now.
await_cycle() {
	for _ in 1 2; do
		await_mark=$(collected)
		await 20 collected_since "$await_mark" || return 1
	done
}

# ---------------------------------------------------------------- cleaning up

running_standins() {
	cat "$dir"/*.daemon "$dir/others" 2>/dev/null
}

clean_up() {
	trap - EXIT HUP INT TERM
	if daemon=$(daemon_pid) && is_running "$daemon"; then
		kill "$daemon"
		await 10 has_ended "$daemon" || kill -9 "$daemon"
	fi
	for standin in $(running_standins); do
		kill -9 "$standin" 2>/dev/null
	done
	if [ "$system" = FreeBSD ]; then
		jail -r "$tag" 2>/dev/null
		rm -f "/usr/local/etc/rc.d/$tag"
		# shellcheck disable=SC2086 # a list of directories, the innermost first
		[ -z "$made_directories" ] || rmdir $made_directories 2>/dev/null
	fi
	rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

# ---------------------------------------------------------------- stand-ins

# A daemon that waits for ever without waking up; its arguments are its title. $1 names it, and a second one of that name
# does not start, so that a doubled start shows in the log of calls and not as two daemons.
cat >"$dir/daemon.sh" <<'END'
name=$1 dir=$2
echo $$ >"$dir/$name.daemon"
echo "$name is up"
exec 3<>"$dir/never"
read -r _ <&3
END
mkfifo "$dir/never"

# service(8) for three daemons: as rc.d scripts do, it leaves each in the background of a pipeline that holds the
# script's own stdout and stderr.
cat >"$dir/service" <<END
#!/bin/sh
dir='$dir' name=\$1 verb=\$2
case \$name in
puma) title='puma 5.6.5 [mastodon]' ;;
sidekiq) title='sidekiq 6.1.1 mastodon [0 of 25 busy]' ;;
node) title='node /srv/mastodon/streaming/index.js' ;;
esac
case \$verb in
restart) verb=start ;;
esac
echo "\$name \$verb" >>"\$dir/calls"
case \$verb in
start) /bin/sh "\$dir/daemon.sh" "\$name" "\$dir" \$title $tag | cat & ;;
stop) kill "\$(cat "\$dir/\$name.daemon")" ;;
esac
END
chmod 755 "$dir/service"
: >"$dir/calls"

write_monitrc() {
	cat >"$dir/monitrc" <<END
set daemon 1
set log $dir/log
set pidfile $dir/pollux.pid
set idfile $dir/lib/id
set statefile $dir/lib/state

check process puma matching "puma .* \\[mastodon\\] $tag"
    start program = "$dir/service puma restart" with timeout 60 seconds
    stop program = "$dir/service puma stop"
check process sidekiq matching "sidekiq .* mastodon .*$tag"
    start program = "$dir/service sidekiq restart" with timeout 60 seconds
    stop program = "$dir/service sidekiq stop"
check process node matching "mastodon/streaming/index.js $tag"
    start program = "$dir/service node restart"
    stop program = "$dir/service node stop"
END
	chmod 600 "$dir/monitrc"
}

# ---------------------------------------------------------------- control file

check_control_file() {
	write_monitrc
	expect control-file-accepted "-t refuses the file: $(pollux -t 2>&1 | tail -n 1)" pollux -t
	chmod 644 "$dir/monitrc"
	if pollux -t >/dev/null 2>&1; then
		fail control-file-mode "-t accepts a file that everyone can read"
	else
		ok control-file-mode
	fi
	chmod 600 "$dir/monitrc"
}

# ---------------------------------------------------------------- process table

check_procmatch() {
	long=$(awk 'BEGIN { for (i = 0; i < 8192; i++) printf "xxxxxxx%s", (i % 64 == 63) ? " " : "x" }')
	# shellcheck disable=SC2086 # many words are wanted: a list of 64 KiB
	/bin/sh "$dir/daemon.sh" long "$dir" $long "endmark-$tag" >/dev/null &
	echo $! >>"$dir/others"
	await 10 service_runs long
	ps -axww -o pid= -o command= | awk -v mark="endmark-$tag" '$0 ~ mark "$" { print $1 }' >"$dir/ps"
	pollux procmatch "endmark-$tag\$" >"$dir/procmatch" 2>&1
	if [ "$(cat "$dir/ps")" != "$(pid_of long)" ]; then
		skip procmatch-long-title "ps does not show the whole list of arguments"
	elif grep -qw "$(pid_of long)" "$dir/procmatch" && contains "$dir/procmatch" 'Total matches: 1$'; then
		ok procmatch-long-title
	else
		fail procmatch-long-title "64 KiB of arguments, pattern at their end: $(tail -n 1 "$dir/procmatch")"
	fi
	kill -9 "$(pid_of long)"
	rm "$dir/long.daemon"

	# A parent that matches stands for its children that match too.
	cat >"$dir/family.sh" <<END
/bin/sh "$dir/daemon.sh" child "$dir" family-$tag >/dev/null &
. "$dir/daemon.sh"
END
	/bin/sh "$dir/family.sh" parent "$dir" "family-$tag" >/dev/null &
	echo $! >>"$dir/others"
	await 10 service_runs child
	await 10 service_runs parent
	pollux procmatch "family-$tag" >"$dir/procmatch" 2>&1
	if contains "$dir/procmatch" 'Total matches: 2$' && grep -F '*' "$dir/procmatch" | grep -qw "$(pid_of parent)"; then
		ok procmatch-parent-wins
	else
		fail procmatch-parent-wins "parent $(pid_of parent), child $(pid_of child): $(tail -n 3 "$dir/procmatch")"
	fi

	# A process that was killed and not reaped matches nothing.
	/bin/sh -c "/bin/sh '$dir/daemon.sh' undead '$dir' zombie-$tag & exec 3<>'$dir/never'; read -r _ <&3" >/dev/null &
	keeper=$!
	echo $keeper >>"$dir/others"
	await 10 service_runs undead
	kill -9 "$(pid_of undead)"
	await 10 has_ended "$(pid_of undead)"
	pollux procmatch "daemon.sh undead .* zombie-$tag\$" >"$dir/procmatch" 2>&1
	if contains "$dir/procmatch" 'Total matches: 0$' || ! contains "$dir/procmatch" 'Total matches'; then
		ok procmatch-no-zombies
	else
		fail procmatch-no-zombies "$(tail -n 1 "$dir/procmatch")"
	fi

	# Every process that ps shows before and after has its place in the table. Kernel processes have their names in brackets.
	programs_of_ps >"$dir/ps"
	pollux procmatch . >"$dir/procmatch" 2>&1
	programs_of_ps >"$dir/ps.after"
	awk '{ p = substr($0, 3, 10); gsub(/ /, "", p); if (p ~ /^[0-9]+$/) print p }' "$dir/procmatch" >"$dir/found"
	missing=$(awk -v found="$dir/found" -v after="$dir/ps.after" 'BEGIN {
		while ((getline p <found) > 0) known[p] = 1
		while ((getline p <after) > 0) lasting[p] = 1
	} ($1 in lasting) && !($1 in known)' "$dir/ps" | tr '\n' ' ')
	if [ -s "$dir/found" ] && [ -z "$missing" ]; then
		ok table-complete
	else
		fail table-complete "of $(wc -l <"$dir/ps") processes these are missing: $missing"
	fi

	# What ps sees without arguments (the kernel) is no match for any pattern.
	if [ "$system" = FreeBSD ]; then
		pollux procmatch '^pagedaemon$' >"$dir/procmatch" 2>&1
		if contains "$dir/procmatch" 'Total matches: [1-9]'; then
			fail procmatch-no-kernel "a kernel process matches a pattern"
		else
			ok procmatch-no-kernel
		fi
	else
		skip procmatch-no-kernel "the names of kernel processes differ"
	fi
}

# Numbers of the processes with arguments; those of zombies and of the kernel have names in brackets.
programs_of_ps() {
	ps -ax -o pid= -o stat= -o command= | awk '$2 !~ /^Z/ && $3 !~ /^[[(<]/ && !/procmatch/ { print $1 }'
}

# ---------------------------------------------------------------- daemon

check_start() {
	if start_daemon; then
		ok daemon-starts
	else
		fail daemon-starts "$(tail -n 3 "$dir/out" "$dir/log" 2>/dev/null)"
		return 1
	fi
	for name in puma sidekiq node; do
		if await 30 service_runs $name; then
			ok "starts-$name"
		else
			fail "starts-$name" "it does not run: $(tail -n 3 "$dir/log")"
		fi
		expect "logs-death-$name" "no such line" contains "$dir/log" "'$name' process is not running"
		expect "logs-start-$name" "no such line" contains "$dir/log" "'$name' start: '$dir/service $name restart'"
		expect "logs-recovery-$name" "no such line" \
			await 20 contains "$dir/log" "'$name' process is running with pid $(pid_of $name)"
	done
}

check_command_line() {
	await_cycle
	for name in puma sidekiq node; do
		expect "status-$name" "no such service, or another pid" status_shows "pid *$(pid_of $name)\$"
	done
	expect summary "exit code, or a service is missing" sh -c "'$bin' -c '$dir/monitrc' summary | grep -q sidekiq"
	before=$(pid_of node)
	pollux stop node >/dev/null 2>&1
	expect stop "node still runs" await 20 has_ended "$before"
	await_cycle
	expect stop-lasts "node was started again" has_ended "$(pid_of node)"
	pollux start node >/dev/null 2>&1
	expect start "node does not run" await 20 runs_anew node "$before"
}

check_revival() {
	before=$(pid_of puma)
	count=$(starts puma)
	kill -9 "$before"
	if await 20 runs_anew puma "$before"; then
		ok revives-killed
	else
		fail revives-killed "puma was not started again: $(tail -n 3 "$dir/log")"
	fi
	await_cycle
	expect revives-once "started $(($(starts puma) - count)) times" started_times puma $((count + 1))

	counts="$(starts puma) $(starts sidekiq) $(starts node)"
	old_puma=$(pid_of puma) old_sidekiq=$(pid_of sidekiq) old_node=$(pid_of node)
	kill -9 "$old_puma" "$old_sidekiq" "$old_node"
	if await 20 runs_anew puma "$old_puma" && await 20 runs_anew sidekiq "$old_sidekiq" &&
		await 20 runs_anew node "$old_node"; then
		ok revives-three
	else
		fail revives-three "$(tail -n 3 "$dir/log")"
	fi
	await_cycle
	# shellcheck disable=SC2086 # three numbers
	set -- $counts
	if started_times puma $(($1 + 1)) && started_times sidekiq $(($2 + 1)) && started_times node $(($3 + 1)); then
		ok revives-three-once
	else
		fail revives-three-once "starts were $counts and are $(starts puma) $(starts sidekiq) $(starts node)"
	fi
}

check_second_daemon() {
	before=$(daemon_pid)
	bounded 20 "$bin" -I -c "$dir/monitrc" >"$dir/out" 2>&1
	code=$?
	if [ $code -ne 0 ] && [ $code -ne 124 ]; then
		ok second-daemon-refused
	else
		fail second-daemon-refused "exit code $code"
	fi
	expect second-daemon-says-why "it says nothing" test -s "$dir/out"
	if [ "$(daemon_pid)" = "$before" ] && daemon_runs; then
		ok first-daemon-unharmed
	else
		fail first-daemon-unharmed "pidfile names '$(daemon_pid)', was $before"
	fi
}

check_reload() {
	before=$(daemon_pid)
	echo 'check nonsense at all' >>"$dir/monitrc"
	lines=$(wc -l <"$dir/log")
	hang_up
	expect refused-reload-logged "nothing about nonsense in the log" await 10 contains "$dir/log" nonsense
	if is_running "$before" && [ "$(wc -l <"$dir/log")" -gt "$lines" ]; then
		ok refused-reload-survived
	else
		fail refused-reload-survived "the daemon is gone"
	fi
	write_monitrc
	expect refused-reload-keeps-checking "no service is judged any more" await_cycle
	daemon_runs || start_daemon
	mv "$dir/log" "$dir/log.old"
	hang_up
	expect reload-reopens-log "no new log file" await 10 test -s "$dir/log"
	await_cycle
	expect reload-keeps-services "puma got lost" status_shows "pid *$(pid_of puma)\$"
}

# The end of a process is heard of at once: the next cycle is an hour away.
check_exit_notice() {
	sed -e 's/^set daemon .*/set daemon 3600/' -e '/service node stop/a\
    if exited then restart' "$dir/monitrc" >"$dir/monitrc.new"
	chmod 600 "$dir/monitrc.new"
	mv "$dir/monitrc.new" "$dir/monitrc"
	mark=$(collected)
	hang_up
	await 20 collected_since "$mark"
	before=$(pid_of node)
	kill -9 "$before"
	expect exit-notice "node was not started again: $(tail -n 2 "$dir/log")" await 20 runs_anew node "$before"
	write_monitrc
	hang_up
	await_cycle
}

# The socket of the command line is for its owner alone.
check_control_socket() {
	socket=$(find "$dir/run" -type s | head -n 1)
	if [ -z "$socket" ]; then
		fail control-socket "there is none in $dir/run"
		return
	fi
	# shellcheck disable=SC2012 # stat(1) differs between systems, and the name is ours
	case $(ls -l "$socket" | cut -c 1-10) in
	srw-------) ok control-socket ;;
	*) fail control-socket "$(ls -l "$socket")" ;;
	esac
}

# What a pidfile can say, and be. Each has a service of its own: a process that was found once lives on without its pidfile.
check_pidfiles() {
	pid_of puma >"$dir/by.pid"
	pidfile_service by-pidfile "$dir/by.pid"
	for content in nothing 0 -1 99999999999 1 own fifo; do
		path=$dir/by.$content.pid
		case $content in
		nothing) : >"$path" ;;
		own) daemon_pid >"$path" ;;
		fifo) mkfifo "$path" ;;
		*) echo "$content" >"$path" ;;
		esac
		pidfile_service "by-$content" "$path"
	done
	hang_up
	expect pidfile-followed "not running" await 20 status_of by-pidfile OK
	for content in nothing 0 -1 99999999999 1 own; do
		expect "pidfile-refused-$content" "counts as running" await 20 status_of "by-$content" 'Does not exist'
	done
	expect pidfile-fifo "counts as running, or blocks the daemon" await 20 status_of by-fifo 'Does not exist'
	rm "$dir/by.pid"
	await_cycle
	expect pidfile-lost "a process that runs counts as dead" status_of by-pidfile OK
	write_monitrc
	hang_up
	await_cycle
}

pidfile_service() {
	echo "check process $1 with pidfile $2" >>"$dir/monitrc"
	echo "    if does not exist then alert" >>"$dir/monitrc"
}

# A process in a jail is told from one of the host.
check_jail() {
	{
		echo "check process in-host matching \"jailed .*$tag\$\" in jail host"
		echo "check process in-jail matching \"jailed .*$tag\$\" in jail $tag"
	} >>"$dir/monitrc"
	if [ "$system" != FreeBSD ]; then
		if pollux -t 2>&1 | grep -q 'there are no jails'; then
			ok jail-elsewhere
		else
			fail jail-elsewhere "-t accepts the name of a jail where there are none"
		fi
	fi
	if [ "$system" != FreeBSD ] || [ "$(id -u)" -ne 0 ] || [ "$(sysctl -n security.jail.jailed)" != 0 ]; then
		for fact in jail-named jail-host jail-warned; do skip $fact "no jail can be made here"; done
	else
		jail -c "name=$tag" path=/ persist
		jexec "$tag" /bin/sh "$dir/daemon.sh" jailed "$dir" "$tag" >/dev/null &
		echo $! >>"$dir/others"
		await 20 service_runs jailed
		hang_up
		expect jail-named "the process in the jail is not found" await 20 status_of in-jail OK
		expect jail-host "a process in a jail passes for one of the host" await 20 status_of in-host 'Does not exist'
		echo "check process anywhere matching \"jailed .*$tag\$\"" >>"$dir/monitrc"
		if pollux -t 2>&1 | grep -q 'in the jail with number'; then
			ok jail-warned
		else
			fail jail-warned "-t does not tell that a pattern finds a process in a jail"
		fi
		jail -r "$tag" >/dev/null 2>&1
	fi
	write_monitrc
	hang_up
	await_cycle
}

# The status of service $1 begins with $2.
status_of() {
	pollux status "$1" | grep -q "^ *status  *$2"
}

# The real rc.subr refuses a script whose variable is not set, and exits 0.
check_rc_refusal() {
	if [ ! -r "$rc_subr" ]; then
		skip rc-refusal-understood "there is no /etc/rc.subr"
		return
	fi
	mkdir -p "$dir/rc.d"
	cat >"$dir/rc.d/$tag" <<END
#!/bin/sh
. $rc_subr
name=$tag
rcvar=${tag}_enable
start_cmd="echo started"
load_rc_config \$name
: \${${tag}_enable:=NO}
run_rc_command "\$1"
END
	chmod 755 "$dir/rc.d/$tag"
	cat >>"$dir/monitrc" <<END
check process $tag matching "no-such-process-$tag"
    start program = "$dir/rc.d/$tag start" with timeout 5 seconds
END
	hang_up
	# service(8) itself finds scripts in the directories of rc.conf alone, so the script is called as service(8) would.
	if "$dir/rc.d/$tag" start 2>&1 | grep -q "${tag}_enable"; then
		expect rc-refusal-understood "the log does not name ${tag}_enable" \
			await 30 contains "$dir/log" "${tag}_enable"
	else
		fail rc-refusal-understood "rc.subr does not refuse: $("$dir/rc.d/$tag" start 2>&1 | tail -n 1)"
	fi
	write_monitrc
	hang_up
	await_cycle
}

# A base system to which no package was added may have no directory for scripts.
make_script_directory() {
	for part in /usr/local /usr/local/etc /usr/local/etc/rc.d; do
		[ -d $part ] && continue
		mkdir $part || return 1
		made_directories="$part $made_directories"
	done
}

# What service(8) does with a script of rc.d whose service is not enabled: `using service' starts it all the same.
check_using_service() {
	if [ "$system" != FreeBSD ] || [ "$(id -u)" -ne 0 ] || ! make_script_directory; then
		for fact in service-starts service-restarts service-stops; do
			skip $fact "needs root and /usr/local/etc/rc.d of FreeBSD"
		done
		return
	fi
	cat >"/usr/local/etc/rc.d/$tag" <<END
#!/bin/sh
. /etc/rc.subr
name=$tag
rcvar=${tag}_enable
pidfile=$dir/scripted.daemon
command=/bin/sh
start_cmd="/bin/sh $dir/daemon.sh scripted $dir $tag >/dev/null 2>&1 &"
load_rc_config \$name
: \${${tag}_enable:=NO}
run_rc_command "\$1"
END
	chmod 755 "/usr/local/etc/rc.d/$tag"
	echo "check process scripted matching \"daemon.sh scripted .*$tag\$\" using service $tag" >>"$dir/monitrc"
	hang_up
	expect service-starts "$(tail -n 2 "$dir/log")" await 30 service_runs scripted
	await 20 status_of scripted OK
	before=$(pid_of scripted)
	pollux restart scripted >/dev/null 2>&1
	expect service-restarts "$(tail -n 2 "$dir/log")" await 30 runs_anew scripted "$before"
	await 20 status_of scripted OK
	before=$(pid_of scripted)
	pollux stop scripted >/dev/null 2>&1
	expect service-stops "$(tail -n 2 "$dir/log")" await 30 has_ended "$before"
	rm -f "/usr/local/etc/rc.d/$tag"
	write_monitrc
	hang_up
	await_cycle
}

# The pidfile is locked as long as the daemon runs, so that others can tell.
check_pidfile_lock() {
	if command -v lockf >/dev/null; then
		set -- lockf -k -s -t 0
	elif command -v flock >/dev/null; then
		set -- flock -n
	else
		skip pidfile-lock "there is neither lockf nor flock"
		return
	fi
	if "$@" "$dir/pollux.pid" true; then
		fail pidfile-lock "somebody else can lock $dir/pollux.pid"
	else
		ok pidfile-lock
	fi
	: >"$dir/nobodys.pid"
	expect pidfile-lock-alone "$1 cannot lock a file that nobody holds" "$@" "$dir/nobodys.pid" true
}

# What the port installs besides is understood by whom it is for.
check_base_system() {
	if [ ! -r "$port/etc/newsyslog.conf.in" ]; then
		skip newsyslog "there is no $port/etc/newsyslog.conf.in"
	elif ! command -v newsyslog >/dev/null || [ "$(id -u)" -ne 0 ]; then
		skip newsyslog "needs root and newsyslog"
	else
		sed "s|%%PIDFILE%%|$dir/pollux.pid|" "$port/etc/newsyslog.conf.in" >"$dir/newsyslog.conf"
		expect newsyslog "$(newsyslog -n -f "$dir/newsyslog.conf" 2>&1 | tail -n 1)" newsyslog -n -f "$dir/newsyslog.conf"
	fi
	if [ ! -r "$port/etc/periodic.in" ] || [ ! -r /etc/defaults/periodic.conf ]; then
		skip periodic "needs /etc/defaults/periodic.conf and $port/etc/periodic.in"
		return
	fi
	mkdir -p "$dir/prefix/bin"
	cp "$bin" "$dir/prefix/bin/pollux"
	sed -e "s|%%PREFIX%%|$dir/prefix|g" -e "s|%%SYSCONFDIR%%|$dir|g" "$port/etc/periodic.in" >"$dir/periodic"
	if (daily_status_pollux_enable=YES; export daily_status_pollux_enable; sh "$dir/periodic") >"$dir/out" 2>&1 &&
		contains "$dir/out" sidekiq; then
		ok periodic
	else
		fail periodic "$(tail -n 1 "$dir/out")"
	fi
}

# Every verb of the script that rc(8) calls, for a control file of our own.
check_rc_script() {
	script=$port/sysutils/pollux/files/pollux.in
	for why in "there is no /etc/rc.subr:-r $rc_subr" "there is no $script:-r $script"; do
		# shellcheck disable=SC2086 # words of a test
		if ! test ${why##*:}; then
			skip rc-script "${why%:*}"
			return
		fi
	done
	pollux quit >/dev/null 2>&1
	mkdir -p "$dir/prefix/bin" "$dir/rc.d"
	cp "$bin" "$dir/prefix/bin/pollux"
	# Whatever rc.conf says of a pollux of this machine, that one is left alone.
	settings="pollux_enable=YES pollux_conf=$dir/monitrc pollux_flags= pollux_pidfile= pollux_oomprotect=YES pollux_svcj=NO"
	sed -e "s|%%PREFIX%%|$dir/prefix|g" -e "s|%%SYSCONFDIR%%|$dir|g" -e "s|%%PIDFILE%%|$dir/pollux.pid|g" \
		-e "s|%%RUNDIR%%|$dir/run|g" -e "s|^\. /etc/rc.subr\$|. $rc_subr|" \
		-e "s|^load_rc_config .*|&; $settings|" "$script" >"$dir/rc.d/pollux"
	chmod 755 "$dir/rc.d/pollux"
	rc start
	expect rc-start "$(tail -n 1 "$dir/out")" await 20 daemon_runs
	before=$(daemon_pid)
	if [ ! -x /usr/bin/protect ] || [ "$(id -u)" -ne 0 ] || [ "$(sysctl -n security.jail.jailed)" != 0 ]; then
		skip rc-oomprotect "there is no protect(1), or not for us"
	else
		expect rc-oomprotect "ps shows the flags $(ps_shows "$before" flags): $(tail -n 1 "$dir/out")" is_protected "$before"
	fi
	expect rc-status "it says: $(rc status; tail -n 1 "$dir/out")" rc status
	expect rc-configtest "it refuses a good file" rc configtest
	rc reload
	expect rc-reload "the log knows of none" await 20 contains "$dir/log" ' reloaded'
	echo '}{ broken' >>"$dir/monitrc"
	if rc configtest; then fail rc-configtest-broken "it accepts a broken file"; else ok rc-configtest-broken; fi
	if rc restart || [ "$(daemon_pid)" != "$before" ]; then
		fail rc-restart-broken "a broken file does not keep the daemon from being stopped"
	else
		ok rc-restart-broken
	fi
	if rc reload || [ "$(daemon_pid)" != "$before" ]; then
		fail rc-reload-broken "a broken file is handed to the daemon"
	else
		ok rc-reload-broken
	fi
	write_monitrc
	rc restart
	if await 20 daemon_runs && [ "$(daemon_pid)" != "$before" ]; then
		ok rc-restart
	else
		fail rc-restart "pidfile names '$(daemon_pid)', was $before: $(tail -n 1 "$dir/out")"
	fi
	before=$(daemon_pid)
	echo '}{ broken' >>"$dir/monitrc"
	rc stop
	expect rc-stop-broken "with a broken file it still runs: $(tail -n 1 "$dir/out")" await 20 has_ended "$before"
	write_monitrc
	daemon_runs || rc start
	await 20 daemon_runs
	before=$(daemon_pid)
	rc stop
	expect rc-stop "it still runs: $(tail -n 1 "$dir/out")" await 20 has_ended "$before"
	if rc status; then fail rc-status-stopped "it says that the daemon runs"; else ok rc-status-stopped; fi
	start_daemon
	await_cycle
}

# Process $1 is not killed when memory runs out: P_PROTECTED of <sys/proc.h>.
is_protected() {
	flags=$(ps_shows "$1" flags)
	[ $((0x${flags#0x} & 0x100000)) -ne 0 ]
}

# The exit code of a verb of the script, as service(8) would call it.
rc() {
	bounded 60 "$dir/rc.d/pollux" "$1" >"$dir/out" 2>&1
}

check_clock_step() {
	if [ $step_clock = no ]; then
		skip clock-step "only with --step-clock"
		return
	fi
	counts="$(starts puma) $(starts sidekiq) $(starts node)"
	for step in 3600 -3600; do
		set_clock $(($(date +%s) + step)) || {
			skip clock-step "the clock cannot be set"
			return
		}
		await_cycle
	done
	if [ "$counts" = "$(starts puma) $(starts sidekiq) $(starts node)" ] && status_shows "pid *$(pid_of puma)\$"; then
		ok clock-step
	else
		fail clock-step "starts were $counts and are $(starts puma) $(starts sidekiq) $(starts node)"
	fi
}

set_clock() {
	case $system in
	FreeBSD) date -f %s "$1" ;;
	*) date -s "@$1" ;;
	esac >/dev/null 2>&1
}

check_quit() {
	before=$(daemon_pid)
	echo '}{ broken' >>"$dir/monitrc"
	pollux quit >"$dir/out" 2>&1
	expect quit-with-broken-file "the daemon still runs: $(tail -n 1 "$dir/out")" await 10 has_ended "$before"
	write_monitrc
	if is_running "$before"; then
		pollux quit >/dev/null 2>&1
		await 10 has_ended "$before"
	fi
	expect quit-removes-pidfile "it is still there" test ! -e "$dir/pollux.pid"
	for name in puma sidekiq node; do
		expect "quit-leaves-$name" "it ended with the daemon" service_runs $name
	done
}

check_adoption() {
	counts="$(starts puma) $(starts sidekiq) $(starts node)"
	start_daemon
	before=$(daemon_pid)
	kill -9 "$before"
	await 10 has_ended "$before"
	expect starts-over-stale-pidfile "it does not run" start_daemon
	await_cycle
	if [ "$counts" = "$(starts puma) $(starts sidekiq) $(starts node)" ]; then
		ok restart-starts-nothing-twice
	else
		fail restart-starts-nothing-twice "starts were $counts and are $(starts puma) $(starts sidekiq) $(starts node)"
	fi
	pollux quit >/dev/null 2>&1
}

check_syslog() {
	messages=/var/log/messages
	if [ ! -r $messages ]; then
		skip syslog "$messages cannot be read"
		return
	fi
	if [ ! -S /var/run/log ] && [ ! -S /dev/log ]; then
		skip syslog "no syslogd listens"
		return
	fi
	sed "s|^set log .*|set log syslog facility log_daemon|" "$dir/monitrc" >"$dir/monitrc.new"
	{
		echo "check process syslog-$tag matching \"no-such-process-$tag\""
		echo "    if does not exist then alert"
	} >>"$dir/monitrc.new"
	chmod 600 "$dir/monitrc.new"
	mv "$dir/monitrc.new" "$dir/monitrc"
	start_daemon
	expect syslog "no line in $messages: $(tail -n 1 "$dir/out")" await 20 contains $messages "syslog-$tag"
	pollux quit >/dev/null 2>&1
	write_monitrc
}

# ---------------------------------------------------------------- readings

# The value of line $2 in the status of service $1; nothing when there is no such line.
reading() {
	pollux status "$1" 2>/dev/null | sed -n "s/^  $(printf %-28s "$2") //p" | head -n 1
}

# A size such as "3.5 MB" at the beginning of $1, in KiB.
kibibytes() {
	echo "$1" | awk '{ factor["B"] = 1 / 1024; factor["kB"] = 1; factor["MB"] = 1024; factor["GB"] = 1048576
		factor["TB"] = 1073741824; if ($2 in factor) printf "%d\n", $1 * factor[$2] }'
}

# Numbers $1 and $2 differ by at most $3 percent, or by at most $4.
near() {
	awk -v a="$1" -v b="$2" -v percent="$3" -v slack="$4" 'BEGIN {
		if (a !~ /^[0-9.]+$/ || b !~ /^[0-9.]+$/) exit 1
		difference = a > b ? a - b : b - a
		exit !(difference <= slack || difference * 100 <= percent * b)
	}'
}

# compare NAME SERVICE LABEL SED-EXPRESSION ACTUAL [PERCENT SLACK]: what the expression leaves of the line is what a tool of
# the system says, or near it. Sizes are compared in KiB.
compare() {
	compare_value=$(reading "$2" "$3")
	if [ -z "$compare_value" ]; then
		skip "$1" "the status has no line '$3'"
		return
	fi
	if [ -z "$5" ]; then
		skip "$1" "no tool tells"
		return
	fi
	compare_value=$(echo "$compare_value" | sed "$4")
	case $compare_value in
	*[0-9]' '[kMGT]B | *[0-9]' B') compare_value=$(kibibytes "$compare_value") ;;
	esac
	if [ "$compare_value" = "$5" ] || { [ $# -gt 5 ] && near "$compare_value" "$5" "$6" "$7"; }; then
		ok "$1"
	else
		fail "$1" "pollux says '$compare_value', the system says '$5'"
	fi
}

# A time such as "1d 6h 42m", in minutes.
minutes() {
	echo "$1" | awk '{ factor["d"] = 1440; factor["h"] = 60; factor["m"] = 1
		for (i = 1; i <= NF; i++) sum += substr($i, 1, length($i) - 1) * factor[substr($i, length($i))]
		print sum + 0 }'
}

# As compare, of times in minutes, which may differ by two.
compare_minutes() {
	compare_value=$(reading "$2" "$3")
	if [ -z "$compare_value" ] || [ -z "$4" ]; then
		skip "$1" "no line '$3' in the status, or no tool tells"
	elif near "$(minutes "$compare_value")" "$4" 0 2; then
		ok "$1"
	else
		fail "$1" "pollux says '$compare_value', the system says $4 minutes"
	fi
}

# The line $2 of service $1 matches the extended regular expression $3.
reading_is() {
	reading "$1" "$2" | grep -E -q -- "$3"
}

# Column $2 of ps for process $1.
ps_shows() {
	ps -o "$2=" -p "$1" | tr -d ' '
}

# What FreeBSD's $1 or else Linux's $2 prints.
on() {
	case $system in
	FreeBSD) sh -c "$1" 2>/dev/null ;;
	*) sh -c "$2" 2>/dev/null ;;
	esac | head -n 1
}

check_readings() {
	loopback=$(on 'echo lo0' 'echo lo')
	outward=$(on "route -n get default | awk '/interface:/ { print \$2 }'" "awk '\$2 == \"00000000\" { print \$1 }' /proc/net/route")
	/bin/sh -c "while :; do :; done # burn-$tag" &
	burner=$!
	echo $burner >>"$dir/others"
	echo hello >"$dir/readings.file"
	chmod 640 "$dir/readings.file"
	cat >>"$dir/monitrc" <<END
check process readings-puma matching "puma .* \\[mastodon\\] $tag"
    if does not exist then alert
    if filedescriptors > 100000 then alert
    if children > 100000 then alert
    if total memory > 99% then alert
    if cpu > 99% then alert
check file readings-file path "$dir/readings.file"
    if failed permission 640 then alert
    if failed md5 checksum then alert
    if size > 1 GB then alert
check filesystem readings-root path /
    if space usage > 99% then alert
    if inode usage > 99% then alert
    if service time > 1000 seconds then alert
check network readings-loopback interface $loopback
    if upload > 100 GB/s then alert
check network readings-outward interface ${outward:-$loopback}
    if upload > 100 GB/s then alert
check process readings-burner matching "burn-$tag"
    if cpu > 99.9% then alert
check system readings-system
    if memory usage > 99% then alert
    if swap usage > 99% then alert
    if filedescriptors > 99% then alert
END
	own_group=$(id -gn nobody 2>/dev/null)
	if [ "$(id -u)" -eq 0 ] && [ -n "$own_group" ]; then
		cat >>"$dir/monitrc" <<END
check program readings-nobody path "/usr/bin/id" as uid nobody and gid $own_group
    if status != 0 then alert
END
	fi
	if pollux -t 2>&1 | grep -q 'does not run'; then
		skip readings "this release does not run $(pollux -t 2>&1 | sed -n "s/.*does not run \('[^']*'\).*/\1/p" | head -n 1)"
		kill -9 $burner
		write_monitrc
		return
	fi
	hang_up
	await 20 status_of readings-puma OK
	await_cycle

	pid=$(pid_of puma)
	compare reading-ppid readings-puma 'parent pid' '' "$(ps_shows "$pid" ppid)"
	compare reading-uid readings-puma 'uid' '' "$(ps_shows "$pid" ruid)"
	compare reading-euid readings-puma 'effective uid' '' "$(ps_shows "$pid" uid)"
	compare reading-gid readings-puma 'gid' '' "$(ps_shows "$pid" rgid)"
	compare reading-threads readings-puma 'threads' '' "$(ps_shows "$pid" nlwp)"
	compare reading-children readings-puma 'children' '' "$(ps -ax -o ppid= | awk -v p="$pid" '$1 == p' | wc -l | tr -d ' ')"
	# Linux counts pages for each processor and adds them up now and then.
	compare reading-memory readings-puma 'memory' 's/.*\[//; s/\]//' "$(ps_shows "$pid" rss)" 10 "$(on 'echo 64' 'echo 1024')"
	compare reading-descriptors readings-puma 'filedescriptors' 's/ .*//' \
		"$(on "procstat -f $pid | awk '\$3 ~ /^[0-9]+\$/' | wc -l | tr -d ' '" "ls /proc/$pid/fd | wc -l")"
	compare reading-descriptor-limit readings-puma 'filedescriptors' 's/.* of \([0-9]*\) limit.*/\1/' \
		"$(on "procstat -l $pid | awk '\$3 == \"openfiles\" { print \$4 }'" "awk '/^Max open files/ { print \$4 }' /proc/$pid/limits")"
	compare reading-disk-reads readings-puma 'disk read operations' 's/.*\[\([0-9]*\) reads.*/\1/' \
		"$(on "procstat -r $pid | awk '/block (reads|input)/ { print \$NF }'" "awk '/^syscr/ { print \$2 }' /proc/$pid/io")"

	compare reading-disk-writes readings-puma 'disk write operations' 's/.*\[\([0-9]*\) writes.*/\1/' \
		"$(on "procstat -r $pid | awk '/block (writes|output)/ { print \$NF }'" "awk '/^syscw/ { print \$2 }' /proc/$pid/io")"
	compare reading-total-memory readings-puma 'memory total' 's/.*\[//; s/\]//' "$(ps_shows "$pid" rss)" 10 "$(on 'echo 64' 'echo 1024')"
	compare_minutes reading-uptime readings-puma uptime "$(ps -o etimes= -p "$pid" | awk '{ printf "%d\n", $1 / 60 }')"
	expect reading-cpu-time "'$(reading readings-burner cpu)' of a process that does nothing but work" \
		await 20 reading_is readings-burner cpu '[1-9]'
	kill -9 $burner

	compare reading-file-mode readings-file permission 's/^0//' 640
	compare reading-file-size readings-file size 's/ B$//' 6
	compare reading-file-owner readings-file uid '' "$(id -u)"
	compare reading-checksum readings-file checksum 's/ .*//' \
		"$(on "md5 -q '$dir/readings.file'" "md5sum '$dir/readings.file' | sed 's/ .*//'")"

	# Without the groups of root. Whether a list of groups repeats the user's own differs between releases.
	alone="s/ groups=$(id -g nobody 2>/dev/null)([^)]*)\$//"
	compare program-as-nobody readings-nobody 'last output' "$alone" "$(id nobody 2>/dev/null | sed "$alone")"

	df -k / | tail -n 1 >"$dir/df"
	# Sizes have one digit behind the point: 1.0 GB may be 5 percent more.
	compare reading-space readings-root 'space total' 's/ (.*//' "$(awk '{ print $2 }' "$dir/df")" 5 0
	compare reading-space-available readings-root 'space free for non superuser' 's/ \[.*//' \
		"$(awk '{ print $4 }' "$dir/df")" 6 1024
	compare reading-inodes readings-root 'inodes total' '' "$(on \
		"df -i / | awk 'NR == 2 { print \$6 + \$7 }'" "df -i / | awk 'NR == 2 { print \$2 }'")" 1 1000
	compare reading-fstype readings-root 'filesystem type' '' "$(on \
		"mount -p | awk '\$2 == \"/\" { print \$3 }'" "awk '\$2 == \"/\" { print \$3 }' /proc/mounts | tail -n 1")"
	compare reading-fsflags readings-root 'filesystem flags' '' "$(on \
		"mount | sed -n 's/^.* on \\/ ([^,]*, \\(.*\\))\$/\\1/p'" "awk '\$2 == \"/\" { print \$4 }' /proc/mounts | tail -n 1")"
	if [ -n "$(reading readings-root 'disk read operations')" ]; then
		expect reading-disk "no numbers" sh -c "'$bin' -c '$dir/monitrc' status readings-root |
			grep -q 'disk read operations .*\\[[0-9]* reads total\\]'"
	else
		skip reading-disk "the status has no line 'disk read operations'"
	fi

	compare reading-load readings-system 'load average' 's/^\[\([0-9.]*\)\].*/\1/' \
		"$(on "sysctl -n vm.loadavg | awk '{ print \$2 }'" "awk '{ print \$1 }' /proc/loadavg")" 20 0.5
	compare reading-system-memory readings-system 'memory usage' 's/ \[.*//' "$(on \
		"sysctl -n vm.stats.vm.v_active_count vm.stats.vm.v_wire_count hw.pagesize kstat.zfs.misc.arcstats.size |
			awk '{ n[NR] = \$1 } END { printf \"%d\\n\", ((n[1] + n[2]) * n[3] - n[4]) / 1024 }'" \
		"awk '/^MemTotal/ { t = \$2 } /^MemAvailable/ { print t - \$2 }' /proc/meminfo")" 10 65536
	compare reading-swap readings-system 'swap usage' 's/ \[.*//' "$(on \
		"swapinfo -k | awk 'NR > 1 && \$1 != \"Total\" { used += \$3 } END { print used + 0 }'" \
		"awk '/^SwapTotal/ { t = \$2 } /^SwapFree/ { print t - \$2 }' /proc/meminfo")" 10 1024
	compare reading-open-files readings-system 'filedescriptors' 's/ .*//' \
		"$(on 'sysctl -n kern.openfiles' 'cut -f 1 /proc/sys/fs/file-nr')" 30 200
	compare reading-most-files readings-system 'filedescriptors' 's/.* of \([0-9]*\) limit.*/\1/' \
		"$(on 'sysctl -n kern.maxfiles' 'cut -f 3 /proc/sys/fs/file-nr')"
	boot=$(on "sysctl -n kern.boottime | sed 's/.*{ sec = \\([0-9]*\\).*/\\1/'" "awk '/^btime/ { print \$2 }' /proc/stat")
	compare reading-boot-time readings-system 'boot time' '' \
		"$(on "date -r $boot '+%a, %d %b %Y %H:%M:%S'" "date -d @$boot '+%a, %d %b %Y %H:%M:%S'")"
	compare_minutes reading-system-uptime readings-system uptime "$((($(date +%s) - boot) / 60))"
	compare reading-cpu-kinds readings-system 'cpu' 's/^[0-9.]*%usr .*/%usr/' '%usr'
	compare reading-link-errors readings-loopback 'link' 's/ errors//' "$(on \
		"netstat -i -b -n -I $loopback | awk '/<Link/ { print \$(NF - 6) + \$(NF - 2) }'" \
		"awk '\$1 == \"$loopback:\" { print \$4 + \$12 }' /proc/net/dev")"

	if command -v ping >/dev/null; then
		ping -c 10 127.0.0.1 >/dev/null 2>&1 &
		expect reading-link-bytes "no traffic on $loopback while ping(8) sends: $(reading readings-loopback 'upload bytes')" \
			await 10 reading_is readings-loopback 'upload bytes' '^[1-9]|^0\.[0-9]*[1-9]'
		expect reading-link-packets "no packets" await 10 reading_is readings-loopback 'upload packets' '^[1-9]'
		wait $!
	else
		skip reading-link-bytes "there is no ping"
		skip reading-link-packets "there is no ping"
	fi
	expect reading-link "'$(reading readings-outward link)' although packets go out there" \
		reading_is readings-outward link 'errors$'
	if [ -n "$outward" ] && ifconfig "$outward" 2>/dev/null | grep -q 'media:.*<.*-duplex'; then
		compare reading-duplex readings-outward capacity 's/.* //' \
			"$(ifconfig "$outward" | sed -E -n 's/.*media:.*<.*(full-duplex|half-duplex).*/\1/p')"
	else
		skip reading-duplex "ifconfig shows none"
	fi

	write_monitrc
	hang_up
	await_cycle
}

check_control_file
check_procmatch
if check_start; then
	check_command_line
	check_revival
	check_second_daemon
	check_reload
	check_exit_notice
	check_control_socket
	check_pidfiles
	check_readings
	check_pidfile_lock
	check_jail
	check_base_system
	check_rc_refusal
	check_using_service
	check_rc_script
	check_clock_step
	check_quit
	check_adoption
	check_syslog
fi
[ $failures -eq 0 ]
