"""What the readers share: requests, the two programs' words, and how a fact is told."""

import base64
import os
import subprocess
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as tree

URL = os.environ["URL"]
ADMIN = "admin:monit"


def client(name):
    """A function that tells facts of that client."""

    def fact(text, holds, detail=""):
        print("ok %s: %s" % (name, text) if holds else "FAIL %s: %s: %r" % (name, text, detail), flush=True)

    return fact


class Answer:
    def __init__(self, code, headers, body):
        self.code, self.headers, self.body = code, headers, body


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def ask(path, user=ADMIN, form=None, cookie=None):
    """One request; a redirection is an answer like others."""
    request = urllib.request.Request(URL + path, data=urllib.parse.urlencode(form).encode() if form else None)
    if user:
        request.add_header("Authorization", "Basic " + base64.b64encode(user.encode()).decode())
    if cookie:
        request.add_header("Cookie", "securitytoken=" + cookie)
    try:
        with urllib.request.build_opener(NoRedirect).open(request, timeout=10) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())


def xml(path="/_status?format=xml&level=full"):
    return tree.fromstring(ask(path).body)


def services(root):
    return {service.findtext("name"): service for service in root.findall("service")}


def monit(*words):
    """The exit code, standard output and standard error of the program called as `monit`."""
    told = subprocess.run(("monit",) + words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    return told.returncode, told.stdout, told.stderr
