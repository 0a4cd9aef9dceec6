#include "cli/bootstrap.h"

#include <stdio.h>
#include <stdlib.h>

#include "auth/peer.h"
#include "auth/users_file.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/say.h"
#include "store/records.h"

struct write_wait {
    struct context *cx;
    int err;
};

static void on_write(void *arg, int err, size_t failed)
{
    struct write_wait *w = arg;
    (void)failed;
    w->err = err;
    context_done(w->cx);
}

static int write_all(struct context *cx, const struct network_change *changes, size_t count)
{
    struct write_wait w = {.cx = cx};
    network_write(store_network(cx->store), changes, count, NULL, on_write, &w);
    context_wait(cx);
    return w.err;
}

static int put_peer_key(struct context *cx)
{
    struct peer_key key;
    char hex[PEER_KEY_TEXT];
    loop_random(cx->loop, key.bytes, sizeof(key.bytes));
    peer_key_format(&key, hex);
    struct record_secret secret = {.hex = str_from(hex)};
    char *value = record_secret_encode(&secret);
    struct network_change change = {.type = NETWORK_PUT,
                                    .kind = STR("secret"),
                                    .key = STR("peer"),
                                    .value = str_from(value),
                                    .expect_version = NETWORK_ABSENT};
    int err = write_all(cx, &change, 1);
    free(value);
    return err;
}

/* The users and their revision together: another's start finds all or nothing. */
static int put_users(struct context *cx, const struct users_file *users)
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
    int err = write_all(cx, changes, users->count + 1);
    for (size_t i = 0; i < users->count; i++)
        free((void *)(uintptr_t)changes[i + 1].value.ptr);
    free(changes);
    if (err == 0)
        log_event(LOG_INFO, "users read into the store", LOG_I64("users", (int64_t)users->count));
    return err;
}

static int load_users(struct context *cx)
{
    struct users_file users = {0};
    struct err_buf eb = {""};
    if (cx->config->users_file[0] && users_file_load(cx->config->users_file, &users, &eb) < 0) {
        say_line(stderr, "holdfast %s: %s", cx->command, eb.text);
        return ERR_INVALID;
    }
    int err = put_users(cx, &users); /* which the store takes, or not: its errors are others */
    if (cx->config->users_file[0])
        users_file_free(&users);
    return err;
}

static int failed(const struct context *cx, int err)
{
    if (err != ERR_INVALID)
        say_line(stderr, "holdfast %s: the store does not take the network's first records: %s", cx->command,
                 err_name(err));
    return err;
}

int bootstrap(struct context *cx)
{
    struct viewer *viewer = context_view(cx);
    bool no_key = viewer_view(viewer)->peer_secret_hex.len == 0;
    bool no_users = viewer_view(viewer)->users_revision == 0;
    viewer_free(viewer);
    int err = no_key ? put_peer_key(cx) : 0;
    if ((err == 0 || err == ERR_CONFLICT) && no_users)
        err = load_users(cx);
    return err == 0 || err == ERR_CONFLICT ? 0 : failed(cx, err);
}
