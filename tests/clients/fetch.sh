# fetch.sh: read by run.sh. Fetches what is not in $store yet, and sets have_ansible, have_python_monit, have_npm and
# have_fail2ban; what cannot be had is told by name, with what it takes.
# shellcheck shell=sh disable=SC2154 # store and missing are run.sh's

have_ansible='' have_python_monit='' have_npm='' have_fail2ban=''
ansible_version=12.3.0 python_monit_version=0.5 npm_monit_version=0.1.2

if [ ! -x "$store/venv/bin/ansible" ]; then
    rm -rf "$store/venv"
    echo "fetching ansible-core and requests from PyPI into target/clients"
    python3 -m venv "$store/venv" >/dev/null 2>&1 &&
        "$store/venv/bin/pip" install -q --disable-pip-version-check ansible-core requests || rm -rf "$store/venv"
fi
pip() { "$store/venv/bin/pip" -q --disable-pip-version-check "$@"; }
if [ ! -x "$store/venv/bin/ansible" ]; then
    missing 'Ansible, python-monit' 'python3 with venv and pip, and PyPI, are needed'
else
    # The whole of Ansible is a hundred collections; one is taken out of it.
    module=$store/collections/ansible_collections/community/general/plugins/modules/monit.py
    if [ ! -f "$module" ]; then
        echo "fetching ansible $ansible_version from PyPI for its collection community.general"
        pip download --no-deps --only-binary :all: -d "$store/wheels" "ansible==$ansible_version" &&
            python3 - "$store" <<'PYTHON'
import glob, sys, zipfile
store = sys.argv[1]
for wheel in glob.glob(store + "/wheels/ansible-*.whl"):
    with zipfile.ZipFile(wheel) as archive:
        names = [n for n in archive.namelist() if n.startswith("ansible_collections/community/general/")]
        archive.extractall(store + "/collections", names)
PYTHON
        rm -rf "$store/wheels"
    fi
    if [ -f "$module" ]; then have_ansible=1; else missing Ansible "PyPI's ansible $ansible_version is needed"; fi

    if [ ! -f "$store/python-monit/monit.py" ]; then
        echo "fetching monit $python_monit_version from PyPI"
        mkdir -p "$store/python-monit"
        pip download --no-deps --no-binary :all: -d "$store/wheels" \
            "monit==$python_monit_version" >/dev/null 2>&1
        # Its last line is Python 2 and prints; everything else is as it was published.
        tar -xzOf "$store/wheels/monit-$python_monit_version.tar.gz" "monit-$python_monit_version/monit.py" 2>/dev/null |
            sed 's/^    print Monit(.*)$/    print("python-monit")/' >"$store/python-monit/monit.py"
        [ -s "$store/python-monit/monit.py" ] || rm -f "$store/python-monit/monit.py"
        rm -rf "$store/wheels"
    fi
    if [ -f "$store/python-monit/monit.py" ]; then
        have_python_monit=1
    else
        missing python-monit "PyPI's monit $python_monit_version is needed"
    fi
fi

if ! command -v node >/dev/null 2>&1 || ! command -v npm >/dev/null 2>&1; then
    missing "npm's monit" 'node and npm are needed'
else
    if [ ! -d "$store/npm/node_modules/monit" ]; then
        echo "fetching monit $npm_monit_version from npm"
        mkdir -p "$store/npm"
        (cd "$store/npm" && npm install --silent --no-audit --no-fund --ignore-scripts "monit@$npm_monit_version") >/dev/null 2>&1
    fi
    if [ -d "$store/npm/node_modules/monit" ]; then have_npm=1; else missing "npm's monit" "npm's registry is needed"; fi
fi

if [ ! -f "$store/fail2ban/usr/bin/fail2ban-regex" ]; then
    if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg-deb >/dev/null 2>&1; then
        missing fail2ban "apt-get and dpkg-deb are needed, for Debian's package"
    else
        echo "fetching fail2ban from Debian"
        mkdir -p "$store/deb"
        (cd "$store/deb" && { apt-get download -q fail2ban || { apt-get update -q && apt-get download -q fail2ban; }; }) >/dev/null 2>&1
        dpkg-deb -x "$store"/deb/fail2ban_*.deb "$store/fail2ban" 2>/dev/null
        rm -rf "$store/deb"
        [ -f "$store/fail2ban/usr/bin/fail2ban-regex" ] || missing fail2ban "Debian's package is needed (apt-get update, as root)"
    fi
fi
[ ! -f "$store/fail2ban/usr/bin/fail2ban-regex" ] || have_fail2ban=1
