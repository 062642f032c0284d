#!/bin/sh
# monit.sh : Monit's own command line, where it is installed, asks and drives a pollux as it would its own daemon. Called by
# run.sh.
set -u

monit=
for place in /usr/bin/monit /usr/local/bin/monit; do
    case $($place -V 2>/dev/null) in "This is Monit "*) monit=$place ;; esac
done
[ -n "$monit" ] || { echo 'skipped monit: Monit is not installed'; exit 0; }

# ask FACT EXPECTED ARGUMENT... : the exit code and the first three lines of what it prints, blanks pressed together
ask() {
    fact=$1 expected=$2
    shift 2
    answer=$("$monit" -c "$DIR/.monitrc" "$@" 2>&1)
    code=$?
    answer="$code: $(echo "$answer" | head -3 | tr -s ' \n' ' ')"
    case $answer in
    $expected) echo "ok monit: $fact" ;;
    *) echo "FAIL monit: $fact: $answer" ;;
    esac
}
ask 'status' "0: Monit * Process 'web' *" status web
ask 'status of nobody' "1: Service 'nobody' not found*" status nobody
ask 'summary' '0: Monit * uptime: * Service Name Status Type *' -B summary
ask 'summary of a group' '0: *db*' -B -g store summary
ask 'report' '0: up: *' report
ask 'unmonitor' '0:  ' unmonitor db
ask 'monitor' '0:  ' monitor db
ask 'an action on nobody' '1: There is no service named "nobody"*' restart nobody
ask 'an action on no group' "1: Group 'nobody' not found*" -g nobody restart
