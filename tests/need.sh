#!/bin/sh
# need.sh THING ... : makes sure that a target of the Makefile finds what it needs. Silent when everything is there; what
# is missing is installed by apt on Debian as root, elsewhere the package and the command are named.
#
#   rust    cargo and rustc          fmt clippy   cargo's subcommands      bmake   the BSD make
#   cc      a C compiler that links  mandoc       formats manual pages     venv    python3 with venv and pip
#   ps      lists processes          monit      the original, to compare with
#   openssl its headers, libraries   ip    makes networks for cases
#   chromium  a browser to test with     python   python3
set -u

packages=
for thing; do
    case $thing in
    rust)
        if ! command -v cargo >/dev/null 2>&1 || ! command -v "${RUSTC:-rustc}" >/dev/null 2>&1; then
            echo "need: cargo and rustc, version 1.88 or later, are missing." >&2
            echo "      FreeBSD: pkg install rust   elsewhere: https://rustup.rs" >&2
            exit 1
        fi ;;
    cc)
        # rustc links through cc; a compiler without the C library's start files is not enough
        echo 'int main(void) { return 0; }' | cc -x c -o /dev/null - >/dev/null 2>&1 || packages="$packages gcc libc6-dev" ;;
    fmt | clippy)
        component=$thing
        [ "$thing" != fmt ] || component=rustfmt
        if ! cargo "$thing" --version >/dev/null 2>&1; then
            if command -v rustup >/dev/null 2>&1; then
                rustup component add "$component" || exit 1
            else
                echo "need: cargo $thing is missing; it is part of the Rust tools ($component)." >&2
                exit 1
            fi
        fi ;;
    openssl)
        # FreeBSD has them in base; elsewhere they are found with pkg-config
        if [ "$(uname -s)" = FreeBSD ]; then
            [ -f /usr/include/openssl/ssl.h ] || packages="$packages openssl"
        elif [ -z "${OPENSSL_DIR:-}" ] && ! pkg-config --exists openssl 2>/dev/null; then
            packages="$packages libssl-dev pkg-config"
        fi ;;
    ps)
        command -v ps >/dev/null 2>&1 || packages="$packages procps" ;;
    mandoc | bmake | monit)
        command -v "$thing" >/dev/null 2>&1 || packages="$packages $thing" ;;
    chromium)
        command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 ||
            command -v google-chrome >/dev/null 2>&1 || command -v chrome >/dev/null 2>&1 ||
            packages="$packages chromium" ;;
    python)
        command -v python3 >/dev/null 2>&1 || packages="$packages python3" ;;
    ip)
        command -v ip >/dev/null 2>&1 || packages="$packages iproute2" ;;
    venv)
        python3 -c 'import venv, ensurepip' >/dev/null 2>&1 || packages="$packages python3 python3-venv" ;;
    *)
        echo "need.sh: no such thing: $thing" >&2
        exit 2 ;;
    esac
done
[ -n "$packages" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "need: installing$packages" >&2
    DEBIAN_FRONTEND=noninteractive
    export DEBIAN_FRONTEND
    # shellcheck disable=SC2086 # a list of words
    apt-get install -y -q --no-install-recommends $packages </dev/null ||
        { apt-get update -q </dev/null && apt-get install -y -q --no-install-recommends $packages </dev/null; } && exit 0
    echo "need: apt-get could not install$packages" >&2
    exit 1
fi
case $(uname -s) in
FreeBSD) echo "need: missing:$packages; part of FreeBSD's base system or to be had by: pkg install$packages" >&2 ;;
*) echo "need: missing:$packages; as root: apt-get install$packages" >&2 ;;
esac
exit 1
