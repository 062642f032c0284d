#!/bin/sh
# pack.sh DIR : the port with everything that it needs, in DIR: distfiles/pollux-VERSION.tar.gz, the sources as
# `cargo package` chooses them, and sysutils/pollux, whose distinfo has the checksum of that file. Uncommitted changes are
# packed too.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
to=$(cd "$1" && pwd)
cd "$here/.."
version=$(awk -F '"' '/^version = / { print $2; exit }' Cargo.toml)

rm -rf "$to/sysutils" "$to/distfiles" "$to/package"
mkdir -p "$to/sysutils" "$to/distfiles"
cargo package -q --locked --offline --no-verify --allow-dirty --target-dir "$to"
mv "$to/package/pollux-$version.crate" "$to/distfiles/pollux-$version.tar.gz"
cp -R port/sysutils/pollux "$to/sysutils/pollux"
sh port/generate.sh "$to/sysutils/pollux" "$to/distfiles/pollux-$version.tar.gz"
echo "the port is in $to/sysutils/pollux, its distfile in $to/distfiles"
