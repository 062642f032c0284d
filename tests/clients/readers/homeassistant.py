"""Home Assistant's component: the server's elements and each service's."""

from facts import ask, client, xml

fact = client("Home Assistant")
root = xml()
for name in "id incarnation version uptime poll localhostname".split():
    fact("server/" + name, root.findtext("server/" + name), name)
for service in root.findall("service"):
    elements = [service.findtext(name) for name in ("name", "status", "collected_sec", "collected_usec")]
    fact("elements of " + elements[0], all(elements), elements)
fact("401 is an error of the password", ask("/_status?format=xml", user="admin:no").code == 401)
