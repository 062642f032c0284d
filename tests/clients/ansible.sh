#!/bin/sh
# ansible.sh : Ansible's module community.general.monit in all its states. Called by run.sh.
set -u

ANSIBLE_COLLECTIONS_PATH=$STORE/collections ANSIBLE_HOME=$DIR/ansible ANSIBLE_LOCALHOST_WARNING=False
ANSIBLE_INVENTORY_UNPARSED_WARNING=False ANSIBLE_NOCOLOR=1
ANSIBLE_PYTHON_INTERPRETER=$STORE/venv/bin/python
export ANSIBLE_COLLECTIONS_PATH ANSIBLE_HOME ANSIBLE_LOCALHOST_WARNING ANSIBLE_INVENTORY_UNPARSED_WARNING ANSIBLE_NOCOLOR \
    ANSIBLE_PYTHON_INTERPRETER
unset PYTHONPATH

# state NAME STATE : what the module says of it, in $said; 0 if it succeeded
state() {
    said=$("$STORE/venv/bin/ansible" localhost -c local -m community.general.monit -a "name=$1 state=$2 timeout=60" 2>&1)
}
pid() { cat "$DIR/run/$1.pid" 2>/dev/null; }
lives() { [ -n "$(pid "$1")" ] && kill -0 "$(pid "$1")" 2>/dev/null; }
is() { monit -B status "$1" | grep -q "^  status  *$2\$"; }
verdict() {
    if [ "$1" = 0 ]; then echo "ok Ansible: $2"; else echo "FAIL Ansible: $2: $said"; fi
}

state web present
verdict $? present
state nobody started
[ $? != 0 ]
verdict $? 'a service that is not there is a failure'

for round in 1 2 3; do
    before=$(pid web)
    state web restarted && lives web && [ "$(pid web)" != "$before" ]
    verdict $? "restarted ($round)"
done
before=$(pid slow)
state slow restarted && lives slow && [ "$(pid slow)" != "$before" ] && is slow OK
verdict $? 'restarted, and what takes its time is waited for'

state web stopped
verdict $? stopped
monit stop web --wait
! lives web && is web 'Not monitored'
verdict $? 'stopped, and it does not run'
state web stopped
verdict $? 'stopped, which it is'
state web started
verdict $? started
monit start web --wait
lives web
verdict $? 'started, and it runs'
before=$(pid web)
state web started && [ "$(pid web)" = "$before" ]
verdict $? 'started, which it is'
state web unmonitored && lives web && is web 'Not monitored'
verdict $? unmonitored
state web monitored && ! is web 'Not monitored'
verdict $? monitored
state web reloaded && case $said in *reloaded*) true ;; *) false ;; esac
verdict $? reloaded
