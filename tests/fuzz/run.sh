#!/bin/sh
# run.sh TARGET SECONDS [CORPUS-DIRECTORY ...]: runs one fuzz target, or all in turn. What it learns stays in
# target/fuzz/corpus, a finding is kept in target/fuzz/artifacts. One worker, the stable compiler.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
target=$1 seconds=$2
shift 2
home=$top/target/fuzz

if ! command -v cargo-fuzz >/dev/null 2>&1; then
    echo "fuzz: cargo-fuzz is missing: cargo install cargo-fuzz" >&2
    exit 1
fi
if [ "$target" = all ]; then
    for target in parse round_trip ere; do "$0" "$target" "$seconds" "$@"; done
    exit
fi

mkdir -p "$home/corpus/$target" "$home/artifacts/$target"
# The words that the parser's sources name, each alone.
grep -oh '"[a-z][a-z0-9-]*"' "$top"/src/syntax/*.rs | sort -u > "$home/words.dict"
case $target in
ere) seeds=$top/tests/fuzz/seeds/ere dictionary=$top/tests/fuzz/ere.dict length=160 ;;
*) seeds=$top/tests/fuzz/seeds/monitrc dictionary=$home/words.dict length=4096 ;;
esac

# No sanitizer: the targets have no unsafe code but the call of regexec(3), and the stable compiler needs none.
cd "$top"
exec cargo fuzz run --fuzz-dir tests/fuzz --target-dir "$home/build" -s none --release --debug-assertions "$target" \
    "$home/corpus/$target" "$seeds" "$@" -- \
    -dict="$dictionary" -max_len="$length" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
    -artifact_prefix="$home/artifacts/$target/" -print_final_stats=1
