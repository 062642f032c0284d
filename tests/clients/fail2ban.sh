#!/bin/sh
# fail2ban.sh : Debian's filter `monit` finds in our log whoever fails to log in, and nobody else. Called by run.sh.
set -u

get() { curl -s -o /dev/null "$@" "$URL/_ping"; }
if command -v curl >/dev/null 2>&1; then
    get                          # a first request without a name is no attack
    get -u 'admin:monit'
    get -u 'nobody:x'
    get -u 'admin:wrong'
    get -u 'admin:'
    curl -s -o /dev/null -u admin:monit -d action=stop "$URL/web" # no token
else
    echo "FAIL fail2ban: curl is needed"
    exit 1
fi
# Time zones: the filter's dates are those of the log.
found=$(PYTHONPATH=$STORE/fail2ban/usr/lib/python3/dist-packages python3 -W ignore "$STORE/fail2ban/usr/bin/fail2ban-regex" \
    -c "$STORE/fail2ban/etc/fail2ban" --print-all-matched "$DIR/log" "$STORE/fail2ban/etc/fail2ban/filter.d/monit.conf" 2>&1)
case $found in
*' matched, '*) ;;
*) echo "FAIL fail2ban: fail2ban-regex does not run: $found"; exit 1 ;;
esac
matched=$(echo "$found" | sed -n 's/^Lines: .* \([0-9]*\) matched, .*/\1/p')
lines=$(echo "$found" | grep '^|  \[')
expected=$(grep -c "access denied -- client .* user '[a-z]" "$DIR/log")
if [ "$matched" = "$expected" ] && [ "$expected" -ge 3 ]; then
    echo 'ok fail2ban: each attempt is found, and no other line'
else
    echo "FAIL fail2ban: $matched lines are found of $expected: $lines"
fi
for part in "unknown user 'nobody'" "wrong password for user 'admin'"; do
    case $lines in
    *"$part"*) echo "ok fail2ban: $part" ;;
    *) echo "FAIL fail2ban: $part: $lines" ;;
    esac
done
