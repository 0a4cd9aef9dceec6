#include <string.h>

#include "config/findings.h"
#include "config/rules.h"
#include "config/units.h"

static void check_zone(struct build *b, const struct tree_section *s)
{
    const struct config_zone *zone = s->object;
    if (b->config->dns_count == 0)
        findings_add(b->findings, s->line, "%s: no dns section would answer for it; add one", s->label);
    if (zone->ttl_ms % 1000 != 0)
        findings_add(b->findings, tree_line(s, "ttl"), "%s: ttl must be whole seconds (RFC 2181 8)",
                     s->label);
}

static void check_recipients(struct build *b, const struct tree_section *s)
{
    const struct config_domain *domain = s->object;
    bool listed = domain->recipients == RECIPIENTS_LIST;
    if (s->unsound)
        return;
    if (listed && domain->recipients_file[0] == '\0' && !tree_find(s, "recipients_file"))
        findings_add(b->findings, tree_line(s, "recipients"),
                     "%s: recipients = \"list\" needs recipients_file = \"PATH\"", s->label);
    if (!listed && tree_find(s, "recipients_file"))
        findings_add(
            b->findings, tree_line(s, "recipients_file"),
            "%s: recipients_file is used by recipients = \"list\" only; set that, or remove the file",
            s->label);
}

static const char *const verify_keys[] = {"unknown",
                                          "verify_timeout",
                                          "verify_positive_refresh",
                                          "verify_positive_expire",
                                          "verify_negative_refresh",
                                          "verify_negative_expire",
                                          "verify_positive_max",
                                          "verify_negative_max"};

static void check_ages(struct build *b, const struct tree_section *s, const char *sign, int64_t refresh_ms,
                       int64_t expire_ms)
{
    if (refresh_ms > expire_ms)
        findings_add(
            b->findings, s->line,
            "%s: verify_%s_refresh is longer than verify_%s_expire; what has expired cannot be fresh",
            s->label, sign, sign);
}

static void check_verify(struct build *b, const struct tree_section *s)
{
    const struct config_domain *domain = s->object;
    bool verify = domain->recipients == RECIPIENTS_VERIFY;
    if (s->unsound)
        return;
    for (size_t i = 0; i < ARRAY_LEN(verify_keys); i++)
        if (!verify && tree_find(s, verify_keys[i]))
            findings_add(b->findings, tree_line(s, verify_keys[i]),
                         "%s: %s is used by recipients = \"verify\" only; set that, or remove it", s->label,
                         verify_keys[i]);
    if (verify && domain->server && domain->server->kind == SERVER_BUILTIN)
        findings_add(
            b->findings, tree_line(s, "recipients"),
            "%s: server \"%s\" is builtin, its users are in the store; set recipients = \"directory\"",
            s->label, domain->server->name);
    check_ages(b, s, "positive", domain->verify_positive_refresh_ms, domain->verify_positive_expire_ms);
    check_ages(b, s, "negative", domain->verify_negative_refresh_ms, domain->verify_negative_expire_ms);
}

/* What a relay takes and the server then refuses would bounce. */
static void check_sizes(struct build *b, const struct tree_section *s)
{
    const struct config_domain *domain = s->object;
    char larger[32], smaller[32];
    if (!domain->server || domain->server->kind != SERVER_BUILTIN ||
        domain->server->message_size_max_bytes == 0)
        return;
    for (size_t i = 0; i < domain->relay_count; i++) {
        const struct config_relay *relay = domain->relays[i];
        if (relay->message_size_max_bytes <= domain->server->message_size_max_bytes)
            continue;
        units_format_size(relay->message_size_max_bytes, larger, sizeof(larger));
        units_format_size(domain->server->message_size_max_bytes, smaller, sizeof(smaller));
        findings_add(b->findings, tree_line(s, "relays"),
                     "%s: relay \"%s\" takes messages of %s, server \"%s\" only of %s; make the relay's "
                     "message_size_max no larger",
                     s->label, relay->name, larger, domain->server->name, smaller);
    }
}

/* Of a domain whose users the same server has: another one could not deliver to him. */
static void check_postmaster(struct build *b, const struct tree_section *s)
{
    const struct config_domain *domain = s->object;
    struct str local, rest = str_from(domain->postmaster);
    if (rest.len == 0 || !domain->server)
        return;
    str_split(&rest, '@', &local);
    const struct config_domain *of = config_domain_find(b->config, rest);
    if (domain->server->kind != SERVER_BUILTIN)
        findings_add(b->findings, tree_line(s, "postmaster"),
                     "%s: server \"%s\" is external and has a postmaster of its own; remove postmaster",
                     s->label, domain->server->name);
    else if (local.len == 0 || !of || of->server != domain->server)
        findings_add(b->findings, tree_line(s, "postmaster"),
                     "%s: postmaster must be an address of a domain of server \"%s\"", s->label,
                     domain->server->name);
}

void rules_check_domains(struct build *b)
{
    TREE_FOREACH(s, b->root, "zone")
    check_zone(b, s);
    TREE_FOREACH(s, b->root, "domain")
    {
        check_recipients(b, s);
        check_verify(b, s);
        check_sizes(b, s);
        check_postmaster(b, s);
    }
}
