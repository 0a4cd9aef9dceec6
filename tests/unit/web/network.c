#include "network.h"

#include "unit/unit.h"

static const char text[] =
    "store { url = \"sqlite:store\" }\n"
    "site \"east\" { }\n"
    "site \"west\" { }\n"
    "node \"east1\" { site = \"east\"  roles = {\"relay\", \"director\", \"mailbox\"} }\n"
    "node \"west1\" { site = \"west\"  roles = {\"relay\", \"director\", \"mailbox\"} }\n"
    "web \"east\" { node = \"east1\"  listen = {\"127.0.0.1:1\", \"127.0.0.2:1\"} }\n"
    "relay \"relay-east\" { node = \"east1\"  hostname = \"relay-east.example.test\"  address = "
    "{\"127.0.0.2\"}\n"
    "    listen = {\"127.0.0.2:2525\"} }\n"
    "relay \"relay-west\" { node = \"west1\"  hostname = \"relay-west.example.test\"  address = "
    "{\"127.0.0.3\"}\n"
    "    listen = {\"127.0.0.3:2525\"} }\n"
    "domain \"example.test\" { server = \"mail1\"  relays = {\"relay-east\", \"relay-west\"} }\n"
    "server \"mail1\" { kind = \"builtin\"  site = \"east\"  hostname = \"mail1.example.test\"\n"
    "    address = {\"127.0.0.10\"}  smtp_port = 2525 }\n"
    "server \"old\" { kind = \"external\"  site = \"west\"  hostname = \"old.example.test\"\n"
    "    address = {\"127.0.0.11\"}  smtp_port = 25 }\n";

struct config *network_config(void)
{
    struct config *config = NULL;
    struct config_findings findings = {0};
    int err = config_parse(STR(text), "/x/holdfast.conf", "/x/state", &config, &findings);
    config_findings_print(&findings, stderr);
    config_findings_free(&findings);
    assert_ok(err);
    return config;
}
