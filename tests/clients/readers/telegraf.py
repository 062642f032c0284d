"""Telegraf's inputs.monit: typed decoding of the XML by the service's type."""

import re

from facts import ask, client, services, xml

fact = client("Telegraf")
answer = ask("/_status?format=xml")
fact("200 with Basic", answer.code == 200, answer.code)
fact("no answer without", ask("/_status?format=xml", user=None).code == 401)
root = xml()
WHOLE = re.compile(r"-?\d+")
DECIMAL = re.compile(r"-?\d+(\.\d+)?")


def all_are(element, pattern, paths):
    found = {path: element.findtext(path) for path in paths.split()}
    bad = {path: text for path, text in found.items() if text is None or not pattern.fullmatch(text)}
    return not bad, bad


for path in "id version localhostname controlfile".split():
    fact("server/" + path, root.findtext("server/" + path), path)
fact("server's numbers", *all_are(root.find("server"), WHOLE, "uptime poll startdelay incarnation"))
fact("platform's words", all(root.findtext("platform/" + p) for p in "name release version machine".split()))
fact("platform's numbers", *all_are(root.find("platform"), WHOLE, "cpu memory swap"))
found = services(root)
COMMON = "status status_hint monitor monitormode onreboot pendingaction collected_sec collected_usec"
for name, service in found.items():
    holds, bad = all_are(service, WHOLE, COMMON)
    fact("common elements of " + name, holds and WHOLE.fullmatch(service.get("type")), bad)
IO = " ".join("%s/%s/%s" % (way, what, which) for way in ("read", "write") for what in ("bytes", "operations")
              for which in ("count", "total"))
NET = " ".join("link/%s/%s/%s" % (way, what, which) for way in ("download", "upload")
               for what in ("packets", "bytes", "errors") for which in ("now", "total"))
TIMES = "timestamps/access timestamps/change timestamps/modify"
TABLE = [
    ("root", "0", WHOLE, "mode inode/usage inode/total " + IO),
    ("root", "0", DECIMAL, "block/percent block/usage block/total inode/percent"),
    ("place", "1", WHOLE, "mode uid gid " + TIMES),
    ("text", "2", WHOLE, "mode uid gid size " + TIMES),
    ("web", "3", WHOLE, "pid ppid uid euid gid uptime threads children memory/kilobyte memory/kilobytetotal"),
    ("web", "3", DECIMAL, "cpu/percent cpu/percenttotal memory/percent memory/percenttotal"),
    ("box", "5", DECIMAL, "system/load/avg01 system/load/avg05 system/load/avg15 cpu/user cpu/system cpu/wait".replace(
        " cpu/", " system/cpu/") + " system/memory/percent system/swap/percent"),
    ("box", "5", WHOLE, "system/memory/kilobyte system/swap/kilobyte"),
    ("pipe", "6", WHOLE, "mode uid gid"),
    ("bad", "7", WHOLE, "program/started program/status"),
    ("loopback", "8", WHOLE, "link/state link/speed link/duplex " + NET),
]
for name, kind, pattern, paths in TABLE:
    holds, bad = all_are(found[name], pattern, paths)
    fact("numbers of %s" % name, holds and found[name].get("type") == kind, bad)
fact("octal digits", found["pipe"].findtext("mode") == "640", found["pipe"].findtext("mode"))
fact("exit status and output", found["bad"].findtext("program/status") == "3" and
     found["bad"].findtext("program/output") == "a bad thing")
