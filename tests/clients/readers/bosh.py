"""Cloud Foundry's bosh-agent: the second layout, groups, and the command line by group."""

from facts import ask, client, monit, xml

fact = client("BOSH")


def status():
    return xml("/_status2?format=xml")


root = status()
fact("attributes of the root", all(root.get(name) for name in ("id", "incarnation", "version")), root.attrib)
found = {service.get("name"): service for service in root.findall("services/service")}
for name in ("web", "gone", "box"):
    service = found[name]
    numbers = [service.findtext(path) for path in ("status", "monitor", "pendingaction", "type")]
    fact("numbers of " + name, all(text.isdigit() for text in numbers), numbers)
groups = {g.get("name"): [s.text for s in g.findall("service")] for g in root.findall("servicegroups/servicegroup")}
fact("groups", groups == {"vcap": ["box", "web", "db"], "store": ["db"]}, groups)
fact("no token, no action", ask("/web", form={"action": "stop"}).code == 403)
before = root.get("incarnation")
fact("reload", monit("reload")[0] == 0)
after = status().get("incarnation")
fact("the incarnation changes with a reload", int(after) >= int(before), (before, after))
code, _, err = monit("stop", "-g", "store", "--wait")
fact("stop -g", code == 0, err)
fact("the service is not monitored then", {s.get("name"): s.findtext("monitor") for s in
                                           status().findall("services/service")}["db"] == "0")
code, out, _ = monit("summary")
fact("summary", code == 0 and "db" in out)
fact("start -g", monit("start", "-g", "store", "--wait")[0] == 0)
