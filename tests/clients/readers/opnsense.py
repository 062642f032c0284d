"""OPNsense: the text with its colours, the check of the control file, and the status word. FreeBSD's port has the rest."""

import re
import subprocess

from facts import ask, client, services, xml

fact = client("OPNsense")
answer = ask("/_status?format=text")
text = answer.body.decode()
fact("the first line is Monit's", text.startswith("Monit "), text[:40])
codes = set(re.findall(r"\x1b\[([0-9;]*)m", text))
fact("colours it knows", codes and all(re.fullmatch(r"0|0;3\d|1;3\d|0;9\d", code) for code in codes), codes)
told = subprocess.run("monit -t 2>&1", shell=True, capture_output=True, text=True)
fact("-t says one line", told.stdout == "Control file syntax OK\n" and told.returncode == 0, told.stdout)
for service in services(xml()).values():
    fact("status of %s is a word of digits" % service.findtext("name"), service.findtext("status").isdigit())
