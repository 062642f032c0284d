"""munin-contrib's monit_parser: takes the first memory and cpu of each process, and fails where there is none."""

from facts import client, xml

fact = client("munin")
for service in xml().findall("service[@type='3']"):
    name = service.findtext("name")
    try:
        memory = int(service.findall("memory")[0].findall("kilobytetotal")[0].text)
        cpu = float(service.findall("cpu")[0].findall("percenttotal")[0].text)
        fact(name, memory >= 0 and cpu >= 0, (memory, cpu))
    except IndexError as error:
        fact(name, False, error)
