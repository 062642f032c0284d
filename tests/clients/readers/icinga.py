"""NETWAYS' check_monit, stanvit's and hajoeichler's: elements without which they fail."""

from facts import ask, client, services, xml

fact = client("Icinga")
root = xml()
found = services(root)
fact("block and inode percent", float(found["root"].findtext("block/percent")) and
     found["root"].findtext("inode/percent") is not None)
box = found["box"]
paths = ["load/avg01", "load/avg05", "load/avg15", "cpu/user", "cpu/system", "cpu/nice", "cpu/hardirq", "memory/percent"]
fact("the machine's readings", all(float(box.findtext("system/" + path)) >= 0 for path in paths))
fact("output of programs", found["good"].findtext("program/output") == "all is <well> & good",
     found["good"].findtext("program/output"))
fact("who is not monitored is not counted", found["resting"].findtext("monitor") == "0")
fact("uptime of the daemon", int(root.findtext("server/uptime")) >= 0)
fact("totals of a link", int(found["loopback"].findtext("link/download/bytes/total")) >= 0)
ask("/_status?format=xml").body.decode("utf-8")
fact("the body is UTF-8", True)
