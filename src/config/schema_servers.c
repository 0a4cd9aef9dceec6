/* The schema of domains and their servers. */
#include "config/config.h"
#include "config/schema_parts.h"

_Static_assert(sizeof(enum server_kind) == sizeof(int), "a word's field is as wide as an int");

static const struct schema_word recipients_words[] = {
    {"directory", RECIPIENTS_DIRECTORY},
    {"list", RECIPIENTS_LIST},
    {"any", RECIPIENTS_ANY},
    {"verify", RECIPIENTS_VERIFY},
    {NULL, 0},
};

static const struct schema_word routed_words[] = {
    {"refuse", ROUTED_REFUSE},
    {"take", ROUTED_TAKE},
    {NULL, 0},
};

static const struct schema_word unknown_words[] = {
    {"defer", UNKNOWN_DEFER},
    {"accept", UNKNOWN_ACCEPT},
    {"reject", UNKNOWN_REJECT},
    {NULL, 0},
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

static const struct schema_word tls_words[] = {
    {"none", TLS_NONE},
    {"opportunistic", TLS_OPPORTUNISTIC},
    {"required", TLS_REQUIRED},
    {"pinned", TLS_PINNED},
    {NULL, 0},
};

static const struct schema_word info_words[] = {
    {"none", CLIENT_INFO_NONE},
    {"xforward", CLIENT_INFO_XFORWARD},
    {"xclient", CLIENT_INFO_XCLIENT},
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

static const struct schema_word mode_words[] = {
    {"manual", FAILOVER_MANUAL},
    {"automatic", FAILOVER_AUTOMATIC},
    {NULL, 0},
};

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
    {FIELD("routed_recipients", config_domain, routed), SCHEMA_WORD, RELOAD_LIVE, "\"refuse\"",
     .words = routed_words,
     .help = "Recipients whose local part holds `@`, `%` or `!`, as `user%other.example` and "
             "`other.example!user`: a server that trusts its relay may send their mail on to the other "
             "domain, for anyone. Refused with `550 5.7.1`, unless the user or the list has exactly that "
             "address. `take` them only where the server sends nothing on."},
    {FIELD("unknown", config_domain, unknown), SCHEMA_WORD, RELOAD_LIVE, "\"defer\"", .words = unknown_words,
     .help =
         "For `recipients = \"verify\"`, a recipient about whom the server never said anything while it "
         "is down: "
         "`450 4.1.1`, `250` (what it refuses later is quarantined), or `550 5.1.1` (`450 4.1.1` of one that "
         "gives no answer and yet counts as operational)."},
    {FIELD("verify_timeout", config_domain, verify_timeout_ms), SCHEMA_DURATION, RELOAD_LIVE, "\"10s\"",
     LIMITS(100, 4 * MINUTE_MS),
     .help = "How long `RCPT` waits for the server's answer; then `unknown` says it. (Senders wait five "
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
     .help = "Its own addresses; no other server may have one of them. A builtin server has one."},
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
    {FIELD("submissions_port", config_server, submissions_port), SCHEMA_INT, RELOAD_RESTART, "0",
     LIMITS(0, 65535), .help = TLS_PORT_HELP("submission", "465")},
    {FIELD("imaps_port", config_server, imaps_port), SCHEMA_INT, RELOAD_RESTART, "0", LIMITS(0, 65535),
     .help = TLS_PORT_HELP("IMAP4", "993")},
    {FIELD("pop3s_port", config_server, pop3s_port), SCHEMA_INT, RELOAD_RESTART, "0", LIMITS(0, 65535),
     .help = TLS_PORT_HELP("POP3", "995")},
    {FIELD("message_size_max", config_server, message_size_max_bytes), SCHEMA_SIZE, RELOAD_RESTART,
     "\"50MiB\"", MESSAGE_SIZE_LIMITS, .help = "The largest message that a builtin server takes."},
    {FIELD("connections_max", config_server, connections_max), SCHEMA_INT, RELOAD_LIVE, "2000",
     LIMITS(1, 100000),
     .help = "Sessions of a builtin server at once, of all its services together, as a relay's: nobody who "
             "has logged in is idle."},
    {FIELD("client_connections_max", config_server, client_connections_max), SCHEMA_INT, RELOAD_LIVE, "200",
     LIMITS(1, 100000), .help = CLIENT_CONNECTIONS_HELP},
    {FIELD("proxy_from", config_server, proxy_from), SCHEMA_BLOCKS, RELOAD_LIVE, "{}", LIMITS(0, 64),
     .help = "The same for a builtin server, on all its ports. " PROXY_FROM_HELP},
    {FIELD("certificates", config_server, certificates), SCHEMA_REFS, RELOAD_RESTART, "{}", LIMITS(0, 100),
     .ref = "certificate", .more_offset = offsetof(struct config_server, certificate_count),
     .help = "A builtin server offers `STARTTLS` with them (and `STLS` by POP3), as a relay does; "
             "passwords are then taken from other machines, too."},
    {FIELD("client_info", config_server, client_info), SCHEMA_WORD, RELOAD_LIVE, "\"xforward\"",
     .words = info_words,
     .help =
         "How relays tell it the address and `HELO` of the client that a message came from, where it offers "
         "to be told: not at all; by `XFORWARD`, for its log; by `XCLIENT`, so that its filters and "
         "restrictions judge the client instead of the relay, and may refuse what the relay has taken."},
    {FIELD("tls", config_server, tls), SCHEMA_WORD, RELOAD_LIVE, "\"opportunistic\"", .words = tls_words,
     .help = "How relays use `STARTTLS` with it: never; when it is offered, with any certificate, else in "
             "plain text (also when the handshake fails); only with a certificate for its `hostname` by an "
             "authority of `tls_ca`; only with a key of `tls_pins`. Mail waits while what is asked for "
             "cannot be had."},
    {FIELD("tls_ca", config_server, tls_ca), SCHEMA_PATH, RELOAD_LIVE, "",
     .help = "For `tls = \"required\"`: the authorities, in PEM, read again by `SIGHUP`; unset: "
             "those of the system."},
    {FIELD("tls_pins", config_server, tls_pins), SCHEMA_PINS, RELOAD_LIVE, "{}", LIMITS(0, 16),
     .help = "For `tls = \"pinned\"`: SHA-256 of the server's key (SubjectPublicKeyInfo), 64 hexadecimal "
             "digits; [operations.md](operations.md) says how to get it."},
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

const struct schema_section schema_domain = {.name = "domain",
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
const struct schema_section schema_server = {
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
