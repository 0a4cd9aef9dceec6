#include "cli/bootstrap.h"

#include <stdlib.h>

#include "auth/peer.h"
#include "auth/users_file.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/say.h"
#include "store/records.h"

#define RETRY_MS 1000 /* a store that is away */

struct bootstrap {
    struct loop *loop;
    struct network *network;
    const struct config *config;
    const char *command;
    void (*on_done)(void *arg, int err);
    void *arg;
    struct store_op *op;
    struct loop_timer *timer;
    bool no_users;
    size_t users; /* that are being put */
    bool patient;
    bool failed; /* as was logged */
};

static void end(struct bootstrap *b, int err)
{
    if (err != 0 && err != ERR_INVALID)
        say_line(stderr, "holdfast %s: the store does not take the network's first records: %s", b->command,
                 err_name(err));
    b->on_done(b->arg, err); /* last: the callee may free b */
}

static void try_again(struct bootstrap *b, int err)
{
    if (!b->failed)
        log_event(LOG_WARNING, "the network's first records are not known to be there",
                  LOG_TEXT("error", err_name(err)), LOG_TEXT("todo", "nothing: it is tried again by itself"));
    b->failed = true;
    loop_timer_start(b->timer, RETRY_MS);
}

/* What has no answer may be there, which the next look tells. */
static void fail(struct bootstrap *b, int err)
{
    if (b->patient || err == ERR_UNAVAILABLE || err == ERR_UNKNOWN)
        try_again(b, err);
    else
        end(b, err);
}

/* ---- users ---- */

static void on_users_put(void *arg, int err, size_t failed)
{
    struct bootstrap *b = arg;
    (void)failed;
    b->op = NULL;
    if (err == 0)
        log_event(LOG_INFO, "users read into the store", LOG_I64("users", (int64_t)b->users));
    if (err == 0 || err == ERR_CONFLICT)
        end(b, 0);
    else
        fail(b, err);
}

/* The users and their revision together: another's start finds all or nothing. */
static void put_users(struct bootstrap *b, const struct users_file *users)
{
    struct network_change *changes = mem_calloc(users->count + 1, sizeof(*changes));
    changes[0] = (struct network_change){.type = NETWORK_PUT,
                                         .kind = STR("revision"),
                                         .key = STR("users"),
                                         .value = STR("{}"),
                                         .expect_version = NETWORK_ABSENT};
    for (size_t i = 0; i < users->count; i++) {
        struct record_user user = {.verifier = users->entries[i].verifier};
        changes[i + 1] = (struct network_change){.type = NETWORK_PUT,
                                                 .kind = STR("user"),
                                                 .key = users->entries[i].address,
                                                 .value = str_from(record_user_encode(&user)),
                                                 .expect_version = NETWORK_ANY_VERSION};
    }
    b->users = users->count;
    b->op = network_write(b->network, changes, users->count + 1, NULL, on_users_put, b);
    for (size_t i = 0; i < users->count; i++)
        free((void *)(uintptr_t)changes[i + 1].value.ptr);
    free(changes);
}

static void load_users(struct bootstrap *b)
{
    const char *path = b->config->users_file;
    struct users_file users = {0};
    struct err_buf eb = {""};
    if (path[0] && users_file_load(path, &users, &eb) < 0) {
        say_line(stderr, "holdfast %s: %s", b->command, eb.text);
        end(b, ERR_INVALID);
        return;
    }
    put_users(b, &users);
    if (path[0])
        users_file_free(&users);
}

/* ---- the peer key ---- */

static void go_on(struct bootstrap *b)
{
    if (b->no_users)
        load_users(b);
    else
        end(b, 0);
}

static void on_key_put(void *arg, int err, size_t failed)
{
    struct bootstrap *b = arg;
    (void)failed;
    b->op = NULL;
    if (err == 0 || err == ERR_CONFLICT)
        go_on(b);
    else
        fail(b, err);
}

static void put_peer_key(struct bootstrap *b)
{
    struct peer_key key;
    char hex[PEER_KEY_TEXT];
    loop_random(b->loop, key.bytes, sizeof(key.bytes));
    peer_key_format(&key, hex);
    struct record_secret secret = {.hex = str_from(hex)};
    char *value = record_secret_encode(&secret);
    struct network_change change = {.type = NETWORK_PUT,
                                    .kind = STR("secret"),
                                    .key = STR("peer"),
                                    .value = str_from(value),
                                    .expect_version = NETWORK_ABSENT};
    b->op = network_write(b->network, &change, 1, NULL, on_key_put, b);
    free(value);
}

/* ---- what is there ---- */

static bool has(const struct network_sight *seen, const char *kind, const char *key)
{
    for (size_t i = 0; i < seen->record_count; i++)
        if (str_eq(seen->records[i].kind, str_from(kind)) && str_eq(seen->records[i].key, str_from(key)))
            return true;
    return false;
}

static void on_look(void *arg, int err, const struct network_sight *seen)
{
    struct bootstrap *b = arg;
    b->op = NULL;
    if (err != 0) {
        fail(b, err);
        return;
    }
    b->no_users = !has(seen, "revision", "users");
    if (has(seen, "secret", "peer"))
        go_on(b);
    else
        put_peer_key(b);
}

static void look(void *arg)
{
    struct bootstrap *b = arg;
    const struct str kinds[] = {STR("secret"), STR("revision")};
    b->op = network_look(b->network, kinds, ARRAY_LEN(kinds), on_look, b);
}

/* ---- life ---- */

struct bootstrap *bootstrap_new(struct loop *l, struct network *n, const struct config *c,
                                const char *command, bool patient, void (*on_done)(void *arg, int err),
                                void *arg)
{
    struct bootstrap *b = mem_zalloc(sizeof(*b));
    *b = (struct bootstrap){.loop = l,
                            .network = n,
                            .config = c,
                            .command = command,
                            .patient = patient,
                            .on_done = on_done,
                            .arg = arg};
    b->timer = loop_timer_new(l, look, b);
    look(b);
    return b;
}

void bootstrap_free(struct bootstrap *b)
{
    if (!b)
        return;
    if (b->op)
        store_op_forget(b->op);
    loop_timer_free(b->timer);
    free(b);
}
