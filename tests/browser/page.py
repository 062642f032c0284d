"""page.py BINARY [TEST ...] : what people see and press in a browser, shown with a headless Chromium.

SCREENSHOTS=DIR leaves pictures there. Skipped by name where there is no Chromium."""

import http.server
import os
import re
import sys
import threading
import unittest
import urllib.parse

from chromium import Chromium, program, until
from daemon import RO, US, Daemon, service

BINARY = ""
LONG = "backup-of-the-customer-database-to-the-second-data-centre-every-night"
NOISY = f"#!/bin/sh\nfor i in 1 2 3 4 5 6; do echo \"$i /var/lib/{'x' * 300} <b>\"; done\nexit 3\n"

# One of everything that can be seen, with much of what is seldom.
MIXED = f"""
    set statefile {{dir}}/service/cannot-be-here
    set limits {{ programOutput: 4 kB }}
    check system box.example
        if loadavg (5min) > 1000 then alert
        if memory usage > 99.9% for 3 cycles then alert
    {service("web", "if cpu > 99% for 5 cycles then restart" + chr(10) + "if 5 restarts within 10 cycles then unmonitor")}
    {service(LONG)}
    check process gone with pidfile {{dir}}/nobody if not exist then alert
    check process idle with pidfile {{dir}}/nobody2 mode passive
    check file certificate with path {{dir}}/monitrc
        if failed permission 0640 then alert
        if failed uid nobody then alert
        if size > 1 MB then alert
    check filesystem root with path / if space usage > 99.9% then alert
    check network lo with interface lo
    check directory state with path {{dir}}
    check program noisy with path "{{dir}}/noisy" if status != 0 then alert
    check program quiet with path "{{dir}}/service" if status > 200 then alert
    """

# Nothing is wider than the window; nothing that is pressed is smaller than a finger.
WIDE = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"
SMALL = """[...document.querySelectorAll('button, nav a, td:first-child > a')]
    .filter(e => e.getBoundingClientRect().height < (e.tagName === 'BUTTON' ? 44 : 24)).map(e => e.innerText)"""

# Texts whose contrast to what is behind them is less than WCAG 2 AA asks for (success criterion 1.4.3).
FAINT = """(() => {
    const rgb = text => text.match(/[0-9.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
        .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = e => { for (; e; e = e.parentElement) {
        const c = rgb(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
    const faint = [];
    for (const e of document.querySelectorAll('body *')) {
        if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
        const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))].sort((a, b) => b - a);
        if ((a + 0.05) / (b + 0.05) < 4.5) faint.push(e.outerHTML.slice(0, 80));
    }
    return faint; })()"""


def site(pages):
    """Somebody else's pages, at a name of their own."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path in pages else 404)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(pages.get(self.path, "").encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://localhost:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not program():
            raise unittest.SkipTest("there is no Chromium")
        cls.chromium = Chromium()
        cls.addClassCleanup(cls.chromium.close)

    def daemon(self, services, **how):
        daemon = Daemon(BINARY, services, **how)
        self.addCleanup(daemon.close)
        return daemon

    def tab(self, daemon, user=US, path="/", **look):
        tab = self.chromium.tab(user, **look)
        tab.daemon = daemon
        tab.open(daemon.url + path)
        return tab

    def shows(self, tab, words):
        """Loads the page again, cycle by cycle, until it shows that, and nothing that would make it load by itself."""
        def look():
            text = tab.text()
            if words in text and " pending" not in text:
                return True
            tab.daemon.cycle()
            tab.reload()
            return False
        until(f"{words!r} on the page, which has: {tab.text()}", look)

    def clean(self, tab, daemon, refused=0):
        """Nothing came from elsewhere, nothing was missing, no policy was violated; `refused` answers were errors."""
        until("the style sheet", lambda: tab.ask("document.readyState") == "complete")
        foreign = [url for url in tab.requests if not url.startswith(daemon.url + "/")]
        self.assertEqual(foreign, [])
        # Chromium's console names each answer that is an error.
        errors = [text for text in tab.complaints if "status of 40" in text]
        self.assertEqual((len(errors), [text for text in tab.complaints if text not in errors]), (refused, []))
        self.assertEqual(tab.ask("document.querySelectorAll('script, iframe, object, img').length"), 0)
        self.assertEqual(tab.ask(WIDE), 0, tab.text())
        self.assertEqual(tab.ask(SMALL), [])
        self.assertEqual(tab.ask(FAINT), [])

    def shot(self, tab, name):
        if os.environ.get("SCREENSHOTS"):
            tab.shot(os.path.join(os.environ["SCREENSHOTS"], name + ".png"))

    def presses(self, tab, daemon):
        """Does everything to a service that its page offers."""
        self.shows(tab, "OK")
        first = daemon.standin("web")
        tab.click("Restart")
        self.assertEqual(tab.ask("location.pathname"), "/web")
        second = until("another process", lambda: daemon.standin("web") not in (None, first) and daemon.standin("web"))
        self.shows(tab, str(second))
        tab.click("Stop")
        until("its end", lambda: daemon.standin("web") is None)
        self.shows(tab, "Not monitored")
        tab.click("Start")
        third = until("a process", lambda: daemon.standin("web"))
        self.shows(tab, str(third))
        tab.click("Disable monitoring")
        self.shows(tab, "Not monitored")
        self.assertEqual(daemon.standin("web"), third)
        tab.click("Enable monitoring")
        self.shows(tab, "Disable monitoring")
        self.assertEqual(daemon.standin("web"), third)
        self.shows(tab, "OK")

    def test_pages_are_opened_and_buttons_pressed(self):
        daemon = self.daemon(service("web") + service("other"))
        tab = self.tab(daemon)
        self.assertEqual(tab.asked, 1, "the browser is asked who it is, once")
        self.shows(tab, "no failures")
        tab.click("web")
        self.assertRegex(tab.ask("document.title"), "^web ")
        self.presses(tab, daemon)
        tab.click("Daemon")
        tab.click("Check now")
        self.assertEqual(tab.ask("location.pathname"), "/_runtime")
        until("a cycle", lambda: "Awakened by" in daemon.read("log"))
        tab.click("Log")
        self.assertIn("'web' stop", tab.text())
        tab.click("Overview")
        self.assertEqual(len(tab.texts("tbody tr")), 3)
        self.clean(tab, daemon)

    def test_nothing_needs_a_script(self):
        daemon = self.daemon(service("web"))
        tab = self.tab(daemon, path="/web", scripts=False)
        self.presses(tab, daemon)
        self.clean(tab, daemon)

    def test_without_users_buttons_work_as_well(self):
        daemon = self.daemon(service("web"), allow=())
        tab = self.tab(daemon, user=None, path="/web")
        self.assertEqual(tab.asked, 0)
        self.presses(tab, daemon)
        self.clean(tab, daemon)

    def test_who_may_only_look_sees_no_buttons_and_forges_nothing(self):
        daemon = self.daemon(service("web"))
        tab = self.tab(daemon, user=RO, path="/web")
        self.shows(tab, "OK")
        process = daemon.standin("web")
        self.assertEqual(tab.texts("button, form, input"), [])
        self.assertIn("read-only", tab.text())
        self.shot(tab, "read-only")
        tab.click("Daemon")
        self.assertEqual(tab.texts("button, form, input"), [])
        self.clean(tab, daemon)
        tab.open(daemon.url + "/web")
        # A button of their own making, with the daemon's own token, on the daemon's own page.
        forge = """(() => { const form = document.createElement('form'); form.method = 'post'; form.action = '/web';
            form.innerHTML = '<button name=action value=stop>Stop</button>'; document.body.append(form); })()"""
        tab.ask(forge)
        tab.click("Stop")
        self.assertIn("sufficient privileges", tab.text())
        tab.open(daemon.url + "/_viewlog")
        self.assertIn("sufficient privileges", tab.text())
        self.assertEqual(daemon.standin("web"), process)
        self.assertNotIn("stop", daemon.read("log"))
        self.clean(tab, daemon, refused=2)

    def test_a_page_of_somebody_else_cannot_press(self):
        daemon = self.daemon(service("web"), allow=())
        evil = site({"/form": f"""<form method=post action="{daemon.url}/web"><input type=hidden name=securitytoken
            value=abc><button name=action value=stop>You win</button></form>""",
            "/frame": f"""<iframe src="{daemon.url}/web"></iframe>"""})
        self.addCleanup(evil.server_close)
        self.addCleanup(evil.shutdown)
        tab = self.tab(daemon, user=None, path="/web")
        self.shows(tab, "OK")
        process = daemon.standin("web")
        tab.open(evil.url + "/form")
        tab.click("You win")
        self.assertEqual(tab.ask("location.href"), daemon.url + "/web")
        self.assertIn("Invalid CSRF Token", tab.text())
        self.assertEqual(daemon.standin("web"), process)
        # Nor can it show the page in a frame, under something that is pressed.
        tab.open(evil.url + "/frame")
        refused = lambda: tab.ask("1") and any("frame-ancestors 'self'" in text for text in tab.complaints)
        until("the browser's complaint", refused)

    def test_a_page_follows_what_is_under_way(self):
        slow = "#!/bin/sh\nuntil [ -e {dir}/go ]; do sleep 0.1; done\nexec {dir}/service web stop\n"
        daemon = self.daemon(service("web").replace("service web stop", "slow"), scripts={"slow": slow})
        tab = self.tab(daemon, path="/web")
        self.shows(tab, "OK")
        tab.click("Stop")
        self.assertIn("OK - stop pending", tab.text())
        self.shot(tab, "pending")
        daemon.write("go", "", 0o600)
        until("its end", lambda: daemon.standin("web") is None)
        # Nobody loads it again: it does so itself.
        until("the other page", lambda: "Not monitored" in tab.text())
        self.clean(tab, daemon)

    def test_five_hundred_services_are_all_there(self):
        checks = "".join(f"check file f{number:03} with path {{dir}}/monitrc\n" for number in range(1, 500))
        daemon = self.daemon(checks + "check process gone with pidfile {dir}/nobody if not exist then alert\n")
        for look in ({}, {"width": 390, "height": 844, "phone": True}):
            tab = self.tab(daemon, **look)
            self.shows(tab, "1 failure")
            names = tab.texts("td:first-child > a")
            self.assertEqual(names[0], "gone", "problems come first")
            self.assertEqual(names[1:-1], [f"f{number:03}" for number in range(1, 500)])
            self.clean(tab, daemon)
            self.shot(tab, "many-phone" if look else "many")

    def test_it_can_be_read_on_every_screen(self):
        daemon = self.daemon(MIXED, scripts={"noisy": NOISY})
        phone = {"width": 390, "height": 844, "phone": True}
        looks = {"desktop": {}, "phone": phone, "dark": {"dark": True}, "phone-dark": {**phone, "dark": True}}
        for look, how in looks.items():
            tab = self.tab(daemon, **how)
            tab.open(daemon.url + "/_runtime")
            tab.click("Check now")
            tab.open(daemon.url)
            self.shows(tab, "status failed (3)")
            self.assertIn("cannot be written", tab.text(".troubles"), "what the daemon itself has to say")
            pages = ["/", "/web", "/gone", "/idle", "/noisy", "/certificate", "/box.example", "/root", "/lo", "/" + LONG,
                     "/_viewlog", "/_runtime", "/_about"]
            for path in pages:
                tab.open(daemon.url + urllib.parse.quote(path))
                self.assertNotEqual(tab.ask("document.title"), "")
                name = re.sub(r"[^a-z]", "", path)[:12] or "overview"
                self.shot(tab, f"{look}-{name}")
                self.clean(tab, daemon)
            tab.open(daemon.url + "/nosuch")
            self.assertIn("There is no service named \"nosuch\"", tab.text())
            self.shot(tab, f"{look}-missing")
            self.clean(tab, daemon, refused=1)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)
