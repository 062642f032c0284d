"""Netdata's go.d monit: the status within a second, and two bits of it."""

import time

from facts import ask, client, services, xml

fact = client("Netdata")
begun = time.monotonic()
answer = ask("/_status?format=xml&level=full")
fact("an answer within a second", answer.code == 200 and time.monotonic() - begun < 1)
fact("the name and the password that are its defaults", ask("/_status?format=xml", user="admin:monit").code == 200)
root = xml()
fact("server exists", root.find("server") is not None)
found = services(root)
fact("what does not exist has bit 512", int(found["gone"].findtext("status")) == 512)
fact("what is well has no bit", found["web"].findtext("status") == "0")
fact("a checksum that failed has bit 1", int(found["text"].findtext("status")) == 1, found["text"].findtext("status"))
fact("a program's status that failed has bit 2097152", int(found["bad"].findtext("status")) == 2097152)
