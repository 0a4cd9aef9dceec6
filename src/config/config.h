/* The configuration as the roles receive it: one file describes the whole
 * network, every node reads the same file and finds its own part by name.
 * Built by config_load from a schema table (config/schema.h) that holds type,
 * default, range, unit, reload class and help of every key; immutable otherwise.
 * All strings are NUL-terminated, owned by the config, never NULL ("" when not
 * set). References between sections are resolved pointers.
 *
 * What a reload applies (RELOAD_LIVE) changes in place, by config_exchange: roles
 * read such fields each time, or take them again when they are told. */
#ifndef HOLDFAST_CONFIG_CONFIG_H
#define HOLDFAST_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/addr.h"
#include "base/addr_block.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/rate.h"
#include "base/str.h"
#include "base/tls.h"

enum config_role {
    ROLE_DNS = 1 << 0,
    ROLE_RELAY = 1 << 1,
    ROLE_DIRECTOR = 1 << 2,
    ROLE_MAILBOX = 1 << 3,
};

enum server_kind { SERVER_BUILTIN, SERVER_EXTERNAL };
enum server_protocol { SERVER_SMTP, SERVER_LMTP };
enum check_kind { CHECK_SMTP, CHECK_IMAP, CHECK_POP3, CHECK_LMTP, CHECK_TCP, CHECK_COMMAND };
enum failover_mode { FAILOVER_MANUAL, FAILOVER_AUTOMATIC };
enum recipients_mode { RECIPIENTS_DIRECTORY, RECIPIENTS_LIST, RECIPIENTS_ANY, RECIPIENTS_VERIFY };
enum recipients_unknown { UNKNOWN_DEFER, UNKNOWN_ACCEPT, UNKNOWN_REJECT };
enum routed_recipients { ROUTED_REFUSE, ROUTED_TAKE };
enum client_info { CLIENT_INFO_NONE, CLIENT_INFO_XFORWARD, CLIENT_INFO_XCLIENT };
enum config_bounce { BOUNCE_NEVER, BOUNCE_AUTHENTICATED, BOUNCE_ALWAYS };
enum spooling { SPOOL_NO, SPOOL_YES };
enum bare_newlines { BARE_NEWLINES_REFUSE, BARE_NEWLINES_NORMALISE };
enum log_messages { LOG_MESSAGES_ALL, LOG_MESSAGES_NONE };
enum store_engine { STORE_SQLITE, STORE_POSTGRESQL, STORE_MEMORY };

/* How durable what is answered with success is (default: by the engine). */
enum durability {
    DURABILITY_BY_ENGINE,  /* config_is_replicated tells */
    DURABILITY_LOCAL,      /* on the store's own disk */
    DURABILITY_REPLICATED, /* in another site, too */
};

/* Without a copy in another site, new mail is (default refer): */
enum on_degraded { ON_DEGRADED_REFER, ON_DEGRADED_ACCEPT };

struct config_texts {
    const char **items; /* none is "" */
    size_t count;
};

#define CONFIG_DATABASE_SITES_MAX 16 /* sites with databases */

struct config_site {
    const char *name;
    struct config_texts databases; /* of a PostgreSQL store that are there, by any of their names */
    const char *fence; /* "": none; a name in fence/, or an absolute path: turns the whole site off */
    int64_t fence_after_ms, fence_timeout_ms;
};

struct config_node {
    const char *name;
    struct config_site *site;
    unsigned roles;   /* of enum config_role */
    const char *host; /* machine it runs on; "" is this one (all of them on one machine) */
};

struct config_listen {
    struct addr *addrs;
    size_t count;
};

struct config_dns {
    const char *name;
    struct config_node *node;
    const char *hostname;
    struct config_listen address; /* what DNS answers; port 0 */
    struct config_listen listen;  /* what is bound */
    int64_t udp_threads;          /* 0: one per core, at most 8 */
};

struct config_web {
    const char *name;
    struct config_node *node;
    struct config_listen listen;
};

struct config_zone {
    const char *name; /* lower case, without the final dot */
    const char *file; /* absolute path, or "" */
    int64_t ttl_ms;   /* of steered answers, at most */
};

struct config_pins {
    struct tls_pin *pins;
    size_t count;
};

struct config_relay {
    const char *name;
    struct config_node *node;
    const char *hostname;
    struct config_listen address, listen;
    struct addr_blocks proxy_from, xclient_from;
    struct tls_files **certificates; /* STARTTLS is offered with them; none: it is not */
    size_t certificate_count;
    int64_t retry_ms;                 /* between attempts at a server that is down (default 1s) */
    int64_t retry_max_ms;             /* between those of a message that was put off (default 30m) */
    int64_t expire_ms;                /* age at which a message is given up (default 5d) */
    enum config_bounce bounce;        /* whose senders are told of what failed (default never) */
    int64_t delay_notice_ms;          /* age at which senders are told of a delay (default 4h); 0: never */
    int64_t safety_net_ms;            /* how long what was delivered is kept (default 2d); 0: not at all */
    int64_t safety_net_max_bytes;     /* and how much of it (default 1024GiB; the disk bounds it, too) */
    int64_t custody_age_ms;           /* how long what became of a message is known (default 30d, or more) */
    enum bare_newlines bare_newlines; /* a bare CR or LF in a message (default refused) */
    enum spooling spool;              /* takes mail while the shared store is away (default no) */
    int64_t message_size_max_bytes;   /* SIZE (default 50MiB) */
    int64_t connections_max;          /* sessions at once (default 2000) */
    int64_t client_connections_max;   /* of one client (default 200) */
    /* In a time; of one client (net/client_key.h), and of all together (default none, but 600/1h errors) */
    struct rate client_connection_rate, client_message_rate, client_recipient_rate, client_error_rate;
    struct rate connection_rate, message_rate, recipient_rate, error_rate;
    int64_t rate_clients_max;       /* told apart at once (default 10000) */
    struct addr_blocks rate_exempt; /* whom these do not hold for */
    int64_t errors_max;             /* of one session (default 20) */
    int64_t recipients_max;         /* per message (default 1000) */
    int64_t idle_timeout_ms;        /* of a client (default 5m, RFC 5321 4.5.3.2.7) */
    int64_t delivery_sessions_max;  /* per server at once (default 10) */
    int64_t losses_max; /* connection losses after MAIL before a message is quarantined (default 3) */
    /* Mail that leaves the network: */
    const char *smarthost; /* as written; "": by the recipients' domains. See config_smarthost */
    int64_t outside_port;  /* of the domains' servers (default 25) */
    enum tls_policy outside_tls;
    struct config_listen resolver; /* recursive name servers; none: those of the machine */
    const char *trust_anchor;      /* of the root (DNSSEC), absolute; "": answers are not validated */
};

struct config_check {
    enum check_kind kind;
    int64_t interval_ms, timeout_ms;
    int64_t fall, rise;  /* outcomes in a row */
    const char *command; /* CHECK_COMMAND: absolute path of a monitoring plugin */
};

#define CONFIG_FENCE_EPOCH   "epoch"   /* no agent: the store refuses the old instance */
#define CONFIG_FENCE_PROCESS "process" /* ours: for an instance that is a process of its node */

struct config_create {
    struct config_site *site;
    bool address_same;       /* address = "same" */
    struct addr address;     /* else; port 0 */
    const char *provisioner; /* a name in provision/ (default "process"), or an absolute path */
    const char *fence;       /* "epoch" (default), a name in fence/, or an absolute path */
    int64_t timeout_ms;
};

struct config_server;

struct config_failover {
    enum failover_mode mode;
    int64_t attempts;
    int64_t after_ms;
    struct config_server **standby;
    size_t standby_count;
    struct config_create *create;
    size_t create_count;
};

struct config_server {
    const char *name;
    enum server_kind kind;
    enum server_protocol protocol; /* how relays deliver to it */
    struct config_site *site;
    const char *hostname;
    struct config_listen address;                                        /* port 0 */
    int64_t smtp_port, lmtp_port, submission_port, imap_port, pop3_port; /* 0: not offered */
    int64_t submissions_port, imaps_port, pop3s_port;                    /* under TLS from the first byte */
    int64_t message_size_max_bytes;
    int64_t connections_max, client_connections_max; /* builtin: as of a relay, of all services together */
    struct addr_blocks proxy_from;
    struct tls_files **certificates; /* the same */
    size_t certificate_count;
    enum client_info client_info; /* what deliveries tell it of the client */
    enum tls_policy tls;          /* of deliveries to it (default opportunistic) */
    const char *tls_ca;           /* TLS_REQUIRED: authorities; absolute, "": the system's */
    struct config_pins tls_pins;
    struct config_check *checks;
    size_t check_count;
    struct config_failover failover;
};

struct config_domain {
    const char *name; /* lower case */
    struct config_server *server;
    struct config_relay **relays;
    size_t relay_count;
    enum recipients_mode recipients;
    const char *recipients_file;   /* RECIPIENTS_LIST; absolute path */
    enum routed_recipients routed; /* local parts with an address in them */
    enum recipients_unknown
        unknown; /* RECIPIENTS_VERIFY, as all that follows: the server is down, and never said */
    int64_t verify_timeout_ms;
    int64_t verify_positive_refresh_ms, verify_positive_expire_ms; /* fresh for so long, kept for so long */
    int64_t verify_negative_refresh_ms, verify_negative_expire_ms;
    int64_t verify_positive_max, verify_negative_max; /* answers kept in the store */
    const char *postmaster; /* the user that gets his mail, as written; "": his own mailbox */
};

struct config {
    const char *path;      /* of the file, absolute */
    const char *dir;       /* that relative paths are beside */
    const char *state_dir; /* absolute */

    enum store_engine store_engine;
    const char *store_url;           /* as written */
    const char *store_path;          /* SQLite: absolute folder; else "" */
    const char *store_password_file; /* PostgreSQL: absolute, or "" */
    enum durability durability;      /* as written */
    enum on_degraded on_degraded;
    int64_t standby_timeout_ms;        /* replicated: of a copy that stands still (default 10s) */
    const char *users_file;            /* absolute, or "" */
    int64_t events_max, events_age_ms; /* older ones are forgotten (default 100000, 90d) */
    const char *user; /* the system user that roles run as when started as root; "" keeps it */

    enum log_level log_level; /* the least that is logged (default info) */
    enum log_messages log_messages;

    int64_t lease_ms; /* of each lease (default 2500ms) */

    struct config_site *sites;
    size_t site_count;
    struct config_node *nodes;
    size_t node_count;
    struct config_dns *dns;
    size_t dns_count;
    struct config_web *web;
    size_t web_count;
    struct config_zone *zones;
    size_t zone_count;
    struct tls_files *certificates;
    size_t certificate_count;
    struct config_relay *relays;
    size_t relay_count;
    struct config_domain *domains;
    size_t domain_count;
    struct config_server *servers;
    size_t server_count;

    void *owner; /* of the memory; config's own */
};

/* One finding of a check: `file:line: text`, with what to do. */
struct config_finding {
    const char *file; /* owned by the findings */
    int line;         /* 0 when it is about no line */
    char *text;
};

/* In the order of lines, at most 200. */
struct config_findings {
    struct config_finding *items;
    size_t count;
    size_t omitted; /* found, but not kept */
    char *path;     /* config's own */
};

/* Reads and checks the file. 0, or ERR_INVALID with the first syntax error, or
 * all other findings; ERR_NOT_FOUND, ERR_DENIED, ERR_IO when it cannot be read
 * (a finding, too). On success findings is empty. findings is to be freed in
 * either case. A relative path or state_dir is below the working directory.
 * Reads no other file: that those which it names are readable, their users and check-config find. */
int config_load(const char *path, const char *state_dir, struct config **ret_config,
                struct config_findings *ret_findings) MUST_USE;
/* The same of a text; path says where it is from and what relative paths are beside. */
int config_parse(struct str text, const char *path, const char *state_dir, struct config **ret_config,
                 struct config_findings *ret_findings) MUST_USE;
void config_free(struct config *c); /* NULL is allowed */

/* What the file names of the machine that it is read on. */
enum config_mention_kind {
    CONFIG_MENTIONS_FILE,    /* an absolute path */
    CONFIG_MENTIONS_PROGRAM, /* an absolute path, or a plain name */
    CONFIG_MENTIONS_USER,
};

struct config_mention {
    enum config_mention_kind kind;
    const char *section; /* its kind: "zone" */
    const char *label;   /* zone "example.test" */
    const char *key;
    const char *text;   /* never "" */
    int line;           /* of the key, or of the section when the default holds */
    const void *object; /* the section's struct */
};

/* Calls fn for each mention, in the order of the file's sections; then for those of the store's url, whose
 * section is "url" and whose key is the parameter. */
void config_each_mention(const struct config *c, void (*fn)(void *arg, const struct config_mention *m),
                         void *arg);
void config_findings_free(struct config_findings *f);
/* One line each: "file:line: text". */
void config_findings_print(const struct config_findings *f, FILE *out);

/* What a reload from one configuration to the other cannot apply: one finding
 * for each changed key, and each section that came or went, with the roles that
 * have to be started again for it. None: a reload does it all. To be freed. */
void config_reload_check(const struct config *old_config, const struct config *new_config,
                         struct config_findings *ret_findings);

/* Exchanges the values of all keys that a reload applies, between sections that
 * both have: a gets what the changed file says, b what was before, so that a
 * second call undoes it. True when any differed: then both must be kept as long
 * as either is used (texts stay where they were read). One thread. */
bool config_exchange(struct config *a, struct config *b);

/* The reference of all sections and keys, in Markdown: docs/configuration.md. */
void config_print_reference(struct buf *out);

/* By name; NULL when there is none. */
struct config_node *config_node_find(const struct config *c, const char *name);
struct config_server *config_server_find(const struct config *c, const char *name);
struct config_relay *config_relay_find(const struct config *c, const char *name);
struct config_relay *config_relay_of_node(const struct config *c, const struct config_node *n);
char *config_spool_path(const struct config *c, const struct config_relay *r); /* a folder; for free() */
struct config_dns *config_dns_of_node(const struct config *c, const struct config_node *n);
struct config_web *config_web_of_node(const struct config *c, const struct config_node *n);
struct config_domain *config_domain_find(const struct config *c, struct str domain); /* case-insensitive */
/* The home of mail that leaves the network, as store/queue.h has it (QUEUE_HOME_OUTSIDE): no server's name.
 */
#define CONFIG_HOME_OUTSIDE "*"
/* Whether mail at this place of a queue has a way to go: by its own home, or, with home "", by its domain. */
bool config_has_place(const struct config *c, struct str domain, struct str home);
/* Whether success is told only of what another site has, too. */
bool config_is_replicated(const struct config *c);
struct config_site *config_site_find(const struct config *c, const char *name);
/* Name or address, and port; views of the relay's text. ERR_NOT_FOUND: it has none. ERR_SYNTAX. */
int config_smarthost(const struct config_relay *r, struct str *ret_host, uint16_t *ret_port) MUST_USE;
bool config_listen_has_ip(const struct config_listen *l, const struct addr *ip); /* whatever the ports */

/* Is it of the network itself, as far as the configuration tells: of a relay, a
 * server (wherever it may be created), a name server or a status page? Whatever the port. */
bool config_has_ip(const struct config *c, const struct addr *ip);

#endif
