"""Five exporters for Prometheus: monofox, ririnto, commercetools, greymagpie, netham45."""

from facts import ask, client, services, xml

fact = client("Prometheus exporters")
answer = ask("/_status?format=xml&level=full")
fact("2xx", 200 <= answer.code < 300)
fact("XML is said to be XML", answer.headers["Content-Type"].startswith("text/xml"), answer.headers["Content-Type"])
text = answer.body.decode("utf-8")
fact("one declaration, and no blanks between elements", text.startswith("<?xml version=") and "> <" not in text)
root = xml()
for name, service in services(root).items():
    int(service.get("type")), int(service.findtext("status")), int(service.findtext("monitor"))
    fact("type, status and monitor of %s are numbers" % name, True)
web = services(root)["web"]
fact("memory and cpu", float(web.findtext("memory/percent")) >= 0 and float(web.findtext("cpu/percent")) >= 0)
fact("what was read and written", all(int(web.findtext(way + "/bytesgeneric/" + what)) >= 0
                                      for way in ("read", "write") for what in ("count", "total")))
root_fs = services(root)["root"]
fact("inodes are whole numbers", root_fs.findtext("inode/total").isdigit() and root_fs.findtext("inode/usage").isdigit())
gone = services(root)["gone"]
fact("what does not run has memory and cpu of 0", float(gone.findtext("memory/percent")) == 0)
