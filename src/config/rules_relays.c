#include "config/findings.h"
#include "config/rules.h"

#define CUSTODY_LONGER_MS (24 * 3600 * 1000LL) /* for clocks, and for who tries once an hour */

static bool is_our_own(const struct config *c, struct str host)
{
    struct addr ip;
    if (addr_parse_ip(host, 0, &ip) == 0)
        return config_has_ip(c, &ip);
    for (size_t i = 0; i < c->relay_count; i++)
        if (str_ieq(host, str_from(c->relays[i].hostname)))
            return true;
    return false;
}

static void check_smarthost(struct build *b, const struct tree_section *s)
{
    const struct config_relay *relay = s->object;
    struct str host;
    struct addr ip;
    uint16_t port;
    int err = config_smarthost(relay, &host, &port);
    if (err == ERR_SYNTAX)
        findings_add(
            b->findings, tree_line(s, "smarthost"),
            "%s: smarthost must be \"HOST:PORT\", such as \"mail.example.net:25\" or \"192.0.2.1:25\"",
            s->label);
    if (err == 0 && is_our_own(b->config, host))
        findings_add(b->findings, tree_line(s, "smarthost"),
                     "%s: smarthost is of this network itself, so mail would not leave it; name another",
                     s->label);
    bool named = err == 0 && addr_parse_ip(host, 0, &ip) < 0;
    if (err != ERR_SYNTAX && relay->outside_tls == TLS_REQUIRED && !named)
        findings_add(b->findings, tree_line(s, "outside_tls"),
                     "%s: outside_tls = \"required\" asks for a certificate of the smarthost's name; give a "
                     "smarthost by name",
                     s->label);
}

/* Another relay hands in a message again for as long as it has it: until it expires, and once more after a
 * replay. */
static int64_t handed_in_again_ms(const struct config *c)
{
    int64_t longest_ms = 0;
    for (size_t i = 0; i < c->relay_count; i++) {
        int64_t ms = c->relays[i].expire_ms + c->relays[i].safety_net_ms;
        longest_ms = ms > longest_ms ? ms : longest_ms;
    }
    return longest_ms;
}

/* Where the file does not say it, it follows from what it has to be longer than: a file that was right before
 * there was this key stays right. */
static void check_custody_age(struct build *b, const struct tree_section *s)
{
    struct config_relay *relay = s->object;
    int64_t least_ms = handed_in_again_ms(b->config) + CUSTODY_LONGER_MS;
    if (!tree_find(s, "custody_age") && relay->custody_age_ms < least_ms)
        relay->custody_age_ms = least_ms;
    if (relay->custody_age_ms <= handed_in_again_ms(b->config))
        findings_add(b->findings, tree_line(s, "custody_age"),
                     "%s: custody_age must be longer than expire and safety_net of any relay together, or "
                     "a message could be taken twice",
                     s->label);
}

/* A spool is as durable, and as far away, as a store of this machine. */
static void check_spool(struct build *b, const struct tree_section *s)
{
    const struct config_relay *relay = s->object;
    if (relay->spool == SPOOL_YES && b->config->store_engine != STORE_POSTGRESQL)
        findings_add(b->findings, tree_line(s, "spool"),
                     "%s: spool = \"yes\" is for a store with a url of postgresql: only, which can be out of "
                     "reach; this store is where the spool would be: remove it",
                     s->label);
}

void rules_check_relays(struct build *b)
{
    TREE_FOREACH(s, b->root, "relay")
    {
        if (s->unsound)
            continue;
        check_smarthost(b, s);
        check_custody_age(b, s);
        check_spool(b, s);
    }
}
