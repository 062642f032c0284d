"""PyPI's monit 0.5, but for its last line as it is published: status and all actions. Called by run.sh."""

import os
import sys

sys.path.insert(0, os.environ["STORE"] + "/python-monit")
sys.path.insert(0, os.environ["HERE"] + "/readers")
import monit  # noqa: E402
from facts import client  # noqa: E402

fact = client("python-monit")
daemon = monit.Monit(host="127.0.0.1", port=int(os.environ["PORT"]), username="admin", password="monit")
fact("services and platform", len(daemon) == 14 and daemon["platform"].name, list(daemon))
web = daemon["web"]
fact("type and state", (web.type, web.running, web.monitored) == ("process", True, True), web)
fact("what does not run", daemon["gone"].running is False, daemon["gone"])
web.stop()
fact("stop", (daemon["web"].running, daemon["web"].monitored) == (False, False), daemon["web"])
web.start()
fact("start", (daemon["web"].running, daemon["web"].monitored) == (True, True), daemon["web"])
web.restart()
fact("restart", (daemon["web"].running, daemon["web"].monitored) == (True, True), daemon["web"])
web.unmonitor()
fact("unmonitor", daemon["web"].monitored is False, daemon["web"])
web.monitor()
fact("monitor", daemon["web"].monitored is True, daemon["web"])
