#include "store/postgres/copies.h"

#include <stdio.h>
#include <string.h>

/* ---- sites ---- */

static int site_named(const struct store_durability *d, const char *name)
{
    for (size_t i = 0; name[0] && i < d->site_count; i++)
        for (size_t k = 0; k < d->sites[i].database_count; k++)
            if (strcmp(d->sites[i].databases[k], name) == 0)
                return (int)i;
    return -1;
}

static int site_of(const struct store_durability *d, const struct copies_standby *s)
{
    int site = site_named(d, s->name);
    return site >= 0 ? site : site_named(d, s->address);
}

void copies_init(struct copies *c, const struct store_durability *wanted)
{
    *c = (struct copies){.wanted = wanted, .primary = -1};
    c->state = wanted->replicated ? STORE_COPIES_MISSING : STORE_COPIES_LOCAL;
}

void copies_connected(struct copies *c, const char *const *names, size_t count)
{
    copies_init(c, c->wanted);
    for (size_t i = 0; i < count; i++) {
        if (!names[i] || !names[i][0])
            continue;
        if (!c->primary_name[0])
            snprintf(c->primary_name, sizeof(c->primary_name), "%s", names[i]);
        if (c->primary < 0)
            c->primary = site_named(c->wanted, names[i]);
    }
}

/* ---- judging ---- */

static void miss(struct copies *c, const char *fmt, const char *a, const char *b)
{
    c->state = STORE_COPIES_MISSING;
    snprintf(c->why, sizeof(c->why), fmt, a, b); // NOLINT(clang-diagnostic-format-nonliteral)
}

/* Whether no site is left that could have a copy. */
static bool is_alone(struct copies *c, unsigned lost)
{
    const struct store_durability *d = c->wanted;
    size_t len = 0;
    for (size_t i = 0; i < d->site_count; i++) {
        if ((int)i == c->primary)
            continue;
        if (!(lost & 1U << i))
            return false;
        int added = snprintf(c->why + len, sizeof(c->why) - len, "%s%s",
                             len == 0 ? "recorded as lost: " : ", ", d->sites[i].name);
        len = len + (size_t)added < sizeof(c->why) ? len + (size_t)added : sizeof(c->why) - 1;
    }
    return true;
}

/* One in another site; NULL: none counts, and why. What all synchronous ones have flushed: *ret_flushed. */
static const struct copies_standby *copy_of(struct copies *c, const struct copies_look *look,
                                            uint64_t *ret_flushed)
{
    const struct copies_standby *found = NULL;
    *ret_flushed = UINT64_MAX;
    miss(c, "no standby in another site is connected%s%s", "", "");
    for (size_t i = 0; i < look->count; i++) {
        const struct copies_standby *s = &look->standbys[i];
        int site = site_of(c->wanted, s);
        if (!s->tells)
            miss(
                c,
                "the database does not tell of its standbys: GRANT pg_monitor to the role that url names%s%s",
                "", "");
        else if (site < 0)
            miss(c, "standby \"%s\" (%s) is in no site; name it by databases", s->name, s->address);
        else if (site != c->primary && !s->synchronous)
            miss(c, "standby \"%s\" (%s) replicates asynchronously; name it in synchronous_standby_names",
                 s->name, s->address);
        else if (site != c->primary)
            found = s;
        if (s->tells && s->synchronous && s->flushed < *ret_flushed)
            *ret_flushed = s->flushed;
    }
    return found;
}

static bool keeps_up(struct copies *c, const struct copies_look *look, uint64_t flushed,
                     const struct copies_wait *oldest)
{
    if (oldest && flushed < oldest->position &&
        mono_diff_ms(look->at, oldest->since) >= c->wanted->standby_timeout_ms)
        c->behind = look->written;
    if (flushed >= c->behind)
        c->behind = 0;
    return c->behind == 0;
}

/* By a name that leads to now this server, now that one, nothing is known. */
static bool is_elsewhere(struct copies *c, const struct copies_look *look)
{
    int site = look->server ? site_named(c->wanted, look->server) : -1;
    if (site < 0 || site == c->primary)
        return false;
    miss(c, "url leads to \"%s\", which databases have in another site: %s", c->primary_name, look->server);
    return true;
}

/* Nothing is known of where the databases are while one that is connected is in no site. */
static void see_sites(struct copies *c, const struct copies_look *look)
{
    unsigned seen = 1U << c->primary, copying = 0;
    for (size_t i = 0; i < look->count; i++) {
        const struct copies_standby *s = &look->standbys[i];
        int site = site_of(c->wanted, s);
        if (!s->tells || site < 0)
            return;
        seen |= 1U << site;
        if (s->synchronous && site != c->primary)
            copying |= 1U << site;
    }
    c->seen = seen;
    c->copying = copying;
}

static void judge(struct copies *c, const struct copies_look *look, unsigned lost,
                  const struct copies_wait *oldest)
{
    uint64_t flushed;
    if (c->primary < 0) {
        miss(c, "the database \"%s\" is in no site; name it by databases%s", c->primary_name, "");
        return;
    }
    if (is_elsewhere(c, look))
        return;
    see_sites(c, look);
    if (is_alone(c, lost)) {
        c->state = STORE_COPIES_LOCAL;
        c->behind = 0;
        return;
    }
    const struct copies_standby *s = copy_of(c, look, &flushed);
    if (!s)
        return;
    if (!keeps_up(c, look, flushed, oldest)) {
        miss(c, "standby \"%s\" (%s), or one beside it, does not keep up", s->name, s->address);
        return;
    }
    c->why[0] = '\0';
    c->state = STORE_COPIES_FLOW;
    c->flushed = flushed;
}

void copies_see(struct copies *c, const struct copies_look *look, unsigned lost,
                const struct copies_wait *oldest)
{
    bool flowed = c->state == STORE_COPIES_FLOW;
    c->why[0] = '\0';
    c->seen = c->copying = 0;
    if (!c->wanted->replicated)
        return;
    judge(c, look, lost, oldest);
    if (flowed && c->state == STORE_COPIES_MISSING && c->behind == 0)
        c->patient_until = mono_add_ms(look->at, c->wanted->standby_timeout_ms);
    c->patient = c->behind == 0 && mono_before(look->at, c->patient_until);
}

void copies_blind(struct copies *c, const char *why)
{
    c->seen = c->copying = 0;
    if (c->wanted->replicated)
        miss(c, "the database does not tell of its standbys: %s%s", why, "");
}

static void append_name(char *names, size_t size, const char *name)
{
    size_t len = strlen(names);
    snprintf(names + len, size - len, "%s%s", len > 0 ? " " : "", name);
}

void copies_tell(const struct copies *c, struct store_copies_told *ret_told)
{
    const struct store_durability *d = c->wanted;
    *ret_told = (struct store_copies_told){.state = c->state};
    memcpy(ret_told->why, c->why, sizeof(ret_told->why));
    if (c->seen)
        append_name(ret_told->seen, sizeof(ret_told->seen), d->sites[c->primary].name);
    for (size_t i = 0; i < d->site_count; i++) {
        if ((int)i != c->primary && c->seen & 1U << i)
            append_name(ret_told->seen, sizeof(ret_told->seen), d->sites[i].name);
        if (c->copying & 1U << i)
            append_name(ret_told->copying, sizeof(ret_told->copying), d->sites[i].name);
    }
}

bool copies_allow(const struct copies *c, uint64_t position, bool takes_custody)
{
    switch (c->state) {
    case STORE_COPIES_LOCAL:
        return true;
    case STORE_COPIES_FLOW:
        return position > 0 && c->flushed >= position;
    case STORE_COPIES_MISSING:
        break;
    }
    return takes_custody ? c->wanted->accept_degraded : !c->patient;
}
