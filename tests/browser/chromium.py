"""A headless Chromium, driven over its debugging pipe (the Chrome DevTools Protocol): nothing but Python's own library.

One thread. What Chromium tells meanwhile is kept: which requests it made, what its console said, which policies were
violated."""

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PATIENCE = 60  # seconds; bounds a failure


def program():
    """The path of a Chromium; None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def until(what, look):
    """Waits until `look` finds something."""
    end = time.monotonic() + PATIENCE
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"waited {PATIENCE} s in vain: {what}")
        time.sleep(0.05)


class Chromium:
    """A browser with a profile of its own; `tab` opens what people look at."""

    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="plx-chromium-")
        (read, to_us), (from_us, write) = os.pipe(), os.pipe()
        # Chromium reads from 3 and writes to 4; neither of ours may be in the way.
        high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (from_us, to_us)]
        for end in (from_us, to_us):
            os.close(end)
        options = [
            "--headless=new", "--remote-debugging-pipe", f"--user-data-dir={self.profile}", "--no-first-run",
            "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--hide-scrollbars",
            "--disable-component-update", "--disable-sync", "--no-default-browser-check", "--force-color-profile=srgb",
        ]
        if os.geteuid() == 0:
            options.append("--no-sandbox")

        def wire():
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        self.process = subprocess.Popen(
            [program(), *options, "about:blank"], preexec_fn=wire, pass_fds=(3, 4), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": self.profile, "LANG": "C.UTF-8"})
        for end in high:
            os.close(end)
        self.read, self.write = read, write
        self.buffer, self.last, self.replies, self.tabs = b"", 0, {}, {}

    def close(self):
        try:
            self.call("Browser.close")
        except (AssertionError, OSError):
            pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)  # its own session: nobody else is in it
            self.process.wait()
        os.close(self.read)
        os.close(self.write)
        shutil.rmtree(self.profile, ignore_errors=True)

    def send(self, method, session=None, **parameters):
        self.last += 1
        message = {"id": self.last, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        rest = json.dumps(message).encode() + b"\0"
        while rest:
            rest = rest[os.write(self.write, rest):]
        return self.last

    def call(self, method, session=None, **parameters):
        number = self.send(method, session, **parameters)
        end = time.monotonic() + PATIENCE
        while number not in self.replies:
            self.listen(end - time.monotonic())
        reply = self.replies.pop(number)
        if "error" in reply:
            raise AssertionError(f"{method}: {reply['error']}")
        return reply["result"]

    def listen(self, seconds):
        """Takes in what comes within that time, one piece at least."""
        if seconds <= 0 or not select.select([self.read], [], [], seconds)[0]:
            raise AssertionError("Chromium does not answer")
        piece = os.read(self.read, 1 << 20)
        if not piece:
            raise AssertionError("Chromium has ended")
        *messages, self.buffer = (self.buffer + piece).split(b"\0")
        for message in map(json.loads, messages):
            if "id" in message:
                self.replies[message["id"]] = message
            elif message.get("sessionId") in self.tabs:
                self.tabs[message["sessionId"]].heard(message["method"], message["params"])

    def tab(self, user=None, **look):
        return Tab(self, user, **look)


class Tab:
    """A window without memory of others, in which `user` ("name:password") logs in when asked."""

    def __init__(self, chromium, user, width=1280, height=900, dark=False, scripts=True, phone=False):
        self.chromium, self.user = chromium, user
        self.loads, self.requests, self.complaints, self.asked = 0, [], [], 0
        context = chromium.call("Target.createBrowserContext")["browserContextId"]
        target = chromium.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        self.session = chromium.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        chromium.tabs[self.session] = self
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            self.call(f"{domain}.enable")
        self.call("Fetch.enable", handleAuthRequests=True)
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=2 if phone else 1, mobile=phone)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)

    def call(self, method, **parameters):
        return self.chromium.call(method, self.session, **parameters)

    def heard(self, event, told):
        answer = lambda method, **more: self.chromium.send(method, self.session, requestId=told["requestId"], **more)
        if event == "Fetch.requestPaused":
            self.requests.append(told["request"]["url"])
            answer("Fetch.continueRequest")
        elif event == "Fetch.authRequired":
            self.asked += 1
            # Whoever is asked a second time gave the wrong answer.
            name, _, password = (self.user or "").partition(":")
            response = {"response": "ProvideCredentials", "username": name, "password": password}
            cancel = {"response": "CancelAuth"}
            answer("Fetch.continueWithAuth", authChallengeResponse=response if self.user else cancel)
        elif event == "Page.loadEventFired":
            self.loads += 1
        elif event == "Log.entryAdded":
            self.complaints.append(told["entry"]["text"])
        elif event in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Audits.issueAdded"):
            self.complaints.append(json.dumps(told))

    def loaded(self, begin):
        """Does what `begin` does and comes back when the page that comes of it is there."""
        before, end = self.loads, time.monotonic() + PATIENCE
        begin()
        while self.loads == before:
            self.chromium.listen(end - time.monotonic())

    def open(self, url):
        self.loaded(lambda: self.call("Page.navigate", url=url))

    def reload(self):
        self.loaded(lambda: self.call("Page.reload"))

    def ask(self, script):
        """The value of an expression in the page; ours, not one of the page's scripts."""
        def look():
            try:
                return self.call("Runtime.evaluate", expression=script, returnByValue=True)
            except AssertionError as error:
                # Another page has just come: it is the one that is asked.
                if "context" in str(error) or "navigated" in str(error):
                    return None
                raise
        result = until(script, look)
        if "exceptionDetails" in result:
            raise AssertionError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def text(self, selector="body"):
        return self.ask(f"document.querySelector({json.dumps(selector)})?.innerText") or ""

    def texts(self, selector):
        return self.ask(f"[...document.querySelectorAll({json.dumps(selector)})].map(e => e.innerText)")

    def click(self, word):
        """Presses the button or follows the link with that word, as a finger does, and waits for the next page."""
        place = self.ask(
            f"(() => {{ const e = [...document.querySelectorAll('button, a')].find(e => e.innerText === {json.dumps(word)});"
            "if (!e) return null; e.scrollIntoView({block: 'center'}); const r = e.getBoundingClientRect();"
            "return {x: r.x + r.width / 2, y: r.y + r.height / 2} })()")
        if not place:
            raise AssertionError(f"there is no {word!r} in: {self.text()}")

        def press():
            for kind in ("mousePressed", "mouseReleased"):
                self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)

        self.loaded(press)

    def shot(self, path):
        """A picture (PNG) of the whole page."""
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))
