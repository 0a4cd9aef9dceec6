#include "relay/known_users.h"

#include <string.h>

#define REVISION_NONE (-1)

static void decide(struct known_users *k);
static void end_look(struct known_users *k, bool defer);

/* ---- the directory ---- */

static void on_users(void *arg, int err, const struct network_record *records, size_t count)
{
    struct known_users *k = arg;
    k->op = NULL;
    if (err) {
        k->revision = REVISION_NONE; /* the next view or look asks again */
        if (err == ERR_UNAVAILABLE && k->copy)
            directory_copy_use(k->copy);
        if (k->looking && !k->look)
            end_look(k, true);
        return;
    }
    recipients_directory_begin(k->recipients);
    for (size_t i = 0; i < count; i++)
        recipients_directory_add(k->recipients, records[i].key);
    recipients_directory_end(k->recipients);
    if (k->copy)
        directory_copy_update(k->copy);
    decide(k);
}

static void read_users(struct known_users *k, int64_t revision)
{
    k->revision = revision;
    k->op = network_read(k->network, STR("user"), (struct str){NULL, 0}, on_users, k);
}

/* Without a revision the store is empty still, or anew: its first users are on their way. */
void known_users_on_view(struct known_users *k, const struct view *v)
{
    if (!k->op && v->users_revision > 0 && k->revision != v->users_revision)
        read_users(k, v->users_revision);
}

/* ---- looking ---- */

static bool is_known(const struct known_users *k, const struct verify_waiter *w)
{
    const struct config_domain *domain;
    const char *at = memrchr(w->address.ptr, '@', w->address.len);
    if (!at)
        return false;
    struct str local_part = str_sub(w->address, 0, (size_t)(at - w->address.ptr));
    return recipients_check(k->recipients, local_part, str_from(w->domain->name), &domain) == RECIPIENT_OURS;
}

/* defer: whatever the directory says. */
static void tell(struct known_users *k, struct list *waiters, bool defer)
{
    struct list all;
    list_init(&all);
    list_splice(&all, waiters);
    while (!list_empty(&all)) {
        struct verify_waiter *w = LIST_ENTRY(all.next, struct verify_waiter, node);
        bool known = !defer && is_known(k, w);
        verify_forget(w);
        w->on_verdict(w, known ? VERDICT_TAKE : defer ? VERDICT_DEFER : VERDICT_REFUSE);
    }
}

/* The pause begins before they are told: who asks from inside of a callback has to wait for the next look. */
static void end_look(struct known_users *k, bool defer)
{
    k->looking = k->overdue = false;
    loop_timer_stop(k->deadline);
    loop_timer_start(k->pause, LOOK_PAUSE_MS);
    tell(k, &k->now, defer);
}

/* The look ends as soon as the directory is of the revision that it saw, or a later one; also when nobody
 * waits for it any more: then somebody may wait for the next one. */
static void decide(struct known_users *k)
{
    if (!k->looking || k->look || k->op)
        return;
    if (k->revision < k->wanted)
        read_users(k, k->wanted);
    else
        end_look(k, false);
}

static void on_revision(void *arg, int err, const struct network_record *records, size_t count)
{
    struct known_users *k = arg;
    k->look = NULL;
    if (err) {
        end_look(k, true);
        return;
    }
    if (count == 0) { /* as above */
        end_look(k, true);
        return;
    }
    k->wanted = records[0].version;
    decide(k);
}

static void look(void *arg)
{
    struct known_users *k = arg;
    if (k->looking || list_empty(&k->next) || loop_timer_active(k->pause))
        return;
    k->looking = true;
    list_splice(&k->now, &k->next);
    k->look = network_read(k->network, STR("revision"), STR("users"), on_revision, k);
    loop_timer_start(k->deadline, LOOK_TIMEOUT_MS);
}

static void on_deadline(void *arg)
{
    struct known_users *k = arg;
    k->overdue = true;
    tell(k, &k->now, true);
    tell(k, &k->next, true);
}

enum verdict known_users_ask(struct known_users *k, struct verify_waiter *w)
{
    if (k->overdue)
        return VERDICT_DEFER;
    list_append(&k->next, &w->node);
    w->waits = true;
    look(k);
    return VERDICT_ASK;
}

/* ---- life ---- */

void known_users_init(struct known_users *k, struct loop *l, struct network *n, struct recipients *recipients)
{
    *k = (struct known_users){.network = n, .recipients = recipients, .revision = REVISION_NONE};
    list_init(&k->now);
    list_init(&k->next);
    k->pause = loop_timer_new(l, look, k);
    k->deadline = loop_timer_new(l, on_deadline, k);
}

void known_users_fini(struct known_users *k)
{
    if (k->op)
        store_op_forget(k->op);
    if (k->look)
        store_op_forget(k->look);
    k->op = k->look = NULL;
    loop_timer_free(k->pause);
    loop_timer_free(k->deadline);
}
