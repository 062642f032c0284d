"""Salt's modules.monit, poise-monit, monit-ng and chef-monit: the words of the command line."""

import os
import re
import subprocess

from facts import client, monit

fact = client("Salt and Chef")
first = monit("-V")[1].splitlines()[0]
fact("the last word of -V is the version", re.search(r"([0-9.]+)$", first), first)
fact("its first number is 5", re.search(r"([0-9]+\.){1,2}([0-9]+)?", first).group().startswith("5."), first)
code, out, _ = monit("-i")
fact("-i", code == 0 and re.fullmatch(r"[0-9a-f]{32}", out.split(":")[1].strip()), out)
out = subprocess.run("echo n | monit -r", shell=True, capture_output=True, text=True).stdout
fact("-r asks", "Reset Monit Id" in out, out)
control = os.environ["HOME"] + "/.monitrc"
code, out, _ = monit("-B", "-c", control, "status", "web")
fact("status by the name", re.search(r"^Process 'web'\s+status\s+(\w.+)$", out, re.M).group(1) == "OK", out)
for name, words in (("gone", "Does not exist"), ("resting", "Not monitored")):
    out = monit("-B", "-c", control, "status", name)[1]
    fact(words, re.search(r"^Process '%s'\s+status\s+%s$" % (name, words), out, re.M), out)
told = monit("start", "nobody")
fact("There is no service", told[0] == 1 and "There is no service" in told[1] + told[2], told)
fragment = os.environ["DIR"] + "/fragment"
with open(fragment, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
    file.write("check process x with pidfile /nowhere/x.pid\n")
fact("a fragment is checked alone", monit("-t", "-c", fragment)[0] == 0)
fact("flags together", monit("-tc", fragment)[:2] == (0, "Control file syntax OK\n"), monit("-tc", fragment))
for words in (("monitor", "web"), ("reload",), ("-t",), ("unmonitor", "resting")):
    fact("%s exits with 0" % " ".join(words), monit(*words)[0] == 0)
fact("validate exits with 1, as ever", monit("validate")[0] == 1)
