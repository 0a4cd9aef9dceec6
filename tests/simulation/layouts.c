#include "simulation/layouts.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

/* The two-site network of the examples, without name servers and pages. The formats' arguments: mail1's
 * standby servers, and their sections. */
static const char network_format[] =
    "store { url = \"memory:\" }\n"
    "system { log_messages = \"none\" }\n" /* the trace has them */
    "site \"east\" { }\n"
    "site \"west\" { }\n"
    "node \"east1\" { site = \"east\"  roles = {\"relay\", \"director\", \"mailbox\"} }\n"
    "node \"west1\" { site = \"west\"  roles = {\"relay\", \"director\", \"mailbox\"} }\n"
    "relay \"relay-east\" { node = \"east1\"  hostname = \"relay-east.example.test\"\n"
    "    address = {\"127.1.0.2\"}  listen = {\"127.1.0.2:2525\"} }\n"
    "relay \"relay-west\" { node = \"west1\"  hostname = \"relay-west.example.test\"\n"
    "    address = {\"127.2.0.2\"}  listen = {\"127.2.0.2:2525\"} }\n"
    "domain \"example.test\" { server = \"mail1\"  relays = {\"relay-east\", \"relay-west\"}\n"
    "    recipients = \"directory\" }\n"
    "server \"mail1\" { kind = \"builtin\"  site = \"east\"  hostname = \"mail1.example.test\"\n"
    "    address = {\"127.1.0.10\"}\n"
    "    smtp_port = 2525  lmtp_port = 2424  submission_port = 2587  imap_port = 2143  pop3_port = 2110\n"
    "    check { kind = \"smtp\"  interval = \"500ms\"  timeout = \"2s\"  fall = 2  rise = 2 }\n"
    "    check { kind = \"imap\"  interval = \"2s\"  timeout = \"2s\"  fall = 3  rise = 1 }\n"
    "    failover { mode = \"automatic\"  attempts = 3  after = \"2s\"  standby = {%s}\n"
    "        create { site = \"east\"  address = \"same\"  provisioner = \"process\"  fence = \"process\"\n"
    "            timeout = \"10s\" }\n"
    "        create { site = \"west\"  address = \"127.2.0.10\"  provisioner = \"process\"  fence = "
    "\"epoch\"\n"
    "            timeout = \"10s\" }\n"
    "    }\n"
    "}\n"
    "%s";

/* It runs all the time, and nobody starts it again when it has died but its own node. */
static const char standby_section[] =
    "server \"mail2\" { kind = \"builtin\"  site = \"west\"  hostname = \"mail2.example.test\"\n"
    "    address = {\"127.2.0.20\"}\n"
    "    smtp_port = 2525  lmtp_port = 2424  submission_port = 2587  imap_port = 2143  pop3_port = 2110\n"
    "    check { kind = \"smtp\"  interval = \"500ms\"  timeout = \"2s\"  fall = 2  rise = 2 }\n"
    "    failover { mode = \"manual\"  attempts = 3  after = \"2s\" }\n"
    "}\n";

static struct config *parse(const char *standby, const char *section)
{
    struct config *config;
    struct config_findings findings;
    char *text = mem_asprintf(network_format, standby, section);
    if (config_parse(str_from(text), "/simulation/holdfast.conf", "/simulation/state", &config, &findings) <
        0) {
        config_findings_print(&findings, stderr);
        abort();
    }
    config_findings_free(&findings);
    free(text);
    return config;
}

void layouts_load(struct layouts *ret_layouts)
{
    *ret_layouts = (struct layouts){.plain = parse("", ""), .standby = parse("\"mail2\"", standby_section)};
}

void layouts_free(struct layouts *l)
{
    config_free(l->plain);
    config_free(l->standby);
}
