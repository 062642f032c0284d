# pollux: what an administrator, a packager and a developer call. Works with FreeBSD's make, bmake and GNU make.
#
#   make                 build target/release/pollux
#   make install         install the program, its manual pages, the sample control file, and what newsyslog(8) and periodic(8) read
#   make install-rc      install the rc.d script of FreeBSD
#   make port            write the port of FreeBSD with its distfile to target/port
#   make test            all tests
#   make test-browser    look at the page and press its buttons in a headless Chromium; SCREENSHOTS=DIR keeps pictures
#   make compliance      play every case with pollux and with Monit, and compare
#   make test-clients    programs that read and drive Monit, from PyPI, npm and Debian, against pollux
#   make demo            watch three stand-in services at work; Ctrl-C removes everything
#   make corpus CORPUS=DIR  judge real control files as the original does (DIR is not part of the project)
#   make fuzz            feed the parser, the printer and the expressions with made-up input; TARGET=NAME, SECONDS=N
#   make verdicts        judge some thousands of small control files as the installed monit does
#   make bench           time of a line of 5,000, 50,000 and 500,000, as ratios
#   make simulate        the engine in a made-up world; SEEDS=N random histories more, SEED=n one of them again
#   make mutants         put mistakes into the core one by one: the tests must find each
#   make lint            manual pages, formatting, clippy, documentation, scripts
#   make freebsd-check   type check, lints and link for FreeBSD, from any Linux or on FreeBSD itself
#   make freebsd         the program for FreeBSD on amd64, with OpenSSL in it: target/freebsd/static/pollux
#   make freebsd-base    the same for the OpenSSL of FreeBSD 15's base system: target/freebsd/base/pollux
#   make freebsd-tests   link all tests for FreeBSD
#   make clean           remove target/
#
# PREFIX, SYSCONFDIR, STATEDIR, RUNDIR and PIDFILE are compiled in: give `make` and `make install` the same ones.

.POSIX:

PREFIX ?= /usr/local
SYSCONFDIR ?= $(PREFIX)/etc
MANDIR ?= $(PREFIX)/share/man
STATEDIR ?= /var/db/pollux
RUNDIR ?= /var/run/pollux
PIDFILE ?= /var/run/pollux.pid
DESTDIR ?=
TARGET ?= all
SEED ?=
SEEDS ?= 100
SECONDS ?= 60
SCREENSHOTS ?=
CARGO ?= cargo
BINARY = target/release/pollux

# With the crates at hand cargo must not ask the network.
LOCKED = --locked $$($(CARGO) fetch --locked --offline >/dev/null 2>&1 && echo --offline)
PATHS = POLLUX_SYSCONFDIR='$(SYSCONFDIR)' POLLUX_STATEDIR='$(STATEDIR)' \
	POLLUX_RUNDIR_DEFAULT='$(RUNDIR)' POLLUX_PIDFILE='$(PIDFILE)'
PAGES = man/pollux.8 man/monitrc.5
SCRIPTS = tests/need.sh tests/clients/*.sh tests/demo/*.sh tests/freebsd/*.sh tests/fuzz/*.sh tests/mutants/*.sh \
	tests/port/rc.subr port/*.sh port/etc/periodic.in $(RC_SCRIPT)
RC_SCRIPT = port/sysutils/pollux/files/pollux.in

.PHONY: all install install-files install-rc port test test-browser corpus compliance fuzz verdicts bench simulate mutants demo test-clients lint lint-man lint-scripts lint-rust doc freebsd-check freebsd freebsd-base freebsd-tests clean

all:
	@sh tests/need.sh rust cc openssl
	$(PATHS) $(CARGO) build --release $(LOCKED)

# Root's PATH may have no cargo: then what `make` has built before is installed.
install:
	@if command -v $(CARGO) >/dev/null 2>&1; then $(MAKE) all PREFIX='$(PREFIX)' SYSCONFDIR='$(SYSCONFDIR)' \
		STATEDIR='$(STATEDIR)' RUNDIR='$(RUNDIR)' PIDFILE='$(PIDFILE)'; \
	elif test ! -x $(BINARY); then echo "$(BINARY) is missing: run make first" >&2; exit 1; fi
	install -d -m 0755 '$(DESTDIR)$(PREFIX)/bin'
	install -m 0755 $(BINARY) '$(DESTDIR)$(PREFIX)/bin/pollux'
	@$(MAKE) install-files PREFIX='$(PREFIX)' SYSCONFDIR='$(SYSCONFDIR)' MANDIR='$(MANDIR)' \
		STATEDIR='$(STATEDIR)' RUNDIR='$(RUNDIR)' PIDFILE='$(PIDFILE)' DESTDIR='$(DESTDIR)'

# Everything but the program and the rc.d script, which a port installs by its own means.
install-files:
	install -d -m 0755 '$(DESTDIR)$(SYSCONFDIR)/monit.d' '$(DESTDIR)$(SYSCONFDIR)/newsyslog.conf.d' \
		'$(DESTDIR)$(SYSCONFDIR)/periodic/daily' '$(DESTDIR)$(MANDIR)/man5' '$(DESTDIR)$(MANDIR)/man8'
	install -d -m 0700 '$(DESTDIR)$(STATEDIR)'
	$(PLACES) man/pollux.8 > '$(DESTDIR)$(MANDIR)/man8/pollux.8'
	$(PLACES) man/monitrc.5 > '$(DESTDIR)$(MANDIR)/man5/monitrc.5'
	chmod 0644 '$(DESTDIR)$(MANDIR)/man8/pollux.8' '$(DESTDIR)$(MANDIR)/man5/monitrc.5'
	$(PLACES) monitrc.sample > '$(DESTDIR)$(SYSCONFDIR)/monitrc.sample'
	chmod 0600 '$(DESTDIR)$(SYSCONFDIR)/monitrc.sample'
	$(FILLED) port/etc/newsyslog.conf.in > '$(DESTDIR)$(SYSCONFDIR)/newsyslog.conf.d/pollux.conf.sample'
	chmod 0644 '$(DESTDIR)$(SYSCONFDIR)/newsyslog.conf.d/pollux.conf.sample'
	$(FILLED) port/etc/periodic.in > '$(DESTDIR)$(SYSCONFDIR)/periodic/daily/485.status-pollux'
	chmod 0555 '$(DESTDIR)$(SYSCONFDIR)/periodic/daily/485.status-pollux'

# Pages and sample name the places this build uses.
PLACES = sed -e 's|/usr/local/etc|$(SYSCONFDIR)|g' -e 's|/var/db/pollux|$(STATEDIR)|g' \
	-e 's|/var/run/pollux\.pid|$(PIDFILE)|g' -e 's|/var/run/pollux|$(RUNDIR)|g'

# So do scripts.
FILLED = sed -e 's|%%PREFIX%%|$(PREFIX)|g' -e 's|%%SYSCONFDIR%%|$(SYSCONFDIR)|g' -e 's|%%PIDFILE%%|$(PIDFILE)|g' \
	-e 's|%%RUNDIR%%|$(RUNDIR)|g'

# The FreeBSD rc.d script; a port installs it by USE_RC_SUBR instead.
install-rc:
	install -d -m 0755 '$(DESTDIR)$(PREFIX)/etc/rc.d'
	$(FILLED) $(RC_SCRIPT) > '$(DESTDIR)$(PREFIX)/etc/rc.d/pollux'
	chmod 0555 '$(DESTDIR)$(PREFIX)/etc/rc.d/pollux'

# The port as it goes into a ports tree, and the distfile that it unpacks.
port:
	@sh tests/need.sh rust
	@sh port/pack.sh target/port

test:
	@sh tests/need.sh rust cc openssl
	$(CARGO) test $(LOCKED)

# Where there is no Chromium, nor can be had, it says so.
test-browser:
	@sh tests/need.sh rust cc openssl ps
	@sh tests/need.sh python chromium || echo 'python3 or Chromium is missing: the page is not looked at' >&2
	$(CARGO) build $(LOCKED)
	@if command -v python3 >/dev/null 2>&1; then SCREENSHOTS='$(SCREENSHOTS)' python3 -B tests/browser/page.py target/debug/pollux; \
	else echo 'skipped tests/browser/page.py: there is no python3' >&2; fi

corpus:
	@test -n '$(CORPUS)' || { echo 'CORPUS is not set: make corpus CORPUS=DIR, a folder with VERDICT.tsv and files/' >&2; exit 1; }
	@test -f '$(CORPUS)/VERDICT.tsv' || { echo 'there is no $(CORPUS)/VERDICT.tsv' >&2; exit 1; }
	@sh tests/need.sh rust cc openssl
	CORPUS="$$(cd '$(CORPUS)' && pwd)" $(CARGO) test $(LOCKED) --test corpus -- --ignored --nocapture

# `make fuzz` takes each target in turn.
fuzz:
	@sh tests/need.sh rust cc openssl
	@sh tests/fuzz/run.sh '$(TARGET)' '$(SECONDS)'

verdicts:
	@sh tests/need.sh rust cc openssl
	$(CARGO) test $(LOCKED) --test verdicts -- --ignored --nocapture

bench:
	@sh tests/need.sh rust cc openssl
	$(CARGO) test --release $(LOCKED) --test bench -- --ignored --nocapture

# Without Monit, which nothing but this needs, pollux is held against what is written down.
compliance:
	@sh tests/need.sh rust cc openssl ps
	@sh tests/need.sh monit || echo 'monit is missing: only the half of pollux is played' >&2
	$(CARGO) test $(LOCKED) --test compliance -- --include-ignored --nocapture

# The clients are fetched the first time.
test-clients: all
	@sh tests/need.sh ps venv
	@sh tests/clients/run.sh $(BINARY)

# Optimized a little, because it runs long; overflows are still found.
simulate:
	@sh tests/need.sh rust cc openssl
	CARGO_PROFILE_DEV_OPT_LEVEL=2 SEED='$(SEED)' SEEDS='$(SEEDS)' $(CARGO) test $(LOCKED) \
		--target-dir target/simulate --test simulate -- --include-ignored --nocapture --test-threads=1

mutants:
	@sh tests/need.sh rust cc openssl
	@sh tests/mutants/run.sh

demo: all
	@sh tests/need.sh ps
	@sh tests/demo/demo.sh $(BINARY)

lint: lint-man lint-scripts lint-rust doc

# Whether a page that is referred to is installed depends on the machine, so that message is left out.
lint-man:
	@sh tests/need.sh mandoc
	@if mandoc -T lint $(PAGES) | grep -v 'referenced manual not found'; then exit 1; fi
	@for page in $(PAGES); do mandoc -T ascii $$page | awk -v page=$$page '{ while (sub(/.\010/, "")); } \
		length > 80 { print page ": wider than 80 columns: " $$0; bad = 1 } END { exit bad }' || exit 1; done

lint-scripts:
	@for script in $(SCRIPTS); do sh -n $$script || exit 1; done

lint-rust:
	@sh tests/need.sh rust cc openssl fmt clippy
	$(CARGO) fmt --check
	$(CARGO) clippy $(LOCKED) --all-targets -- -D warnings
	$(CARGO) clippy $(LOCKED) --all-targets --no-default-features -- -D warnings

doc:
	@sh tests/need.sh rust cc openssl
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc $(LOCKED) --no-deps

freebsd-check:
	@sh tests/freebsd/cross.sh

freebsd:
	@$(PATHS) sh tests/freebsd/cross.sh release static

freebsd-base:
	@$(PATHS) sh tests/freebsd/cross.sh release base

freebsd-tests:
	@sh tests/freebsd/cross.sh tests

clean:
	$(CARGO) clean
