"""Recipes for Capistrano and Engine Yard, OpsWorks, Opsview: every order of words."""

import os

from facts import client, monit

fact = client("Capistrano")
ORDERS = ["restart web", "restart all -g store", "restart -g store", "-g store restart all", "-g store restart",
          "unmonitor all -g store", "monitor all -g store", "monitor -g store"]
for words in ORDERS:
    told = monit(*words.split(), "--wait")
    fact(words, told[0] == 0 and told[1] == "", told)
fact("a name is a name", monit("restart", "we.")[0] == 1)
fact("unknown group", monit("restart", "-g", "nobodies")[0] == 1)
monit("validate")
out = monit("summary", "-B")[1]
fact("what is down is told from what is up", "Running" not in out and len(out.splitlines()) == 15, out)
here = os.environ["DIR"]
fact("nothing was written where it was called", not os.path.exists(here + "/monit.state"))
