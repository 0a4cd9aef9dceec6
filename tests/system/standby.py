"""A network with two external servers, the second a standby of the first."""

from network import BackupMx

FIRST, OTHER = ("127.3.0.10", 2600), ("127.3.0.11", 2600)

CHANGES = (
    ('address = {"127.0.0.1"}  smtp_port = 2600', f'address = {{"{FIRST[0]}"}}  smtp_port = {FIRST[1]}'),
    ('failover { mode = "manual" }\n}', 'failover { mode = "automatic"  attempts = 2  after = "500ms"  '
     'standby = {"mail2"} }\n}\n'
     'server "mail2" {\n    kind = "external"  site = "home"  hostname = "mail2.example.test"\n'
     f'    address = {{"{OTHER[0]}"}}  smtp_port = {OTHER[1]}\n'
     '    check { kind = "smtp"  interval = "500ms"  timeout = "2s"  fall = 2  rise = 1 }\n}'),
)


def start(make_network, make_sink, changes=()):
    """(network, first server, standby), all running, the route at the first."""
    first, other = make_sink(*FIRST), make_sink(*OTHER)
    network = make_network(BackupMx, "backup-mx.conf", [*CHANGES, *changes]).start()
    network.until(lambda: network.server("mail1")["state"] == network.server("mail2")["state"] == "operational",
                  "two operational servers")
    return network, first, other
