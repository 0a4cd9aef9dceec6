#include "director/site_fence.h"

#include "base/log.h"
#include "director/agree.h"
#include "director/named.h"

#define KEY_MAX_BYTES 1024

/* ---- who does it ---- */

static bool can_carry(const struct site_context *x, const struct config_node *n, const struct config_site *s)
{
    return n->site != s && (n->roles & ROLE_DIRECTOR) && agree_agent_lives(x->view, n);
}

/* Another with each try, so that one that cannot reach the agent's device is not the only one. NULL: none
 * lives. */
static const struct config_node *carrier(const struct site_context *x, const struct config_site *s,
                                         int64_t tries)
{
    const struct config *c = x->config;
    int64_t count = 0, wanted;
    for (size_t i = 0; i < c->node_count; i++)
        count += can_carry(x, &c->nodes[i], s);
    wanted = count > 0 && tries > 0 ? tries % count : 0;
    for (size_t i = 0; i < c->node_count; i++)
        if (can_carry(x, &c->nodes[i], s) && wanted-- == 0)
            return &c->nodes[i];
    return NULL;
}

static bool is_carried(const struct site_context *x, const struct view_order *o, const struct config_site *s)
{
    const struct config_node *n = named_node(x->config, order_node(&o->record));
    return n && can_carry(x, n, s);
}

/* ---- telling ---- */

static void tell(const struct site_step *step, const char *kind, const char *state, struct str node,
                 struct str text, bool alarm, struct batch *b)
{
    const char *const members[] = {"state", state,
                                   "who",   SITE_BY_DIRECTOR,
                                   "agent", step->site->fence,
                                   "node",  arena_strdup(b->arena, node),
                                   "text",  arena_strdup(b->arena, text),
                                   NULL};
    log_event(alarm ? LOG_WARNING : LOG_INFO, kind, LOG_TEXT("site", step->site->name),
              LOG_TEXT("state", state), LOG_TEXT("agent", step->site->fence), LOG_STR("node", node),
              LOG_STR("text", text));
    batch_event(b, kind, str_from(step->site->name), members);
    if (alarm)
        batch_event(b, "alarm", str_from(step->site->name), members);
}

/* ---- orders ---- */

static void give(const struct site_context *x, const struct site_step *step, struct str key, int64_t version,
                 int64_t tries, int64_t now_wall_ms, struct batch *b)
{
    const struct config_site *s = step->site;
    const struct config_node *node = carrier(x, s, tries);
    if (!node)
        return;
    struct order_args args = {.program = str_from(s->fence),
                              .site = str_from(s->name),
                              .timeout_ms = s->fence_timeout_ms,
                              .tries = tries};
    struct record_order order = {
        .target = order_target(b->arena, str_from(node->name)),
        .verb = STR(ORDER_FENCE_SITE),
        .subject = args.site,
        .args = order_args_encode(b->arena, &args),
        .who = STR(SITE_BY_DIRECTOR),
        .why = STR("no part of the site lives, and new mail waits for its copies"),
        .state = STR("new"),
        .result = STR_EMPTY,
        .created_at_ms = now_wall_ms,
    };
    batch_put(b, "order", key, record_order_encode(&order), version);
    tell(step, "site-fence", "ordered", str_from(node->name), order.why, false, b);
}

static int64_t tries_of(const struct view_order *o, struct batch *b)
{
    struct order_args args;
    return order_args_decode(b->arena, o->record.args, &args) == 0 && args.tries > 0 ? args.tries : 0;
}

static int64_t pause_ms(int64_t tries)
{
    int64_t ms = SITE_FENCE_AGAIN_MS;
    while (--tries > 0 && ms < SITE_FENCE_AGAIN_MAX_MS)
        ms *= 2;
    return ms < SITE_FENCE_AGAIN_MAX_MS ? ms : SITE_FENCE_AGAIN_MAX_MS;
}

static struct str said(const struct view_order *o, struct batch *b)
{
    struct order_result result;
    order_result_decode(b->arena, o->record.result, &result);
    return result.text;
}

/* "failed" becomes "later", which tells that it was told. */
static void on_failed(const struct site_step *step, const struct view_order *o, struct batch *b)
{
    struct record_order order = o->record;
    struct order_args args = {0};
    if (order_args_decode(b->arena, o->record.args, &args) == 0) {
        args.tries++;
        order.args = order_args_encode(b->arena, &args);
    }
    order.state = STR("later");
    batch_put(b, "order", o->key, record_order_encode(&order), o->version);
    tell(step, "site-fence", "failed", order_node(&o->record), said(o, b), true, b);
}

/* ---- the site's record ---- */

static void record(const struct site_context *x, const struct site_step *step, bool lost, int64_t now_wall_ms,
                   struct batch *b)
{
    struct str name = str_from(step->site->name);
    const struct view_site *old = view_site_find(x->view, name);
    struct record_site site = {.lost = lost, .who = STR(SITE_BY_DIRECTOR), .changed_at_ms = now_wall_ms};
    batch_put(b, "site", name, record_site_encode(&site), old ? old->version : NETWORK_ABSENT);
}

/* The order stays as it is: its key has the version of a record that is no more. */
static void on_done(const struct site_context *x, const struct site_step *step, const struct view_order *o,
                    int64_t now_wall_ms, struct batch *b)
{
    bool lives = site_shows_life(x->config, x->view, step->site, 0);
    if (lives || o->age_ms > SITE_FENCE_GOOD_MS) {
        batch_delete(b, "order", o->key, o->version);
        tell(step, "site-fence", "void", order_node(&o->record),
             lives ? STR("it was off, and a part of it lives again") : STR("it was confirmed long ago"),
             false, b);
        return;
    }
    record(x, step, true, now_wall_ms, b);
    tell(
        step, "site-lost", "lost", order_node(&o->record),
        STR("the agent confirms that the whole site is off: it is recorded as lost, and what the other sites "
            "accept has no copy in another site until it is back"),
        true, b);
}

/* ---- one step ---- */

/* It has been so for long enough. */
static bool is_due(const struct site_step *step, enum site_word word)
{
    return step->word == word && step->held_ms >= step->site->fence_after_ms;
}

static void on_open(const struct site_context *x, const struct site_step *step, const struct view_order *o,
                    int64_t now_wall_ms, struct batch *b)
{
    bool carried = is_carried(x, o, step->site);
    if (carried && (order_is(&o->record, "taken") || step->word == SITE_GONE))
        return;
    if (is_due(step, SITE_GONE))
        give(x, step, o->key, o->version, tries_of(o, b), now_wall_ms, b);
    else if (step->word != SITE_GONE)
        batch_delete(b, "order", o->key, o->version);
}

static void on_order(const struct site_context *x, const struct site_step *step, const struct view_order *o,
                     int64_t now_wall_ms, struct batch *b)
{
    if (record_order_is_open(&o->record))
        on_open(x, step, o, now_wall_ms, b);
    else if (order_is(&o->record, "done"))
        on_done(x, step, o, now_wall_ms, b);
    else if (order_is(&o->record, "failed"))
        on_failed(step, o, b);
    else if (site_shows_life(x->config, x->view, step->site, 0)) /* the next loss is another one */
        batch_delete(b, "order", o->key, o->version);
    else if (is_due(step, SITE_GONE) && o->age_ms >= pause_ms(tries_of(o, b)))
        give(x, step, o->key, o->version, tries_of(o, b), now_wall_ms, b);
}

static struct str key_of(struct arena *a, const struct view *v, struct str name)
{
    const struct view_site *site = view_site_find(v, name);
    return order_key(a, name, 0, ORDER_FENCE_SITE, site ? site->version : 0);
}

/* What was ordered before an operator recorded the site as lost, or as back. */
static void withdraw_others(const struct view *v, struct str name, struct str key, struct batch *b)
{
    for (size_t i = 0; i < v->order_count; i++) {
        const struct view_order *o = &v->orders[i];
        if (str_eq(o->record.verb, STR(ORDER_FENCE_SITE)) && str_eq(o->record.subject, name) &&
            !str_eq(o->key, key) && order_is(&o->record, "new"))
            batch_delete(b, "order", o->key, o->version);
    }
}

void site_fence_step(const struct site_context *x, const struct site_step *step, int64_t now_wall_ms,
                     struct batch *b)
{
    struct str name = str_from(step->site->name);
    const struct view_site *site = view_site_find(x->view, name);
    struct str key = key_of(b->arena, x->view, name);
    const struct view_order *o = view_order_find(x->view, key);
    withdraw_others(x->view, name, key, b);
    if (o && !(site && site->record.lost)) {
        on_order(x, step, o, now_wall_ms, b);
    } else if (is_due(step, SITE_GONE)) {
        give(x, step, key, NETWORK_ABSENT, 0, now_wall_ms, b);
    } else if (is_due(step, SITE_BACK)) {
        record(x, step, false, now_wall_ms, b);
        tell(step, "site-back", "back", STR_EMPTY,
             STR("it lives and has copies again: new mail waits for them"), false, b);
    }
}

/* By its key: neither a record of the site nor another loss has come between. */
static bool is_of_now(const struct view *v, const struct view_order *o, struct str name)
{
    struct arena arena;
    const struct view_site *site = view_site_find(v, name);
    arena_init(&arena, KEY_MAX_BYTES);
    bool same = str_eq(o->key, key_of(&arena, v, name));
    arena_fini(&arena);
    return same && !(site && site->record.lost);
}

bool site_fence_is_wanted(const struct config *c, const struct view *v, const struct view_order *o,
                          const struct order_args *args)
{
    const struct config_site *s = named_site(c, args->site);
    return s && o->age_ms <= args->timeout_ms && is_of_now(v, o, args->site) && !site_shows_life(c, v, s, 0);
}
