#include "mailbox/login.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

/* A person hardly notices; a guesser gets three tries in as many seconds. */
#define DENIED_DELAY_MS 1000

#define NAME_SHOWN_MAX 128 /* of a name that a client made up */

struct login {
    struct instance *instance;
    const char *protocol;
    char client[ADDR_TEXT_MAX];
    char name[NAME_SHOWN_MAX + 1]; /* as given */
    struct password_request *request;
    struct loop_timer *timer;
    int answer; /* when it fires */
    char *user; /* "" when there is none of that name */
    char *verifier;
    char password[PASSWORD_MAX_BYTES]; /* for the upgrade, until it was judged */
    size_t password_len;
    void (*on_done)(void *arg, int err, struct str user);
    void *arg;
};

static void login_free(struct login *l)
{
    password_request_cancel(l->request);
    loop_timer_free(l->timer);
    explicit_bzero(l->password, sizeof(l->password));
    free(l->verifier);
    free(l->user);
    free(l);
}

static void log_end(const struct login *l, int err)
{
    struct instance *i = l->instance;
    if (i->config->log_messages != LOG_MESSAGES_ALL || (err && !log_limit_may(i->log_limit, l->client)))
        return;
    if (err)
        log_event(LOG_WARNING, "login failed", LOG_TEXT("protocol", l->protocol),
                  LOG_TEXT("client", l->client), LOG_TEXT("name", l->name), LOG_TEXT("error", err_name(err)));
    else
        log_event(LOG_INFO, "login", LOG_TEXT("protocol", l->protocol), LOG_TEXT("client", l->client),
                  LOG_TEXT("user", l->user));
}

static void finish(struct login *l, int err)
{
    log_end(l, err);
    void (*on_done)(void *, int, struct str) = l->on_done;
    void *arg = l->arg;
    char *user = l->user;
    l->user = NULL;
    login_free(l);
    on_done(arg, err, str_from(err ? "" : user));
    free(user);
}

static void on_delay(void *arg)
{
    struct login *l = arg;
    finish(l, l->answer);
}

static void answer_in(struct login *l, int err, int64_t delay_ms)
{
    l->answer = err;
    loop_timer_start(l->timer, delay_ms);
}

static void on_verified(void *arg, int err)
{
    struct login *l = arg;
    l->request = NULL;
    if (err == ERR_DENIED) {
        answer_in(l, ERR_DENIED, DENIED_DELAY_MS);
        return;
    }
    if (err == 0 && !instance_serves(l->instance)) /* the verifier may be one of before */
        err = ERR_UNAVAILABLE;
    if (err == 0)
        upgrade_consider(l->instance->upgrade, str_from(l->user), str_from(l->verifier),
                         (struct str){l->password, l->password_len});
    finish(l, err);
}

struct login *login_new(struct instance *i, const struct login_from *from, struct str name,
                        struct str password, void (*on_done)(void *arg, int err, struct str user), void *arg)
{
    struct login *l = mem_zalloc(sizeof(*l));
    struct str user = STR_EMPTY;
    struct str verifier = directory_verifier(i->directory, name, &user);
    struct str shown = str_sub(name, 0, NAME_SHOWN_MAX);
    l->instance = i;
    l->protocol = from->protocol;
    snprintf(l->client, sizeof(l->client), "%s", from->client);
    memcpy(l->name, shown.ptr, shown.len);
    l->on_done = on_done;
    l->arg = arg;
    l->user = str_dup(user);
    l->verifier = str_dup(verifier);
    if (password.len > 0 && password.len <= sizeof(l->password)) {
        memcpy(l->password, password.ptr, password.len);
        l->password_len = password.len;
    }
    l->timer = loop_timer_new(i->loop, on_delay, l);
    if (instance_serves(i))
        l->request = password_queue_verify(i->passwords, verifier, password, on_verified, l);
    else
        answer_in(l, ERR_UNAVAILABLE, 0);
    return l;
}

void login_cancel(struct login *l)
{
    if (l)
        login_free(l);
}
