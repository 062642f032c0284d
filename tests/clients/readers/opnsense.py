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
for service in services(xml()).values():
    fact("status of %s is a word of digits" % service.findtext("name"), service.findtext("status").isdigit())
