#include <inttypes.h>
#include <string.h>

#include "config/findings.h"
#include "config/rules.h"

static const struct service {
    const char *key;
    size_t offset;
} services[] = {
    {"smtp_port", offsetof(struct config_server, smtp_port)},
    {"lmtp_port", offsetof(struct config_server, lmtp_port)},
    {"submission_port", offsetof(struct config_server, submission_port)},
    {"imap_port", offsetof(struct config_server, imap_port)},
    {"pop3_port", offsetof(struct config_server, pop3_port)},
    {"submissions_port", offsetof(struct config_server, submissions_port)},
    {"imaps_port", offsetof(struct config_server, imaps_port)},
    {"pop3s_port", offsetof(struct config_server, pop3s_port)},
};

static int64_t port_of(const struct config_server *server, const char *key)
{
    for (size_t i = 0; i < ARRAY_LEN(services); i++)
        if (strcmp(services[i].key, key) == 0)
            return *(const int64_t *)(const void *)((const char *)server + services[i].offset);
    return 0;
}

/* Without a port, and not because the one given was refused. */
static bool is_unset(const struct tree_section *s, const char *key)
{
    const struct tree_setting *setting = tree_find(s, key);
    return port_of(s->object, key) == 0 && (!setting || setting->value.number == 0);
}

static void check_ports(struct build *b, const struct tree_section *s)
{
    const struct config_server *server = s->object;
    const char *delivery = server->protocol == SERVER_LMTP ? "lmtp_port" : "smtp_port";
    if (is_unset(s, delivery) && !s->unsound)
        findings_add(b->findings, tree_line(s, tree_find(s, delivery) ? delivery : "protocol"),
                     "%s: %s is 0, but relays deliver there (protocol = \"%s\"); give the port", s->label,
                     delivery, server->protocol == SERVER_LMTP ? "lmtp" : "smtp");
    for (size_t i = 0; i < ARRAY_LEN(services); i++) {
        int64_t port = port_of(server, services[i].key);
        for (size_t j = 0; j < i && port != 0; j++)
            if (port == port_of(server, services[j].key))
                findings_add(b->findings, tree_line(s, services[i].key),
                             "%s: %s and %s are both %" PRId64 "; each service has a port of its own",
                             s->label, services[j].key, services[i].key, port);
    }
}

static const char *check_port_key(const struct config_server *server, enum check_kind kind)
{
    switch (kind) {
    case CHECK_SMTP:
        return "smtp_port";
    case CHECK_LMTP:
        return "lmtp_port";
    case CHECK_IMAP:
        return "imap_port";
    case CHECK_POP3:
        return "pop3_port";
    case CHECK_TCP:
        return server->protocol == SERVER_LMTP ? "lmtp_port" : "smtp_port";
    case CHECK_COMMAND:
        return NULL;
    }
    return NULL;
}

static void check_check(struct build *b, const struct tree_section *s)
{
    const struct config_check *check = s->object;
    const struct config_server *server = s->parent->object;
    bool command = check->kind == CHECK_COMMAND;
    if (s->unsound)
        return;
    const char *port_key = check_port_key(server, check->kind);
    if (port_key && is_unset(s->parent, port_key) && !s->implied)
        findings_add(b->findings, tree_line(s, "kind"),
                     "%s: the server's %s is 0; give the port, or remove the check", s->label, port_key);
    if (command && !tree_find(s, "command"))
        findings_add(b->findings, tree_line(s, "kind"), "%s: kind = \"command\" needs command = \"/PATH\"",
                     s->label);
    if (!command && tree_find(s, "command"))
        findings_add(b->findings, tree_line(s, "command"),
                     "%s: command is used by kind = \"command\" only; set that, or remove it", s->label);
    TREE_FOREACH(other, s->parent, "check")
    {
        const struct config_check *before = other->object;
        if (other == s)
            return;
        if (!other->unsound && before->kind == check->kind && !command) {
            findings_add(b->findings, s->line,
                         "%s: the server has a check of this kind in line %d; remove one", s->label,
                         other->line);
            return;
        }
    }
}

static void check_create_fence(struct build *b, const struct tree_section *s, bool external)
{
    const struct config_create *create = s->object;
    if (strcmp(create->fence, CONFIG_FENCE_EPOCH) != 0)
        return;
    if (external)
        findings_add(b->findings, tree_line(s, "fence"),
                     "%s: fence = \"epoch\" cannot stop an external server; name a fence agent", s->label);
    else if (create->address_same)
        findings_add(
            b->findings, tree_line(s, "fence"),
            "%s: fence = \"epoch\" cannot free the address that address = \"same\" takes over; name a fence "
            "agent, such as \"process\"",
            s->label);
}

static void check_create_site(struct build *b, const struct tree_section *s, bool external)
{
    const struct config_create *create = s->object;
    if (!create->site)
        return;
    bool by_us = !external && strcmp(create->provisioner, "process") == 0;
    if (by_us && !rules_node_of_site(b->config, create->site, ROLE_MAILBOX))
        findings_add(b->findings, tree_line(s, "site"),
                     "%s: site \"%s\" has no node with the role \"mailbox\" to create it on; add the role",
                     s->label, create->site->name);
    else if (!by_us && !rules_node_of_site(b->config, create->site, ~0U))
        findings_add(b->findings, tree_line(s, "site"),
                     "%s: site \"%s\" has no node that could run the provisioner; add one", s->label,
                     create->site->name);
}

static void check_create(struct build *b, const struct tree_section *s,
                         const struct tree_section *server_section)
{
    const struct config_create *create = s->object;
    const struct config_server *server = server_section->object;
    if (server_section->unsound)
        return;
    bool external = server->kind == SERVER_EXTERNAL;
    if (external && create->provisioner[0] != '/' && create->provisioner[0] != '\0')
        findings_add(
            b->findings, tree_line(s, "provisioner"),
            "%s: an external server needs a provisioner of its own; give the absolute path of an executable",
            s->label);
    check_create_fence(b, s, external);
    check_create_site(b, s, external);
    if (!create->address_same && config_listen_has_ip(&server->address, &create->address))
        findings_add(b->findings, tree_line(s, "address"),
                     "%s: address is the server's own; write address = \"same\", and name a fence agent",
                     s->label);
}

static void check_failover(struct build *b, const struct tree_section *s)
{
    const struct config_failover *failover = s->object;
    bool automatic = failover->mode == FAILOVER_AUTOMATIC && !s->unsound;
    if (automatic && failover->create_count == 0 && failover->standby_count == 0 && !tree_find(s, "standby"))
        findings_add(
            b->findings, tree_line(s, "mode"),
            "%s: mode = \"automatic\" needs a standby server or a create section; add one, or set mode = "
            "\"manual\"",
            s->label);
    if (automatic && !rules_node_of_site(b->config, NULL, ROLE_DIRECTOR))
        findings_add(b->findings, tree_line(s, "mode"),
                     "%s: no node has the role \"director\", which would decide; add it to a node", s->label);
    for (size_t i = 0; i < failover->standby_count; i++)
        if (failover->standby[i] == s->parent->object)
            findings_add(b->findings, tree_line(s, "standby"),
                         "%s: a server is no standby of itself; remove it", s->label);
    TREE_FOREACH(create, s, "create")
    check_create(b, create, s->parent);
}

static void check_builtin(struct build *b, const struct tree_section *s)
{
    const struct config_server *server = s->object;
    if (s->unsound || server->kind != SERVER_BUILTIN || !server->site)
        return;
    if (!rules_node_of_site(b->config, server->site, ROLE_MAILBOX))
        findings_add(b->findings, tree_line(s, "site"),
                     "%s: site \"%s\" has no node with the role \"mailbox\" to run it; add the role",
                     s->label, server->site->name);
    if (server->address.count > 1)
        findings_add(b->findings, tree_line(s, "address"),
                     "%s: an instance of a builtin server has one address; name one", s->label);
    if (!rules_node_of_site(b->config, NULL, ROLE_DIRECTOR))
        findings_add(b->findings, s->line,
                     "%s: no node has the role \"director\", which starts builtin servers; add it to a node",
                     s->label);
}

static void check_tls_ports(struct build *b, const struct tree_section *s)
{
    static const char *const keys[] = {"submissions_port", "imaps_port", "pop3s_port"};
    const struct config_server *server = s->object;
    bool without =
        server->kind == SERVER_BUILTIN && server->certificate_count == 0 && !tree_find(s, "certificates");
    for (size_t i = 0; i < ARRAY_LEN(keys) && without; i++)
        if (port_of(server, keys[i]) != 0)
            findings_add(b->findings, tree_line(s, keys[i]),
                         "%s: %s needs a certificate; add certificates, or remove it", s->label, keys[i]);
}

/* Not set, or to none; those that were refused are told of already. */
static bool has_no_pins(const struct tree_section *s)
{
    const struct tree_setting *pins = tree_find(s, "tls_pins");
    return !pins || (pins->value.kind == TREE_LIST && pins->value.count == 0);
}

static void check_tls(struct build *b, const struct tree_section *s)
{
    const struct config_server *server = s->object;
    if (s->unsound)
        return;
    if (server->kind == SERVER_EXTERNAL && server->certificate_count > 0)
        findings_add(b->findings, tree_line(s, "certificates"),
                     "%s: an external server has certificates of its own; remove certificates", s->label);
    if (server->kind == SERVER_EXTERNAL && server->proxy_from.count > 0)
        findings_add(b->findings, tree_line(s, "proxy_from"),
                     "%s: what an external server believes is its own matter; remove proxy_from", s->label);
    if (server->kind == SERVER_BUILTIN && server->certificate_count == 0 &&
        (server->tls == TLS_REQUIRED || server->tls == TLS_PINNED))
        findings_add(
            b->findings, tree_line(s, "tls"),
            "%s: without certificates a builtin server has no TLS, and nothing could be delivered to "
            "it; give it certificates, or another tls",
            s->label);
    if (server->tls == TLS_PINNED && has_no_pins(s))
        findings_add(b->findings, tree_line(s, "tls"),
                     "%s: tls = \"pinned\" needs tls_pins: give the fingerprint of the server's key",
                     s->label);
    if (server->tls != TLS_PINNED && tree_find(s, "tls_pins"))
        findings_add(b->findings, tree_line(s, "tls_pins"),
                     "%s: tls_pins is used by tls = \"pinned\" only; set that, or remove it", s->label);
    if (server->tls != TLS_REQUIRED && tree_find(s, "tls_ca"))
        findings_add(b->findings, tree_line(s, "tls_ca"),
                     "%s: tls_ca is used by tls = \"required\" only; set that, or remove it", s->label);
}

void rules_check_servers(struct build *b)
{
    TREE_FOREACH(s, b->root, "server")
    {
        check_ports(b, s);
        check_builtin(b, s);
        check_tls(b, s);
        check_tls_ports(b, s);
        TREE_FOREACH(check, s, "check")
        check_check(b, check);
        check_failover(b, tree_first(s, "failover"));
    }
}
