#include "simulation/layouts.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"

#define STRANGERS_EVERY 4 /* seeds */
#define STANDBY_EVERY   4 /* of the others */

/* The two-site network of the examples, without name servers and pages. The formats' arguments: keys of both
 * relays; the domain's recipients. */
static const char network_format[] =
    "store { url = \"memory:\" }\n"
    "system { log_messages = \"none\" }\n" /* the trace has them */
    "site \"east\" { }\n"
    "site \"west\" { }\n"
    "node \"east1\" { site = \"east\"  roles = {\"relay\", \"director\", \"mailbox\"} }\n"
    "node \"west1\" { site = \"west\"  roles = {\"relay\", \"director\", \"mailbox\"} }\n"
    "relay \"relay-east\" { node = \"east1\"  hostname = \"relay-east.example.test\"\n"
    "    address = {\"127.1.0.2\"}  listen = {\"127.1.0.2:2525\"}  %s }\n"
    "relay \"relay-west\" { node = \"west1\"  hostname = \"relay-west.example.test\"\n"
    "    address = {\"127.2.0.2\"}  listen = {\"127.2.0.2:2525\"}  %s }\n"
    "domain \"example.test\" { server = \"mail1\"  relays = {\"relay-east\", \"relay-west\"}\n"
    "    recipients = \"%s\" }\n";

/* Its argument: mail1's standby servers. */
static const char builtin_format[] =
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
    "}\n";

/* It runs all the time, and nobody starts it again when it has died but its own node. */
static const char standby_section[] =
    "server \"mail2\" { kind = \"builtin\"  site = \"west\"  hostname = \"mail2.example.test\"\n"
    "    address = {\"127.2.0.20\"}\n"
    "    smtp_port = 2525  lmtp_port = 2424  submission_port = 2587  imap_port = 2143  pop3_port = 2110\n"
    "    check { kind = \"smtp\"  interval = \"500ms\"  timeout = \"2s\"  fall = 2  rise = 2 }\n"
    "    failover { mode = \"manual\"  attempts = 3  after = \"2s\" }\n"
    "}\n";

/* As the example of a backup MX has it. Its arguments: the protocol, thrice. */
static const char external_format[] =
    "server \"mail1\" { kind = \"external\"  protocol = \"%s\"  site = \"east\"  hostname = "
    "\"mail1.example.test\"\n"
    "    address = {\"127.5.0.10\"}  %s_port = 2525\n"
    "    check { kind = \"%s\"  interval = \"500ms\"  timeout = \"2s\"  fall = 2  rise = 1 }\n"
    "    failover { mode = \"manual\" }\n"
    "}\n";

/* Soon, so that it happens while disasters do. */
#define TELLING "outside_port = 2525  retry = \"500ms\"  delay_notice = \"2s\"  expire = \"9s\"  "

static const struct {
    const char *name, *relays, *standby, *protocol; /* protocol NULL: builtin */
} plans[LAYOUT_COUNT] = {
    [LAYOUT_PLAIN] = {"a plain world", "", NULL, NULL},
    [LAYOUT_STANDBY] = {"a world with a standby", "", "\"mail2\"", NULL},
    [LAYOUT_TOLD] = {"a world whose senders are told", TELLING "bounce = \"always\"", NULL, NULL},
    [LAYOUT_EXTERNAL] = {"a world with an external server, by SMTP", TELLING "bounce = \"always\"", NULL,
                         "smtp"},
    [LAYOUT_LMTP] = {"a world with an external server, by LMTP", TELLING "bounce = \"never\"", NULL, "lmtp"},
};

static struct config *parse(const char *text)
{
    struct config *config;
    struct config_findings findings;
    if (config_parse(str_from(text), "/simulation/holdfast.conf", "/simulation/state", &config, &findings) <
        0) {
        config_findings_print(&findings, stderr);
        abort();
    }
    config_findings_free(&findings);
    return config;
}

static void put_server(struct buf *text, enum layout layout)
{
    const char *protocol = plans[layout].protocol, *standby = plans[layout].standby;
    if (protocol)
        buf_append_fmt(text, external_format, protocol, protocol, protocol);
    else
        buf_append_fmt(text, builtin_format, standby ? standby : "");
    if (standby)
        buf_append_text(text, standby_section);
}

static struct config *load(enum layout layout)
{
    struct buf text;
    buf_init(&text, sizeof(network_format) + 4096);
    buf_append_fmt(&text, network_format, plans[layout].relays, plans[layout].relays,
                   layout_is_external(layout) ? "any" : "directory");
    put_server(&text, layout);
    CHECK(!text.overflow);
    struct config *config = parse(buf_data(&text));
    buf_fini(&text);
    return config;
}

void layouts_load(struct layouts *ret_layouts)
{
    for (int i = 0; i < LAYOUT_COUNT; i++)
        ret_layouts->items[i] = load((enum layout)i);
}

void layouts_free(struct layouts *l)
{
    for (int i = 0; i < LAYOUT_COUNT; i++)
        config_free(l->items[i]);
}

enum layout layout_choose(uint64_t seed, uint64_t random)
{
    static const enum layout strange[] = {LAYOUT_EXTERNAL, LAYOUT_LMTP, LAYOUT_TOLD};
    if (seed % STRANGERS_EVERY == 1)
        return strange[seed / STRANGERS_EVERY % ARRAY_LEN(strange)];
    return random % STANDBY_EVERY == 0 ? LAYOUT_STANDBY : LAYOUT_PLAIN;
}

bool layout_has_strangers(enum layout layout)
{
    return layout >= LAYOUT_TOLD;
}

bool layout_has_instances(enum layout layout)
{
    return plans[layout].protocol == NULL;
}

bool layout_is_external(enum layout layout)
{
    return !layout_has_instances(layout);
}

const char *layout_name(enum layout layout)
{
    return plans[layout].name;
}
