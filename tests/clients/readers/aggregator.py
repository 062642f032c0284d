"""thasos/monit-agregator: the report's lines."""

import re

from facts import ask, client, monit

fact = client("monit-agregator")
text = ask("/_report").body.decode()
numbers = {}
for word in ("up", "down", "initialising", "unmonitored"):
    found = re.search(r"^%s:\s+(\d+) \((\d+\.\d)%%\)$" % word, text, re.M)
    fact(word, found, text)
    numbers[word] = int(found.group(1)) if found else 0
total = re.search(r"^total:\s+(\d+) services$", text, re.M)
fact("the sum", total and int(total.group(1)) == sum(numbers.values()), text)
fact("one number", ask("/_report?type=down").body.decode().strip() == str(numbers["down"]))
fact("the same by the command line", monit("report", "down")[1].strip() == str(numbers["down"]))
