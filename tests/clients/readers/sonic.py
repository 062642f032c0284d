"""SONiC's system-health and sonic-mgmt: columns of the summary, lines of the status."""

from facts import client, monit

fact = client("SONiC")
code, out, _ = monit("summary", "-B")
lines = out.splitlines()
fact("at least three lines", code == 0 and len(lines) >= 3)
status, kind = lines[1].index("Status"), lines[1].index("Type")
table = {line[:status].strip(): (line[status:kind].strip(), line[kind:].strip()) for line in lines[2:]}
fact("columns are found by their titles", table["web"] == ("OK", "Process"), table.get("web"))
fact("types", (table["box"][1], table["root"][1], table["good"][1]) == ("System", "Filesystem", "Program"), table)
fact("what is wrong is not OK", table["gone"][0] == "Does not exist" and table["bad"][0] == "Status failed", table)
code, out, _ = monit("status")
lines = out.splitlines()
read = {}
for place, line in enumerate(lines):
    if "status" in line and "monitoring status" not in line and line.startswith("  status"):
        read[lines[place - 1].split("'")[1]] = line.split("status", 1)[1].strip()
fact("the line before the status names the service", read["web"] == "OK" and read["gone"] == "Does not exist", read)
