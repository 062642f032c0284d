"""sensu-plugins-monit: monitor is 1 or 5, status is 0."""

from facts import client, monit, services, xml

fact = client("Sensu")
for name, service in services(xml()).items():
    if name in ("gone", "bad", "text", "resting"):
        continue
    state = (service.findtext("monitor"), service.findtext("status"))
    fact(name + " is well", state[0] in ("1", "5") and state[1] == "0", state)
for name, code in (("web", 0), ("gone", 2), ("resting", 3)):
    told = monit("check", name)
    fact("check %s exits with %d" % (name, code), told[0] == code and told[1].count("\n") == 1, told)
