#include "mailbox/upgrade.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/records.h"
#include "store/users.h"

struct upgrade {
    struct loop *loop;
    struct network *network;
    struct password_queue *passwords;
    struct password_request *request; /* one of these two while one is under way */
    struct store_op *op;
    char *user, *verifier; /* the old one */
    char *made;
};

struct upgrade *upgrade_new(struct loop *l, struct network *n, struct password_queue *q)
{
    struct upgrade *u = mem_zalloc(sizeof(*u));
    u->loop = l;
    u->network = n;
    u->passwords = q;
    return u;
}

static void clear(struct upgrade *u)
{
    free(u->user);
    free(u->verifier);
    free(u->made);
    u->user = u->verifier = u->made = NULL;
}

void upgrade_free(struct upgrade *u)
{
    if (!u)
        return;
    password_request_cancel(u->request);
    if (u->op)
        store_op_forget(u->op);
    clear(u);
    free(u);
}

static void on_written(void *arg, int err, size_t failed)
{
    struct upgrade *u = arg;
    (void)failed;
    u->op = NULL;
    if (err == 0)
        log_event(LOG_INFO, "verifier upgraded", LOG_TEXT("user", u->user));
    else if (err != ERR_CONFLICT)
        log_event(LOG_WARNING, "verifier not upgraded", LOG_TEXT("user", u->user),
                  LOG_TEXT("error", err_name(err)));
    clear(u);
}

static void on_record(void *arg, int err, const struct network_record *records, size_t count)
{
    struct upgrade *u = arg;
    struct arena arena;
    struct record_user user;
    u->op = NULL;
    arena_init(&arena, 1 << 16);
    if (err == 0 && count == 1 && record_user_decode(&arena, records[0].value, &user) == 0 &&
        !user.disabled && str_eq(user.verifier, str_from(u->verifier))) {
        user.verifier = str_from(u->made);
        char *value = record_user_encode(&user);
        u->op = users_put(u->network, str_from(u->user), str_from(value), records[0].version,
                          (struct users_act){STR("mailbox"), loop_wall(u->loop)}, on_written, u);
        free(value);
    } else {
        clear(u); /* changed meanwhile, or not to be had now: the next login asks again */
    }
    arena_fini(&arena);
}

static void on_hashed(void *arg, int err, struct str verifier)
{
    struct upgrade *u = arg;
    u->request = NULL;
    if (err) {
        clear(u);
        return;
    }
    u->made = str_dup(verifier);
    u->op = network_read(u->network, STR("user"), str_from(u->user), on_record, u);
}

void upgrade_consider(struct upgrade *u, struct str user, struct str verifier, struct str password)
{
    if (u->user || !password_needs_rehash(verifier))
        return;
    u->user = str_dup(user);
    u->verifier = str_dup(verifier);
    u->request = password_queue_hash(u->passwords, password, on_hashed, u);
}
