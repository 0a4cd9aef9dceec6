#include "config/schema.h"

#include <string.h>

#include "base/log.h"
#include "config/config.h"

#define SECOND_MS 1000LL
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)
#define KIB       1024LL
#define MIB       (1024 * KIB)
#define GIB       (1024 * MIB)

#define FIELD(key, type, member) .name = (key), .offset = offsetof(struct type, member)
#define LIMITS(least, most)      .min = (least), .max = (most)
#define ADDRESSES                LIMITS(1, 16) /* an answer with more would not fit 512 bytes of UDP */
#define TTL_MAX_MS               (7 * DAY_MS)  /* longer, and a failover is not seen */
#define MESSAGE_SIZE_LIMITS      LIMITS(64 * KIB, GIB) /* RFC 5321 4.5.3.1.7 asks for 64 KiB at least */
#define ARRAY(type, items, count)                                                                            \
    .offset = offsetof(struct type, items), .count_offset = offsetof(struct type, count)
#define PORT_HELP(what) "Port for " what " on each address; 0: not offered."

_Static_assert(sizeof(enum server_kind) == sizeof(int), "a word's field is as wide as an int");

static const struct schema_word role_words[] = {
    {"dns", ROLE_DNS}, {"relay", ROLE_RELAY}, {"director", ROLE_DIRECTOR}, {"mailbox", ROLE_MAILBOX},
    {NULL, 0},
};

static const struct schema_word recipients_words[] = {
    {"directory", RECIPIENTS_DIRECTORY},
    {"list", RECIPIENTS_LIST},
    {"any", RECIPIENTS_ANY},
    {"verify", RECIPIENTS_VERIFY},
    {NULL, 0},
};

static const struct schema_word unknown_words[] = {
    {"defer", UNKNOWN_DEFER},
    {"accept", UNKNOWN_ACCEPT},
    {"reject", UNKNOWN_REJECT},
    {NULL, 0},
};

static const struct schema_word log_words[] = {
    {"debug", LOG_DEBUG}, {"info", LOG_INFO}, {"warning", LOG_WARNING}, {"error", LOG_ERROR}, {NULL, 0},
};

static const struct schema_word kind_words[] = {
    {"builtin", SERVER_BUILTIN},
    {"external", SERVER_EXTERNAL},
    {NULL, 0},
};

static const struct schema_word protocol_words[] = {
    {"smtp", SERVER_SMTP},
    {"lmtp", SERVER_LMTP},
    {NULL, 0},
};

static const struct schema_word check_words[] = {
    {"smtp", CHECK_SMTP},
    {"imap", CHECK_IMAP},
    {"pop3", CHECK_POP3},
    {"lmtp", CHECK_LMTP},
    {"tcp", CHECK_TCP},
    {"command", CHECK_COMMAND},
    {NULL, 0},
};

static const struct schema_word log_messages_words[] = {
    {"all", LOG_MESSAGES_ALL},
    {"none", LOG_MESSAGES_NONE},
    {NULL, 0},
};

static const struct schema_word mode_words[] = {
    {"manual", FAILOVER_MANUAL},
    {"automatic", FAILOVER_AUTOMATIC},
    {NULL, 0},
};

/* ---- the whole network ---- */

static const struct schema_key no_keys[] = {{.name = NULL}};

static const struct schema_key store_keys[] = {
    {FIELD("url", config, store_url), SCHEMA_STORE_URL, RELOAD_RESTART, "\"sqlite:store\"",
     .help = "`sqlite:FOLDER` (below the state folder unless absolute; all nodes on one machine), or "
             "`memory:` (for tests "
             "only: nothing survives the process)."},
    {FIELD("events_max", config, events_max), SCHEMA_INT, RELOAD_RESTART, "100000", LIMITS(1000, 10000000),
     .help = "How many events are kept of what happened in the network."},
    {FIELD("events_age", config, events_age_ms), SCHEMA_DURATION, RELOAD_RESTART, "\"90d\"",
     LIMITS(HOUR_MS, 3650 * DAY_MS), .help = "How long an event is kept."},
    {.name = NULL},
};

static const struct schema_key users_keys[] = {
    {FIELD("file", config, users_file), SCHEMA_PATH, RELOAD_NONE, "",
     .help = "passwd-file lines `address:{SCHEME}hash`, read into a store that has no users yet."},
    {.name = NULL},
};

static const struct schema_key system_keys[] = {
    {FIELD("user", config, user), SCHEMA_USER, RELOAD_RESTART, "",
     .help =
         "The system user that roles run as once their ports are bound, and commands that open the store, "
         "when they were started as root; unset: no change for roles, and commands run as the state "
         "folder's owner."},
    {FIELD("log", config, log_level), SCHEMA_WORD, RELOAD_LIVE, "\"info\"", .words = log_words,
     .help = "The least level that is logged, to standard error. (`run` passes `SIGHUP` on to the roles; an "
             "instance of a messaging server, which the director started, wants its own.)"},
    {FIELD("log_messages", config, log_messages), SCHEMA_WORD, RELOAD_LIVE, "\"all\"",
     .words = log_messages_words,
     .help = "Whether each message accepted, refused, delivered, deferred or quarantined, and each login, "
             "has its "
             "line in the log."},
    {.name = NULL},
};

static const struct schema_key timing_keys[] = {
    {FIELD("lease", config, lease_ms), SCHEMA_DURATION, RELOAD_RESTART, "\"2500ms\"",
     LIMITS(500, 5 * MINUTE_MS),
     .help = "How long a lease of a director, relay or instance holds without renewal: others may take over "
             "after that."},
    {.name = NULL},
};

/* ---- nodes and what runs on them ---- */

static const struct schema_key node_keys[] = {
    {FIELD("site", config_node, site), SCHEMA_REF, RELOAD_RESTART, NULL, .ref = "site",
     .help = "The data centre it is in."},
    {FIELD("roles", config_node, roles), SCHEMA_WORDS, RELOAD_RESTART, NULL, LIMITS(1, 4),
     .words = role_words,
     .help = "What it runs. A mailbox needs a director beside it, whose process starts its instances."},
    {FIELD("host", config_node, host), SCHEMA_TEXT, RELOAD_RESTART, "",
     .help = "Name of the machine that it runs on; unset: this one, as all nodes without it."},
    {.name = NULL},
};

static const struct schema_key dns_keys[] = {
    {FIELD("node", config_dns, node), SCHEMA_REF, RELOAD_RESTART, NULL, .ref = "node",
     .help = "Where it runs."},
    {FIELD("hostname", config_dns, hostname), SCHEMA_HOSTNAME, RELOAD_RESTART, NULL,
     .help = "Its name in the made NS records."},
    {FIELD("address", config_dns, address), SCHEMA_IPS, RELOAD_RESTART, NULL, ADDRESSES,
     .help = "What DNS answers for its name."},
    {FIELD("listen", config_dns, listen), SCHEMA_ENDPOINTS, RELOAD_RESTART, NULL, ADDRESSES,
     .help = "What is bound, UDP and TCP."},
    {FIELD("udp_threads", config_dns, udp_threads), SCHEMA_INT, RELOAD_RESTART, "0", LIMITS(0, 64),
     .help = "Threads that answer UDP; 0: one per core, at most 8."},
    {.name = NULL},
};

static const struct schema_key web_keys[] = {
    {FIELD("node", config_web, node), SCHEMA_REF, RELOAD_RESTART, NULL, .ref = "node",
     .help = "Where it runs."},
    {FIELD("listen", config_web, listen), SCHEMA_ENDPOINTS, RELOAD_RESTART, NULL, ADDRESSES,
     .help = "What is bound, HTTP."},
    {.name = NULL},
};

static const struct schema_key zone_keys[] = {
    {FIELD("file", config_zone, file), SCHEMA_PATH, RELOAD_LIVE, "",
     .help = "Static records, an RFC 1035 master file."},
    {FIELD("ttl", config_zone, ttl_ms), SCHEMA_DURATION, RELOAD_LIVE, "\"15s\"", LIMITS(0, TTL_MAX_MS),
     .help = "TTL of steered answers, at most; whole seconds."},
    {.name = NULL},
};

static const struct schema_key relay_keys[] = {
    {FIELD("node", config_relay, node), SCHEMA_REF, RELOAD_RESTART, NULL, .ref = "node",
     .help = "Where it runs, and whose queue it owns."},
    {FIELD("hostname", config_relay, hostname), SCHEMA_HOSTNAME, RELOAD_RESTART, NULL,
     .help = "Its name in MX records, greetings and Received lines."},
    {FIELD("address", config_relay, address), SCHEMA_IPS, RELOAD_RESTART_ALL, NULL, ADDRESSES,
     .help = "What DNS answers for its name."},
    {FIELD("listen", config_relay, listen), SCHEMA_ENDPOINTS, RELOAD_RESTART, NULL, ADDRESSES,
     .help = "What is bound, SMTP."},
    {FIELD("retry", config_relay, retry_ms), SCHEMA_DURATION, RELOAD_LIVE, "\"1s\"", LIMITS(100, DAY_MS),
     .help = "Time between attempts at a server that is down."},
    {FIELD("expire", config_relay, expire_ms), SCHEMA_DURATION, RELOAD_LIVE, "\"5d\"",
     LIMITS(SECOND_MS, 90 * DAY_MS),
     .help = "Age at which a message is given up (RFC 5321 4.5.4.1: four to five days)."},
    {FIELD("safety_net", config_relay, safety_net_ms), SCHEMA_DURATION, RELOAD_LIVE, "\"2d\"",
     LIMITS(0, 90 * DAY_MS),
     .help = "How long delivered messages are kept, for holdfast replay; \"0s\": not at all."},
    {FIELD("safety_net_max", config_relay, safety_net_max_bytes), SCHEMA_SIZE, RELOAD_LIVE, "\"1GiB\"",
     LIMITS(0, 1024 * 1024 * GIB),
     .help = "Bytes of them; beyond it the oldest go. They also go when the disk is full."},
    {FIELD("message_size_max", config_relay, message_size_max_bytes), SCHEMA_SIZE, RELOAD_RESTART,
     "\"50MiB\"", MESSAGE_SIZE_LIMITS, .help = "The largest message taken, announced by SIZE."},
    {FIELD("connections_max", config_relay, connections_max), SCHEMA_INT, RELOAD_LIVE, "2000",
     LIMITS(1, 100000), .help = "Sessions at once; more get 421."},
    {FIELD("recipients_max", config_relay, recipients_max), SCHEMA_INT, RELOAD_LIVE, "1000",
     LIMITS(100, 100000), .help = "Recipients of one message (RFC 5321 4.5.3.1.8: 100 at least)."},
    {FIELD("idle_timeout", config_relay, idle_timeout_ms), SCHEMA_DURATION, RELOAD_LIVE, "\"5m\"",
     LIMITS(SECOND_MS, HOUR_MS),
     .help = "How long a client may be silent (RFC 5321 4.5.3.2.7: five minutes)."},
    {FIELD("delivery_sessions_max", config_relay, delivery_sessions_max), SCHEMA_INT, RELOAD_LIVE, "10",
     LIMITS(1, 1000), .help = "Sessions to one server at once."},
    {FIELD("losses_max", config_relay, losses_max), SCHEMA_INT, RELOAD_LIVE, "5", LIMITS(1, 100),
     .help = "Connections lost during a message before it is quarantined; the waits between grow eightfold, "
             "from `retry`: ten minutes in all."},
    {.name = NULL},
};

/* ---- domains and their servers ---- */

static const struct schema_key domain_keys[] = {
    {FIELD("server", config_domain, server), SCHEMA_REF, RELOAD_RESTART, NULL, .ref = "server",
     .help = "The home of its messages."},
    {FIELD("relays", config_domain, relays), SCHEMA_REFS, RELOAD_RESTART, "{}", LIMITS(0, 16), .ref = "relay",
     .more_offset = offsetof(struct config_domain, relay_count),
     .help = "Its relays, in the order of preference."},
    {FIELD("recipients", config_domain, recipients), SCHEMA_WORD, RELOAD_LIVE, "\"directory\"",
     .words = recipients_words,
     .help = "Whom relays take mail for: the users of the store, the addresses of `recipients_file`, those "
             "whom an "
             "external server says it has (`verify`: asked, and remembered), or anyone."},
    {FIELD("recipients_file", config_domain, recipients_file), SCHEMA_PATH, RELOAD_LIVE, "",
     .help = "For `recipients = \"list\"`: one address a line. Read again soon after it has changed; one "
             "with a mistake "
             "leaves the old list, with a warning."},
    {FIELD("unknown", config_domain, unknown), SCHEMA_WORD, RELOAD_LIVE, "\"defer\"", .words = unknown_words,
     .help = "For `recipients = \"verify\"`, a recipient about whom the server never said anything while it "
             "is down: "
             "`450 4.1.1`, `250` (what it refuses later is quarantined), or `550 5.1.1`."},
    {FIELD("verify_timeout", config_domain, verify_timeout_ms), SCHEMA_DURATION, RELOAD_LIVE, "\"10s\"",
     LIMITS(100, 4 * MINUTE_MS),
     .help =
         "How long `RCPT` waits for the server's answer; then the server counts as down. (Senders wait five "
         "minutes, RFC 5321 4.5.3.2.3.)"},
    {FIELD("verify_positive_refresh", config_domain, verify_positive_refresh_ms), SCHEMA_DURATION,
     RELOAD_LIVE, "\"1d\"", LIMITS(0, 3650 * DAY_MS),
     .help = "A known recipient is asked about again after this time."},
    {FIELD("verify_positive_expire", config_domain, verify_positive_expire_ms), SCHEMA_DURATION, RELOAD_LIVE,
     "\"31d\"", LIMITS(MINUTE_MS, 3650 * DAY_MS),
     .help = "How long he counts as known while the server cannot be asked."},
    {FIELD("verify_negative_refresh", config_domain, verify_negative_refresh_ms), SCHEMA_DURATION,
     RELOAD_LIVE, "\"10m\"", LIMITS(0, 3650 * DAY_MS),
     .help = "An unknown recipient is asked about again after this time: as long may mail of a new user be "
             "refused."},
    {FIELD("verify_negative_expire", config_domain, verify_negative_expire_ms), SCHEMA_DURATION, RELOAD_LIVE,
     "\"3d\"", LIMITS(MINUTE_MS, 3650 * DAY_MS),
     .help = "How long he counts as unknown while the server cannot be asked."},
    {FIELD("verify_positive_max", config_domain, verify_positive_max), SCHEMA_INT, RELOAD_LIVE, "1000000",
     LIMITS(100, 100000000),
     .help = "Known recipients that are remembered; beyond it the oldest answers go."},
    {FIELD("verify_negative_max", config_domain, verify_negative_max), SCHEMA_INT, RELOAD_LIVE, "10000",
     LIMITS(100, 10000000), .help = "The same for unknown ones; they never push out known ones."},
    {FIELD("postmaster", config_domain, postmaster), SCHEMA_TEXT, RELOAD_RESTART, "",
     .help = "The user of a builtin server that gets mail for `postmaster`, which is always taken (RFC 5321 "
             "4.5.1) and "
             "needs no user of that name; unset: the user `postmaster`, and while there is none it waits in "
             "his mailbox."},
    {.name = NULL},
};

static const struct schema_key server_keys[] = {
    {FIELD("kind", config_server, kind), SCHEMA_WORD, RELOAD_RESTART, NULL, .words = kind_words,
     .help = "Ours, or any other SMTP or LMTP server."},
    {FIELD("protocol", config_server, protocol), SCHEMA_WORD, RELOAD_RESTART_ALL, "\"smtp\"",
     .words = protocol_words, .help = "How relays deliver to it."},
    {FIELD("site", config_server, site), SCHEMA_REF, RELOAD_RESTART, NULL, .ref = "site",
     .help = "Its data centre."},
    {FIELD("hostname", config_server, hostname), SCHEMA_HOSTNAME, RELOAD_RESTART, NULL,
     .help = "Its name in MX records and greetings."},
    {FIELD("address", config_server, address), SCHEMA_IPS, RELOAD_RESTART, NULL, ADDRESSES,
     .help = "Its own addresses; no other server may have one of them."},
    {FIELD("smtp_port", config_server, smtp_port), SCHEMA_INT, RELOAD_RESTART, "25", LIMITS(0, 65535),
     .help = PORT_HELP("SMTP")},
    {FIELD("lmtp_port", config_server, lmtp_port), SCHEMA_INT, RELOAD_RESTART, "0", LIMITS(0, 65535),
     .help = PORT_HELP("LMTP")},
    {FIELD("submission_port", config_server, submission_port), SCHEMA_INT, RELOAD_RESTART, "0",
     LIMITS(0, 65535), .help = PORT_HELP("submission (RFC 6409)")},
    {FIELD("imap_port", config_server, imap_port), SCHEMA_INT, RELOAD_RESTART, "0", LIMITS(0, 65535),
     .help = PORT_HELP("IMAP4")},
    {FIELD("pop3_port", config_server, pop3_port), SCHEMA_INT, RELOAD_RESTART, "0", LIMITS(0, 65535),
     .help = PORT_HELP("POP3")},
    {FIELD("message_size_max", config_server, message_size_max_bytes), SCHEMA_SIZE, RELOAD_RESTART,
     "\"50MiB\"", MESSAGE_SIZE_LIMITS, .help = "The largest message that a builtin server takes."},
    {.name = NULL},
};

static const struct schema_key check_keys[] = {
    {FIELD("kind", config_check, kind), SCHEMA_WORD, RELOAD_RESTART, NULL, .words = check_words,
     .help = "The dialogue that is held; `tcp` only connects to the port that relays deliver to; `command` "
             "runs a "
             "monitoring plugin."},
    {FIELD("interval", config_check, interval_ms), SCHEMA_DURATION, RELOAD_LIVE, "\"1s\"",
     LIMITS(50, HOUR_MS), .help = "Time between probes."},
    {FIELD("timeout", config_check, timeout_ms), SCHEMA_DURATION, RELOAD_LIVE, "\"2s\"",
     LIMITS(50, 10 * MINUTE_MS), .help = "When a probe without an answer has failed."},
    {FIELD("fall", config_check, fall), SCHEMA_INT, RELOAD_LIVE, "3", LIMITS(1, 64),
     .help = "Failures in a row that make the server inoperable."},
    {FIELD("rise", config_check, rise), SCHEMA_INT, RELOAD_LIVE, "2", LIMITS(1, 64),
     .help = "Successes in a row that make it operational again."},
    {FIELD("command", config_check, command), SCHEMA_COMMAND, RELOAD_RESTART, "",
     .help = "For `kind = \"command\"`: the plugin (exit status 0 and 1: operational, else not)."},
    {.name = NULL},
};

static const struct schema_key create_keys[] = {
    {FIELD("site", config_create, site), SCHEMA_REF, RELOAD_RESTART, NULL, .ref = "site",
     .help = "Where the server is created; passed over when no node of it lives."},
    {FIELD("address", config_create, address_same), SCHEMA_IP_OR_SAME, RELOAD_RESTART, NULL,
     .more_offset = offsetof(struct config_create, address),
     .help = "Its address there, or `\"same\"`: the server's own."},
    {FIELD("provisioner", config_create, provisioner), SCHEMA_PROGRAM, RELOAD_RESTART, "\"process\"",
     .help = "What creates it: a name in `provision/`, or an absolute path."},
    {FIELD("fence", config_create, fence), SCHEMA_PROGRAM, RELOAD_RESTART, "\"epoch\"",
     .help = "What makes sure that the old instance is off: a name in `fence/`, an absolute path of a fence "
             "agent, or "
             "`\"epoch\"`: the store refuses the old one (builtin servers at another address)."},
    {FIELD("timeout", config_create, timeout_ms), SCHEMA_DURATION, RELOAD_LIVE, "\"1m\"",
     LIMITS(SECOND_MS, HOUR_MS), .help = "For creation and its checks together; then the next way is tried."},
    {.name = NULL},
};

static const struct schema_key failover_keys[] = {
    {FIELD("mode", config_failover, mode), SCHEMA_WORD, RELOAD_LIVE, "\"manual\"", .words = mode_words,
     .help = "Who decides: an operator, or the director."},
    {FIELD("attempts", config_failover, attempts), SCHEMA_INT, RELOAD_LIVE, "3", LIMITS(1, 1000),
     .help = "Failed attempts by the relay (deliveries, or probes when none waits), and"},
    {FIELD("after", config_failover, after_ms), SCHEMA_DURATION, RELOAD_LIVE, "\"30s\"", LIMITS(0, DAY_MS),
     .help = "time inoperable, before another server is invoked."},
    {FIELD("standby", config_failover, standby), SCHEMA_REFS, RELOAD_RESTART, "{}", LIMITS(0, 16),
     .ref = "server", .more_offset = offsetof(struct config_failover, standby_count),
     .help = "Servers that already run, tried first."},
    {.name = NULL},
};

/* ---- sections ---- */

static const struct schema_section store_section = {.name = "store",
                                                    .owner = OWNER_EVERYONE,
                                                    .keys = store_keys,
                                                    .help = "Where everything durable is kept."};
static const struct schema_section users_section = {
    .name = "users", .owner = OWNER_EVERYONE, .keys = users_keys, .help = "The first users."};
static const struct schema_section system_section = {
    .name = "system", .owner = OWNER_EVERYONE, .keys = system_keys, .help = "How roles run on a machine."};
static const struct schema_section timing_section = {
    .name = "timing", .owner = OWNER_EVERYONE, .keys = timing_keys, .help = "How soon others take over."};
static const struct schema_section site_section = {.name = "site",
                                                   .title = TITLE_NAME,
                                                   .many = true,
                                                   .size = sizeof(struct config_site),
                                                   ARRAY(config, sites, site_count),
                                                   .owner = OWNER_EVERYONE,
                                                   .reload = RELOAD_RESTART,
                                                   .keys = no_keys,
                                                   .help = "A data centre."};
static const struct schema_section node_section = {
    .name = "node",
    .title = TITLE_NAME,
    .many = true,
    .size = sizeof(struct config_node),
    ARRAY(config, nodes, node_count),
    .owner = OWNER_EVERYONE,
    .reload = RELOAD_RESTART,
    .keys = node_keys,
    .help = "A machine, or a part of one, that runs some of the roles."};
static const struct schema_section dns_section = {.name = "dns",
                                                  .title = TITLE_NAME,
                                                  .many = true,
                                                  .size = sizeof(struct config_dns),
                                                  ARRAY(config, dns, dns_count),
                                                  .owner = OWNER_DNS,
                                                  .reload = RELOAD_RESTART,
                                                  .keys = dns_keys,
                                                  .help = "The name server of a node with the role `dns`."};
static const struct schema_section web_section = {
    .name = "web",
    .title = TITLE_NAME,
    .many = true,
    .size = sizeof(struct config_web),
    ARRAY(config, web, web_count),
    .owner = OWNER_DIRECTOR,
    .reload = RELOAD_RESTART,
    .keys = web_keys,
    .help = "Status page, API and metrics, served by a node's director."};
static const struct schema_section zone_section = {.name = "zone",
                                                   .title = TITLE_DOMAIN,
                                                   .many = true,
                                                   .size = sizeof(struct config_zone),
                                                   ARRAY(config, zones, zone_count),
                                                   .owner = OWNER_DNS,
                                                   .reload = RELOAD_RESTART,
                                                   .keys = zone_keys,
                                                   .help = "A zone that all name servers answer for."};
static const struct schema_section relay_section = {
    .name = "relay",
    .title = TITLE_NAME,
    .many = true,
    .size = sizeof(struct config_relay),
    ARRAY(config, relays, relay_count),
    .owner = OWNER_RELAY,
    .reload = RELOAD_RESTART,
    .keys = relay_keys,
    .help = "The store-and-forward server of a node with the role `relay`."};
static const struct schema_section domain_section = {.name = "domain",
                                                     .title = TITLE_DOMAIN,
                                                     .many = true,
                                                     .size = sizeof(struct config_domain),
                                                     ARRAY(config, domains, domain_count),
                                                     .owner = OWNER_EVERYONE,
                                                     .reload = RELOAD_RESTART,
                                                     .keys = domain_keys,
                                                     .help = "A mail domain."};
static const struct schema_section check_section = {
    .name = "check",
    .many = true,
    .size = sizeof(struct config_check),
    ARRAY(config_server, checks, check_count),
    .owner = OWNER_EVERYONE,
    .reload = RELOAD_RESTART,
    .keys = check_keys,
    .help = "A probe of the server. Without any, one of the server's `protocol` is made."};
static const struct schema_section create_section = {
    .name = "create",
    .many = true,
    .size = sizeof(struct config_create),
    ARRAY(config_failover, create, create_count),
    .owner = OWNER_DIRECTOR,
    .reload = RELOAD_RESTART,
    .keys = create_keys,
    .help = "A way to create the server again; several are tried in their order, after the standby servers."};
static const struct schema_section failover_section = {
    .name = "failover",
    .offset = offsetof(struct config_server, failover),
    .owner = OWNER_EVERYONE,
    .reload = RELOAD_LIVE,
    .keys = failover_keys,
    .sections = (const struct schema_section *const[]){&create_section, NULL},
    .help = "What is done when the server stays inoperable."};
static const struct schema_section server_section = {
    .name = "server",
    .title = TITLE_NAME,
    .many = true,
    .size = sizeof(struct config_server),
    ARRAY(config, servers, server_count),
    .owner = OWNER_SERVER,
    .reload = RELOAD_RESTART,
    .keys = server_keys,
    .sections = (const struct schema_section *const[]){&check_section, &failover_section, NULL},
    .help = "A messaging server: an identity that takes mail and lets users read it."};

const struct schema_section schema_root = {
    .name = "",
    .keys = no_keys,
    .sections = (const struct schema_section *const[]){
        &store_section, &users_section, &system_section, &timing_section, &site_section, &node_section,
        &dns_section, &web_section, &zone_section, &relay_section, &domain_section, &server_section, NULL}};

const struct schema_key *schema_key_find(const struct schema_section *s, const char *name)
{
    for (const struct schema_key *key = s->keys; key->name; key++)
        if (strcmp(key->name, name) == 0)
            return key;
    return NULL;
}

const struct schema_section *schema_section_find(const struct schema_section *s, const char *name)
{
    for (size_t i = 0; s->sections && s->sections[i]; i++)
        if (strcmp(s->sections[i]->name, name) == 0)
            return s->sections[i];
    return NULL;
}
