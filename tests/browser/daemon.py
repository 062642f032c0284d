"""A daemon in a temporary directory with stand-in services; nothing of it is left."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import tempfile

from chromium import until

SERVICE = """#!/bin/sh
# Starts, or stops, a process that sleeps.
case $2 in
start) {dir}/sleep 100000 </dev/null >/dev/null 2>&1 & echo $! >{dir}/$1.pid ;;
stop) kill "$(cat {dir}/$1.pid)" ;;
esac
"""

US, RO = "us:let me in", "ro:look"


class Daemon:
    def __init__(self, binary, services, allow=("allow us:'let me in'", "allow ro:look read-only"), scripts={}):
        """`services` is the control file's rest, `scripts` are by name; `{dir}` is the directory."""
        self.dir = os.path.realpath(tempfile.mkdtemp(prefix="plx-page-"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        os.symlink(shutil.which("sleep"), f"{self.dir}/sleep")
        for name, text in {"service": SERVICE, **scripts}.items():
            self.write(name, text, 0o755)
        head = f"""set daemon 3600 with start delay 0
            set log {{dir}}/log
            set pidfile {{dir}}/pid
            set idfile {{dir}}/id
            set statefile {{dir}}/state
            set httpd port {self.port} use address 127.0.0.1 allow 127.0.0.1 {" ".join(allow)}
            """
        self.write("monitrc", head + services, 0o600)
        environment = {"PATH": os.environ["PATH"], "HOME": self.dir, "TZ": "UTC", "POLLUX_RUNDIR": self.dir}
        with open(f"{self.dir}/out", "wb") as out:
            self.process = subprocess.Popen(
                [os.path.abspath(binary), "-I", "-c", f"{self.dir}/monitrc"], cwd=self.dir, env=environment,
                stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            until("the daemon", self.answers)
        except BaseException:
            self.close()
            raise

    def write(self, name, text, mode):
        with open(f"{self.dir}/{name}", "w") as file:
            file.write(text.replace("{dir}", self.dir))
        os.chmod(f"{self.dir}/{name}", mode)

    def read(self, name):
        try:
            with open(f"{self.dir}/{name}", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the daemon has ended: {self.read('out')}")
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            connection.request("GET", "/_ping")
            return connection.getresponse().status in (200, 401)
        except OSError:
            return False

    def cycle(self):
        """Has the daemon look at everything now; cycles come by themselves once an hour."""
        self.process.send_signal(signal.SIGUSR1)

    def standin(self, name):
        """The stand-in's process; None when it is gone."""
        number = self.read(f"{name}.pid").strip()
        try:
            os.kill(int(number), 0)
            return int(number)
        except (ValueError, ProcessLookupError):
            return None

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for name in os.listdir(self.dir):
            process = name.endswith(".pid") and self.standin(name[:-4])
            # A number may be somebody else's by now: Linux tells, elsewhere nobody else is named so.
            ours = process and subprocess.run(["ps", "-o", "args=", "-p", str(process)], capture_output=True, text=True)
            if process and self.dir in ours.stdout:
                os.kill(process, signal.SIGTERM)
        shutil.rmtree(self.dir, ignore_errors=True)


def service(name, more=""):
    """The statements of a stand-in service."""
    return f"""check process {name} with pidfile {{dir}}/{name}.pid
        start program "{{dir}}/service {name} start"
        stop program "{{dir}}/service {name} stop"
        {more}
        """
