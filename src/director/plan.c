#include "director/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "director/agree.h"
#include "director/named.h"
#include "director/orders.h"

#define HOME_TIMEOUT_MS 30000 /* of a first start that no create entry describes */

static bool is(struct str s, const char *text)
{
    return str_eq(s, str_from(text));
}

/* Appends a reason to the human's detail. */
static void PRINTF_LIKE(2, 3) pass_over(struct err_buf *eb, const char *fmt, ...)
{
    size_t len = strlen(eb->text);
    int added = snprintf(eb->text + len, sizeof(eb->text) - len, "%s", len > 0 ? "; " : "");
    va_list args;
    va_start(args, fmt);
    len += (size_t)added;
    if (len < sizeof(eb->text))
        vsnprintf(eb->text + len, sizeof(eb->text) - len, fmt, args);
    va_end(args);
}

/* ---- entries ---- */

static struct config_create home_create(const struct config_server *s)
{
    const struct config_failover *f = &s->failover;
    for (size_t i = 0; i < f->create_count; i++)
        if (f->create[i].address_same && f->create[i].site == s->site)
            return f->create[i];
    return (struct config_create){
        .site = s->site,
        .address_same = true,
        .provisioner = s->kind == SERVER_BUILTIN ? "process" : "",
        .fence = s->kind == SERVER_BUILTIN ? "process" : "",
        .timeout_ms = HOME_TIMEOUT_MS,
    };
}

size_t plan_entry_count(const struct config_server *s)
{
    return s->failover.standby_count + s->failover.create_count;
}

bool plan_entry_get(const struct config_server *s, int64_t index, struct plan_entry *ret_entry)
{
    const struct config_failover *f = &s->failover;
    if (index < PLAN_HOME || index >= (int64_t)plan_entry_count(s))
        return false;
    *ret_entry = (struct plan_entry){0};
    if (index == PLAN_HOME)
        ret_entry->create = home_create(s);
    else if ((size_t)index < f->standby_count)
        ret_entry->standby = f->standby[index];
    else
        ret_entry->create = f->create[(size_t)index - f->standby_count];
    return true;
}

static void entry_address(const struct config_server *s, const struct config_create *e,
                          char out[ADDR_TEXT_MAX])
{
    out[0] = '\0';
    if (!e->address_same)
        addr_format_ip(&e->address, out);
    else if (s->address.count > 0)
        addr_format_ip(&s->address.addrs[0], out);
}

static bool is_place(const struct config_server *s, const struct config_create *e,
                     const struct record_instance *i)
{
    char address[ADDR_TEXT_MAX];
    entry_address(s, e, address);
    return is(i->site, e->site->name) && is(i->address, address);
}

struct str plan_provisioner_of(const struct config_server *s, const struct record_instance *i)
{
    const struct config_failover *f = &s->failover;
    for (size_t k = 0; k < f->create_count; k++)
        if (is_place(s, &f->create[k], i))
            return str_from(f->create[k].provisioner);
    return str_from(home_create(s).provisioner);
}

/* ---- the record ---- */

bool plan_has_instance(const struct record_server *r)
{
    return r->instance.address.len > 0;
}

bool plan_is_home(const struct config_server *s, const struct record_server *r)
{
    struct config_create home = home_create(s);
    return plan_has_instance(r) && r->served_by.len == 0 && is_place(s, &home, &r->instance);
}

enum plan_kind plan_candidate_kind(const struct config_server *s, const struct record_server *r)
{
    if (r->plan_index >= 0 && (size_t)r->plan_index < s->failover.standby_count)
        return PLAN_STANDBY;
    bool same = plan_has_instance(r) && str_eq(r->candidate.address, r->instance.address) &&
                r->candidate.epoch == r->instance.epoch;
    return same ? PLAN_RETURN : PLAN_CREATE;
}

/* ---- fencing ---- */

static bool names_agent(const struct config_create *e)
{
    return e->fence[0] != '\0' && strcmp(e->fence, CONFIG_FENCE_EPOCH) != 0;
}

/* `process` looks into the machine that the instance runs on: its own node, or another node of the same boot
 * of that machine with the same pids. Other agents work from afar. */
static bool same_machine(const struct plan_context *x, struct str instance_node, const struct config_node *n)
{
    const struct view_node *a = view_node_find(x->view, instance_node);
    const struct view_node *b = view_node_find(x->view, str_from(n->name));
    return a && b && a->record.boot_id.len > 0 && str_eq(a->record.boot_id, b->record.boot_id) &&
           a->record.pid_ns == b->record.pid_ns;
}

static struct str fence_runner(const struct plan_context *x, const struct config_create *e)
{
    bool local = strcmp(e->fence, "process") == 0;
    struct str holder = x->record->instance.node, found = STR_EMPTY;
    for (size_t i = 0; i < x->config->node_count; i++) {
        const struct config_node *n = &x->config->nodes[i];
        if (!(n->roles & ROLE_DIRECTOR) || !agree_agent_lives(x->view, n))
            continue;
        if (is(holder, n->name))
            return holder;
        if (n->site == e->site && (!local || same_machine(x, holder, n)) && found.len == 0)
            found = str_from(n->name);
    }
    return found;
}

/* A takeover of the same address, and of what no epoch guards, needs to know
 * that the holder is off: from the entry's agent, or where it names none from the
 * holder's own provisioner, on its own node. */
static bool must_be_off(const struct plan_context *x, const struct config_create *e)
{
    char target[ADDR_TEXT_MAX];
    if (x->server->kind == SERVER_EXTERNAL)
        return true;
    entry_address(x->server, e, target);
    return is(x->record->instance.address, target);
}

static bool is_planned(const struct record_server *r)
{
    return is(r->wanted, WANTED_SWITCHOVER) || is(r->wanted, WANTED_FAILBACK) || is(r->wanted, WANTED_RETIRE);
}

static struct str live_holder(const struct plan_context *x)
{
    const struct config_node *n = named_node(x->config, x->record->instance.node);
    return n && agree_agent_lives(x->view, n) ? x->record->instance.node : STR_EMPTY;
}

static enum fence_method fence_for(const struct plan_context *x, const struct config_create *e, bool required,
                                   enum fence_method from, struct str *ret_node)
{
    struct str node = STR_EMPTY;
    enum fence_method method = FENCE_NONE;
    bool gently = required ? !names_agent(e) : is_planned(x->record);
    if (from <= FENCE_DESTROY && gently && (node = live_holder(x)).len > 0)
        method = FENCE_DESTROY;
    else if (from <= FENCE_AGENT && names_agent(e) && (node = fence_runner(x, e)).len > 0)
        method = FENCE_AGENT;
    else if (from <= FENCE_EPOCH && x->server->kind == SERVER_BUILTIN && !required)
        method = FENCE_EPOCH;
    if (ret_node)
        *ret_node = method == FENCE_DESTROY || method == FENCE_AGENT ? node : STR_EMPTY;
    return method;
}

enum fence_method plan_fence(const struct plan_context *x, enum fence_method from, struct str *ret_node)
{
    struct plan_entry e;
    bool only_off = is(x->record->wanted, WANTED_FENCE) || is(x->record->wanted, WANTED_RETIRE);
    if (!plan_entry_get(x->server, only_off ? PLAN_HOME : x->record->plan_index, &e) || e.standby) {
        if (ret_node)
            *ret_node = STR_EMPTY;
        return FENCE_NONE;
    }
    bool required = x->server->kind == SERVER_EXTERNAL || (!only_off && must_be_off(x, &e.create));
    return fence_for(x, &e.create, required, from, ret_node);
}

/* ---- choosing ---- */

static const struct config_node *creator(const struct plan_context *x, const struct config_site *site)
{
    for (size_t i = 0; i < x->config->node_count; i++) {
        const struct config_node *n = &x->config->nodes[i];
        if (n->site == site && (n->roles & ROLE_MAILBOX) && (n->roles & ROLE_DIRECTOR) &&
            agree_agent_lives(x->view, n))
            return n;
    }
    return NULL;
}

static bool choose_create(const struct plan_context *x, int64_t index, const struct config_create *e,
                          struct plan_choice *c, struct err_buf *eb)
{
    const struct record_server *r = x->record;
    const char *site = e->site->name;
    const struct config_node *node = creator(x, e->site);
    entry_address(x->server, e, c->address);
    if (e->provisioner[0] == '\0')
        pass_over(eb, "create in %s: no provisioner", site);
    else if (!node)
        pass_over(eb, "create in %s: no live node with the roles mailbox and director", site);
    else if (is(r->wanted, WANTED_SWITCHOVER) && plan_has_instance(r) && is(r->instance.site, site))
        pass_over(eb, "create in %s: it is there now", site);
    else if (is(r->wanted, WANTED_RESTART) && plan_has_instance(r) && !is_place(x->server, e, &r->instance))
        pass_over(eb, "create in %s: it was not there", site);
    else if (order_address_is_doubtful(x->view, str_from(x->server->name), str_from(c->address)))
        pass_over(eb, "create in %s: an earlier instance at %s is not known to be off", site, c->address);
    else if (plan_has_instance(r) && fence_for(x, e, must_be_off(x, e), FENCE_DESTROY, NULL) == FENCE_NONE)
        pass_over(eb, "create in %s: the holder of %s cannot be fenced", site, c->address);
    else {
        c->kind = PLAN_CREATE;
        c->index = index;
        c->node = str_from(node->name);
        c->site = str_from(site);
        return true;
    }
    return false;
}

static bool operational(const struct plan_context *x, struct str server, int64_t epoch)
{
    struct agreement a = agree_count(x->view, x->config, server, epoch);
    return agree_operational(&a);
}

static bool choose_standby(const struct plan_context *x, int64_t index, const struct config_server *standby,
                           struct plan_choice *c, struct err_buf *eb)
{
    const struct view_server *v = view_server_find(x->view, str_from(standby->name));
    bool runs = v && is(v->record.state, "running") && v->record.served_by.len == 0;
    if (!runs || !operational(x, str_from(standby->name), v->record.instance.epoch)) {
        pass_over(eb, "standby %s: not operational", standby->name);
        return false;
    }
    c->kind = PLAN_STANDBY;
    c->index = index;
    c->standby = str_from(standby->name);
    c->site = v->record.instance.site;
    snprintf(c->address, sizeof(c->address), "%.*s", STR_ARG(v->record.instance.address));
    return true;
}

/* Its own instance works again while a standby has the mail. */
static bool choose_return(const struct plan_context *x, struct plan_choice *c)
{
    const struct record_server *r = x->record;
    if (r->served_by.len == 0 || !plan_has_instance(r) ||
        !operational(x, str_from(x->server->name), r->instance.epoch))
        return false;
    c->kind = PLAN_RETURN;
    c->index = PLAN_HOME;
    c->node = r->instance.node;
    c->site = r->instance.site;
    snprintf(c->address, sizeof(c->address), "%.*s", STR_ARG(r->instance.address));
    return true;
}

static bool choose(const struct plan_context *x, int64_t index, struct plan_choice *c, struct err_buf *eb)
{
    const struct record_server *r = x->record;
    struct plan_entry e;
    *c = (struct plan_choice){.node = STR_EMPTY, .site = STR_EMPTY, .standby = STR_EMPTY};
    if (!plan_entry_get(x->server, index, &e))
        return false;
    if (index == PLAN_HOME && choose_return(x, c))
        return true;
    if (index == PLAN_HOME && !is(r->wanted, WANTED_START) && !is(r->wanted, WANTED_FAILBACK) &&
        !is(r->wanted, WANTED_RESTART))
        return false;
    if (e.standby && is(r->wanted, WANTED_RESTART) && plan_has_instance(r))
        return false;
    return e.standby ? choose_standby(x, index, e.standby, c, eb) : choose_create(x, index, &e.create, c, eb);
}

/* A first start is at home only; so is a failback, unless the holder that it
 * left is off already and the mail has to go somewhere; and a restart that did
 * not succeed in place, where only an operator may choose another. */
static bool home_only(const struct plan_context *x)
{
    const struct record_server *r = x->record;
    bool holder = plan_has_instance(r), manual = x->server->failover.mode == FAILOVER_MANUAL;
    return is(r->wanted, WANTED_START) || (is(r->wanted, WANTED_FAILBACK) && holder) ||
           (is(r->wanted, WANTED_RESTART) && !holder && manual);
}

int plan_next(const struct plan_context *x, struct plan_choice *ret_choice, struct err_buf *eb)
{
    struct plan_choice choice;
    int64_t end = home_only(x) ? PLAN_HOME + 1 : (int64_t)plan_entry_count(x->server);
    eb->text[0] = '\0';
    for (int64_t i = x->record->plan_index + 1; i < end; i++) {
        if (!choose(x, i, &choice, eb))
            continue;
        *ret_choice = choice;
        return 0;
    }
    if (eb->text[0] == '\0')
        pass_over(eb, "no entry of its failover section is left");
    return ERR_NOT_FOUND;
}
