#!/bin/sh
# run.sh [N]: puts the mistakes of list.tsv (or the N-th alone) one by one into a copy of the tree; each must be found by
# the unit tests of the core or by the simulator.
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
copy=$top/target/mutants/tree
log=$top/target/mutants/log
tab=$(printf '\t')
mkdir -p "$copy" "$log"
CARGO_TARGET_DIR=$top/target/mutants/build CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_DEV_DEBUG=false
export CARGO_TARGET_DIR CARGO_PROFILE_DEV_OPT_LEVEL CARGO_PROFILE_DEV_DEBUG

# Writes the file with the first place of one text replaced by another; fails when there is none.
mutate() {
    OLD=$2 NEW=$3 awk 'BEGIN { old = ENVIRON["OLD"]; new = ENVIRON["NEW"] }
        !done && (at = index($0, old)) { $0 = substr($0, 1, at - 1) new substr($0, at + length(old)); done = 1 }
        { print } END { exit !done }' "$top/$1" > "$copy/$1"
}

killed() {
    # A mistake may keep them from ending, which is found, too.
    timeout 300 cargo test -q --locked --lib -- action:: event:: > "$log/$1" 2>&1 || { echo 'unit tests'; return; }
    timeout 300 cargo test -q --locked --test simulate > "$log/$1" 2>&1 || { echo simulator; return; }
}

(cd "$top" && tar cf - Cargo.toml Cargo.lock src tests man monitrc.sample) | (cd "$copy" && tar xf -)
(cd "$copy" && cargo test -q --locked --lib --test simulate --no-run) || exit 1

number=0 survivors=0
while IFS=$tab read -r file old new reason; do
    case $file in '#'*) continue ;; esac
    number=$((number + 1))
    [ $# = 0 ] || [ "$1" = "$number" ] || continue
    if ! mutate "$file" "$old" "$new"; then
        echo "$number: $file has no such text any more: $old" >&2
        exit 1
    fi
    if ! (cd "$copy" && cargo test -q --locked --lib --no-run) > "$log/$number" 2>&1; then
        echo "$number: does not compile: $reason" >&2
        exit 1
    fi
    by=$(cd "$copy" && killed "$number")
    [ -n "$by" ] || survivors=$((survivors + 1))
    echo "$number ${by:-SURVIVES}: $reason"
    cp "$top/$file" "$copy/$file"
done < "$top/tests/mutants/list.tsv"
echo "$survivors survive"
[ "$survivors" = 0 ]
