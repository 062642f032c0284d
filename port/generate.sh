#!/bin/sh
# generate.sh [DIR [DISTFILE]] : writes the port's Makefile.crates and distinfo to DIR (default: the port itself) from
# Cargo.lock: names, versions and SHA256 stand there; sizes come from the crates in cargo's cache, which
# `cargo fetch --locked` fills. With DISTFILE, the release as `make port` packs it, distinfo has its lines too, which it
# lacks in the project itself: a file cannot hold its own checksum.
#
# TIMESTAMP of distinfo stays as it is unless something else changes.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
lock=$here/../Cargo.lock
to=${1:-$here/sysutils/pollux}
distfile=${2:-}
cache=${CARGO_HOME:-$HOME/.cargo}/registry/cache
new=$(mktemp -d "${TMPDIR:-/tmp}/pollux-port.XXXXXX")
trap 'rm -rf "$new"' EXIT

fail() { printf 'generate.sh: %s\n' "$*" >&2; exit 1; }

# "NAME-VERSION SHA256" of each package that comes from a registry, in the order of Cargo.lock.
crates() {
    awk -F '"' '
        /^\[\[package\]\]/ { name = version = "" }
        /^name = /         { name = $2 }
        /^version = /      { version = $2 }
        /^checksum = /     { print name "-" version, $2 }' "$lock"
}

size() { wc -c <"$1" | tr -d ' '; }

# sha256sum on Linux, sha256 on FreeBSD.
sum() { { sha256 -q "$1" 2>/dev/null || sha256sum "$1"; } | cut -d ' ' -f 1; }

crates >"$new/crates"
[ -s "$new/crates" ] || fail "$lock names no crates"

awk '{ line[NR] = $1 } END {
    for (i = 1; i <= NR; i++)
        printf "%s%s%s\n", i == 1 ? "CARGO_CRATES=\t" : "\t\t", line[i], i < NR ? " \\" : ""
}' "$new/crates" >"$new/Makefile.crates"

: >"$new/lines"
if [ -n "$distfile" ]; then
    name=${distfile##*/}
    printf 'SHA256 (%s) = %s\nSIZE (%s) = %s\n' "$name" "$(sum "$distfile")" "$name" "$(size "$distfile")" >>"$new/lines"
fi
while read -r crate checksum; do
    file=
    for found in "$cache"/*/"$crate.crate"; do [ -f "$found" ] && file=$found; done
    [ -n "$file" ] || fail "$crate is not in $cache; run: cargo fetch --locked"
    name=rust/crates/$crate.crate
    printf 'SHA256 (%s) = %s\nSIZE (%s) = %s\n' "$name" "$checksum" "$name" "$(size "$file")" >>"$new/lines"
done <"$new/crates"

mkdir -p "$to"
if ! sed 1d "$to/distinfo" 2>/dev/null | cmp -s - "$new/lines"; then
    { echo "TIMESTAMP = $(date +%s)"; cat "$new/lines"; } >"$new/distinfo"
    cp "$new/distinfo" "$to/distinfo"
fi
cmp -s "$new/Makefile.crates" "$to/Makefile.crates" || cp "$new/Makefile.crates" "$to/Makefile.crates"
