"""OPNsense: over a unix socket the XML and the text with its colours, the check of the control file, the status word."""

import base64
import os
import re
import socket
import subprocess

from facts import ADMIN, ask, client, services, xml

fact = client("OPNsense")
answer = ask("/_status?format=text")
text = answer.body.decode()
fact("the first line is Monit's", text.startswith("Monit "), text[:40])
codes = set(re.findall(r"\x1b\[([0-9;]*)m", text))
fact("colours it knows", codes and all(re.fullmatch(r"0|0;3\d|1;3\d|0;9\d", code) for code in codes), codes)


def over_socket(path):
    """As its script asks: no address of ours, one request, everything up to the end."""
    login = base64.b64encode(ADMIN.encode()).decode()
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(10)
        peer.connect(os.environ["DIR"] + "/monit.sock")
        peer.sendall(("GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\nAuthorization: Basic %s\r\n\r\n" % (path, login)).encode())
        answer = b""
        while chunk := peer.recv(65536):
            answer += chunk
    return answer.decode()


answer = over_socket("/_status?format=xml&level=full")
fact("the socket answers", answer.startswith("HTTP/1.0 200 OK\r\n"), answer[:60])
fact("XML over the socket", "<service type=\"3\"><name>web</name>" in answer)
body = over_socket("/_status?format=text").split("\r\n\r\n", 1)[1]
fact("text over the socket", body.startswith("Monit "), body[:40])
told = subprocess.run("monit -t 2>&1", shell=True, capture_output=True, text=True)
fact("-t says one line", told.stdout == "Control file syntax OK\n" and told.returncode == 0, told.stdout)
# As it writes one without a page: whatever else is said keeps it from a reload.
own = os.environ["DIR"] + "/opnsense.rc"
with open(os.open(own, os.O_WRONLY | os.O_CREAT, 0o600), "w") as out:
    out.write("""set httpd unixsocket %s/opnsense.sock
    allow localhost
set daemon 120 with start delay 120
set logfile syslog facility log_daemon
check system $HOST
   if memory usage is greater than 75%% then alert
   if loadavg (15min) is greater than 2 then alert
check filesystem RootFs with path "/"
   if space usage is greater than 75%% then alert
check program carp_status_change with path "/bin/sh -c true" timeout 300 seconds
   if changed status then alert
check network lo interface lo
   if failed link then alert
""" % os.environ["DIR"])
told = subprocess.run(["monit", "-c", own, "-t"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
fact("nor does -t of a file of its own say more", told.stdout == "Control file syntax OK\n", told.stdout)
for service in services(xml()).values():
    fact("status of %s is a word of digits" % service.findtext("name"), service.findtext("status").isdigit())
