#!/bin/sh
# cross.sh : structures against FreeBSD's headers, type check, clippy and link for FreeBSD. On FreeBSD itself with the machine's own tools; on Linux with a cross
# toolchain that is made once and kept outside the checkout, from Debian's packages, PyPI and crates.io alone:
#
#   rustc, clippy and the sources of std  Debian's rustc-web packages, unpacked, not installed
#   std for x86_64-unknown-freebsd        built here from those sources
#   linker and FreeBSD's libc stubs       zig, a PyPI package
#   OpenSSL of FreeBSD 15's base system   headers with its version and libraries of empty functions, made here from the
#                                         lists of names in the openssl-src crate
#
# cross.sh setup : only makes the toolchain. Afterwards `. DIR/env` gives a shell RUSTC, the linker and fbsd_clippy.
# cross.sh release static : target/freebsd/static/pollux, which has OpenSSL in it and asks for the C library alone. OpenSSL is
#   compiled once, from the openssl-src crate, which takes perl, make and some minutes.
# cross.sh release base : target/freebsd/base/pollux, which asks for the OpenSSL of FreeBSD 15's base system.
# cross.sh tests : links all tests; they are run on FreeBSD.
# DIR is ${XDG_CACHE_HOME:-$HOME/.cache}/pollux-freebsd; about 1 GB and two minutes. Its `env` is written last, so a
# toolchain that was interrupted is made anew.
set -eu

here=$(cd "$(dirname "$0")/../.." && pwd)
target=x86_64-unknown-freebsd
dir=${XDG_CACHE_HOME:-$HOME/.cache}/pollux-freebsd

say() { printf 'freebsd: %s\n' "$*"; }
fail() { printf 'freebsd: %s\n' "$*" >&2; exit 1; }

# The one dependency of package $1 whose name matches $2.
dependency() {
    apt-cache depends "$1" | sed -n "s/^ *Depends: \\($2\\)\$/\\1/p" | sort -u | tail -n 1
}

fetch_rust() {
    for tool in apt-get apt-cache dpkg-deb; do
        command -v $tool >/dev/null || fail "the cross toolchain needs Debian's $tool"
    done
    if [ -z "$(apt-cache madison rustc-web 2>/dev/null)" ] && [ "$(id -u)" = 0 ]; then apt-get update -q; fi
    std=$(dependency rustc-web 'libstd-rust-web-[0-9.]*')
    [ -n "$std" ] || std=$(dependency libstd-rust-web-dev 'libstd-rust-web-[0-9.]*')
    [ -n "$std" ] || fail 'apt offers no rustc-web package; as root: apt-get update'
    llvm=$(dependency "$std" 'libllvm[0-9.]*')
    mkdir -p "$dir/packages" "$dir/root"
    # apt's sandbox user cannot write here, which apt mentions and gets over
    cd "$dir/packages"
    apt-get download -q rustc-web libstd-rust-web-dev rust-web-src rust-web-clippy "$std" ${llvm:+"$llvm"} 2>"$dir/apt.log" ||
        { cat "$dir/apt.log" >&2; fail 'cannot download the packages'; }
    cd "$here"
    for package in "$dir"/packages/*.deb; do dpkg-deb -x "$package" "$dir/root"; done
}

fetch_zig() {
    python3 -m venv "$dir/v"
    "$dir/v/bin/pip" install -q --disable-pip-version-check ziglang
}

write_linker() {
    cat >"$dir/linker" <<'END'
#!/bin/sh
# The libc crate asks for libraries of which zig has no stubs and of which nothing is used: they are left out.
d=$(cd "$(dirname "$0")" && pwd)
for word; do
    shift
    case $word in -lkvm | -lmemstat | -lprocstat | -ldevstat) ;; *) set -- "$@" "$word" ;; esac
done
ZIG_GLOBAL_CACHE_DIR=${ZIG_GLOBAL_CACHE_DIR:-$d/zig-cache} ZIG_LOCAL_CACHE_DIR=${ZIG_LOCAL_CACHE_DIR:-$d/zig-cache}
export ZIG_GLOBAL_CACHE_DIR ZIG_LOCAL_CACHE_DIR
exec "$d/v/bin/python" -m ziglang cc -target x86_64-freebsd "$@"
END
    # panic_abort is compiled with the strategy it is named after, everything else with the default
    cat >"$dir/std-rustc" <<'END'
#!/bin/sh
case " $* " in *" --crate-name panic_abort "*) exec "$@" -C panic=abort ;; *) exec "$@" ;; esac
END
    chmod +x "$dir/linker" "$dir/std-rustc"
}

write_env() {
    cat >"$1" <<END
export RUSTC=$dir/root/usr/bin/rustc RUSTDOC=$dir/root/usr/bin/rustdoc
export LD_LIBRARY_PATH=$dir/root/usr/lib/x86_64-linux-gnu
export CARGO_TARGET_X86_64_UNKNOWN_FREEBSD_LINKER=$dir/linker
fbsd_clippy() { $dir/root/usr/bin/cargo-clippy clippy --target $target "\$@"; }
END
}

# Builds an empty crate together with std, then moves std's libraries to where rustc looks for them. With bitcode in them
# a program can be linked with full LTO.
build_std() (
    . "$dir/env.new"
    mkdir -p "$dir/seed/src"
    : >"$dir/seed/src/lib.rs"
    cat >"$dir/seed/Cargo.toml" <<'END'
[package]
name = "seed"
version = "0.0.0"
edition = "2021"
[workspace]
[profile.release]
debug = 0
END
    cd "$dir/seed"
    RUSTC_WRAPPER=$dir/std-rustc RUSTFLAGS=-Cembed-bitcode=yes RUSTC_BOOTSTRAP=1 \
        cargo build -q --release -Z build-std=std,panic_unwind,panic_abort,test,proc_macro --target $target
    libraries=$dir/root/usr/lib/rustlib/$target/lib
    mkdir -p "$libraries"
    cp "$dir/seed/target/$target"/release/deps/*.rlib "$libraries/"
    rm -f "$libraries"/libseed*
)

# What a type check and a link need of OpenSSL 3.5: no code of it. A function that is newer than that release is missing,
# so that calling it is an error here and not on the user's machine.
make_openssl() (
    say 'making the stubs of OpenSSL, once'
    own=$dir/openssl
    rm -rf "$own"
    mkdir -p "$own/seed/src" "$own/include/openssl" "$own/lib"
    # cargo and zig call the target by different names
    cat >"$own/cc" <<'END'
#!/bin/sh
d=$(cd "$(dirname "$0")/.." && pwd)
for word; do
    shift
    case $word in --target=*) ;; *) set -- "$@" "$word" ;; esac
done
ZIG_GLOBAL_CACHE_DIR=${ZIG_GLOBAL_CACHE_DIR:-$d/zig-cache} ZIG_LOCAL_CACHE_DIR=${ZIG_LOCAL_CACHE_DIR:-$d/zig-cache}
export ZIG_GLOBAL_CACHE_DIR ZIG_LOCAL_CACHE_DIR
exec "$d/v/bin/python" -m ziglang cc -target x86_64-freebsd "$@"
END
    chmod +x "$own/cc"
    : >"$own/seed/src/lib.rs"
    cat >"$own/seed/Cargo.toml" <<'END'
[package]
name = "seed"
version = "0.0.0"
edition = "2021"
[workspace]
[dependencies]
openssl-src = "300"
END
    cargo fetch -q --manifest-path "$own/seed/Cargo.toml"
    names=$(find "${CARGO_HOME:-$HOME/.cargo}"/registry/src -path '*/openssl-src-3*/openssl/util/libcrypto.num' | sort | tail -n 1)
    [ -n "$names" ] || fail 'the openssl-src crate has no list of names'
    printf '#define OPENSSL_VERSION_%s\n' 'MAJOR 3' 'MINOR 5' 'PATCH 0' >"$own/include/openssl/opensslv.h"
    printf '#define OPENSSL_NO_%s\n' COMP MD2 RC5 SSL3 SSL3_METHOD SSL_TRACE >"$own/include/openssl/opensslconf.h"
    for library in crypto ssl; do
        awk '$4 ~ /^EXIST/ && split($3, v, "_") && v[1] * 10000 + v[2] * 100 + v[3] <= 30500 {
            printf ".globl %s\n.type %s,@function\n%s: ret\n", $1, $1, $1
        }' "$(dirname "$names")/lib$library.num" >"$own/lib$library.s"
        "$own/cc" -shared -nostdlib "-Wl,-soname,lib$library.so.35" "$own/lib$library.s" -o "$own/lib/lib$library.so"
        rm "$own/lib$library.s"
    done
    rm -rf "$own/seed"
    cat >"$own/env" <<END
export CC_x86_64_unknown_freebsd=$own/cc X86_64_UNKNOWN_FREEBSD_OPENSSL_DIR=$own X86_64_UNKNOWN_FREEBSD_OPENSSL_STATIC=0
END
    echo ". $own/env" >>"$dir/env"
)

# OpenSSL 3 to be linked in. It loads nothing at run time (no-module, no-dso), so that the paths of this machine that are
# compiled into it do not matter on another one; certificates and openssl.cnf are those of FreeBSD's base, /etc/ssl.
make_static_openssl() (
    for tool in perl make; do command -v $tool >/dev/null || fail "compiling OpenSSL needs $tool"; done
    say 'compiling OpenSSL, once; this takes some minutes'
    own=$dir/openssl-static
    rm -rf "$own"
    mkdir -p "$own/seed/src"
    for tool in ar ranlib; do
        printf '#!/bin/sh\nexec "%s/v/bin/python" -m ziglang %s "$@"\n' "$dir" $tool >"$own/$tool"
        chmod +x "$own/$tool"
    done
    cat >"$own/seed/Cargo.toml" <<'END'
[package]
name = "seed"
version = "0.0.0"
edition = "2021"
[workspace]
[dependencies]
openssl-src = { version = "300", features = ["no-dso"] }
END
    cat >"$own/seed/src/main.rs" <<'END'
fn main() {
    let to = std::env::args().nth(1).expect("a directory");
    let mut build = openssl_src::Build::new();
    build.host("x86_64-unknown-linux-gnu").target("x86_64-unknown-freebsd");
    build.out_dir(to).openssl_dir("/etc/ssl").build();
}
END
    export CC_x86_64_unknown_freebsd="$dir/openssl/cc" AR_x86_64_unknown_freebsd="$own/ar"
    export RANLIB_x86_64_unknown_freebsd="$own/ranlib" CFLAGS_x86_64_unknown_freebsd=-g0
    CARGO_MAKEFLAGS=-j$(nproc)
    export CARGO_MAKEFLAGS
    cargo build -q --manifest-path "$own/seed/Cargo.toml" --target-dir "$own/seed/target"
    "$own/seed/target/debug/seed" "$own/build" >"$own/log" 2>&1 || { tail -n 30 "$own/log" >&2; fail 'OpenSSL does not compile'; }
    made=$(find "$own/build" -path '*/install/include' | head -n 1)
    [ -n "$made" ] || fail 'OpenSSL was not installed'
    mv "${made%/include}/include" "${made%/include}/lib" "$own/"
    rm -rf "$own/build" "$own/seed" "$own/log"
    cat >"$own/env.new" <<END
export X86_64_UNKNOWN_FREEBSD_OPENSSL_DIR=$own X86_64_UNKNOWN_FREEBSD_OPENSSL_STATIC=1
END
    mv "$own/env.new" "$own/env"
)

# Builds what people run, and says of what it is made. $1: static or base.
release() {
    case $1 in
    static)
        [ -f "$dir/openssl-static/env" ] || make_static_openssl
        . "$dir/openssl-static/env" ;;
    base) ;;
    *) fail "usage: ${0##*/} release static | base" ;;
    esac
    cargo build --release --locked $offline --target $target --target-dir "target/freebsd-$1"
    mkdir -p "target/freebsd/$1"
    cp "target/freebsd-$1/$target/release/pollux" "target/freebsd/$1/pollux"
    needed "target/freebsd/$1/pollux" "$1"
    say "target/freebsd/$1/pollux has $(wc -c <"target/freebsd/$1/pollux") bytes"
}

setup() {
    if [ -f "$dir/env" ]; then
        [ -f "$dir/openssl/env" ] || make_openssl
        return 0
    fi
    [ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || fail 'the cross toolchain can be made on Linux x86_64 only'
    sh "$here/tests/need.sh" rust cc venv
    say "making the cross toolchain in $dir, once"
    rm -rf "$dir"
    mkdir -p "$dir"
    fetch_rust
    fetch_zig
    write_linker
    write_env "$dir/env.new"
    build_std
    rm -rf "$dir/packages" "$dir/seed" "$dir/root/usr/src" "$dir/root/usr/lib/rustlib/src" "$dir/root/usr/share"
    mv "$dir/env.new" "$dir/env"
    make_openssl
    say "toolchain ready: $("$dir/root/usr/bin/rustc" -V 2>/dev/null || (. "$dir/env"; "$RUSTC" -V))"
}

# The program must ask for libraries of FreeBSD's base system only; one with OpenSSL in it (`static`) not for that.
needed() {
    command -v readelf >/dev/null || return 0
    libraries=$(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p')
    for library in $libraries; do
        case $library in
        libc.so.7 | libthr.so.3 | libm.so.5 | libgcc_s.so.1 | libutil.so.* | librt.so.1 | libexecinfo.so.1 | libsys.so.7) ;;
        libcrypto.so.3[05] | libssl.so.3[05])
            [ "${2:-}" != static ] || fail "$1 has OpenSSL in it and needs $library all the same" ;;
        *) fail "$1 needs $library, which is not in FreeBSD's base system" ;;
        esac
    done
    # The note by which the kernel knows its own programs; without it brandelf(1) would have to help.
    readelf -n "$1" | grep -E -q 'FreeBSD .*(NT_VERSION|ABI_TAG)' || fail "$1 is not marked as a program of FreeBSD"
    # shellcheck disable=SC2086 # a list of words
    say "$1 needs:" $libraries
}

case ${1:-check} in
setup)
    setup ;;
release)
    cd "$here"
    [ "$(uname -s)" != FreeBSD ] || fail 'on FreeBSD: make'
    setup
    . "$dir/env"
    offline=
    ! cargo fetch --locked --offline >/dev/null 2>&1 || offline=--offline
    release "${2:-}" ;;
tests)
    cd "$here"
    [ "$(uname -s)" != FreeBSD ] || fail 'on FreeBSD: make test'
    setup
    . "$dir/env"
    offline=
    ! cargo fetch --locked --offline >/dev/null 2>&1 || offline=--offline
    cargo test --no-run --locked $offline --target $target --target-dir target/freebsd ;;
check)
    cd "$here"
    offline=
    if [ "$(uname -s)" = FreeBSD ]; then
        sh tests/need.sh rust cc openssl clippy
        cc -fsyntax-only tests/freebsd/layout.c
        cargo check --locked --all-targets
        cargo clippy --locked --all-targets -- -D warnings
        cargo build --locked
    else
        setup
        . "$dir/env"
        ! cargo fetch --locked --offline >/dev/null 2>&1 || offline=--offline
        say 'headers'
        "$dir/openssl/cc" -c tests/freebsd/layout.c -o "$dir/layout.o"
        say 'check'
        cargo check --locked $offline --target $target --all-targets --target-dir target/freebsd
        say 'clippy'
        fbsd_clippy --locked $offline --all-targets --target-dir target/freebsd-clippy -- -D warnings
        say 'link'
        cargo build --locked $offline --target $target --target-dir target/freebsd
        needed target/freebsd/$target/debug/pollux
    fi ;;
*)
    fail "usage: ${0##*/} [setup | check | release static | release base | tests]" ;;
esac
