#include "dialogue/reader_rig.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char *const standard[READER_RIG_MESSAGES] = {
    "Return-Path: <carol@client.example>\r\n"
    "From: Carol <carol@client.example>\r\n"
    "To: alice@example.test\r\n"
    "Subject: first\r\n"
    "Date: Mon, 1 Jan 2024 12:00:00 +0000\r\n"
    "Message-ID: <1@client.example>\r\n"
    "\r\n"
    "Hello Alice.\r\n",

    "Subject: dots\r\n"
    "\r\n"
    ".\r\n"
    "..two\r\n"
    "no end",

    "Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=b\r\n"
    "\r\n"
    "--b\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: base64\r\n"
    "\r\n"
    "R3LDvMOfZSBhdXMgSmVuYS4=\r\n"
    "--b\r\n"
    "Content-Type: message/rfc822\r\n"
    "\r\n"
    "Subject: inner\r\n"
    "\r\n"
    "inside\r\n"
    "--b--\r\n",
};

struct str reader_rig_message(uint64_t i)
{
    return str_from(standard[i % READER_RIG_MESSAGES]);
}

static struct mono_time device_clock(void *arg)
{
    return sim_now(arg);
}

struct done {
    bool done;
    int err;
};

static void on_done(void *arg, int err)
{
    *(struct done *)arg = (struct done){true, err};
}

static void on_delivered(void *arg, int err)
{
    (void)arg;
    (void)err;
}

static void wait_for(struct reader_rig *r, const struct done *d)
{
    while (!d->done)
        CHECK(sim_step(r->world));
    CHECK(d->err == 0);
}

void reader_rig_deliver(struct reader_rig *r, const char *text, size_t len)
{
    struct str users[] = {STR("alice@example.test")};
    struct body_writer *body = mail_body_begin(r->mail, false);
    if (!body)
        return;
    body_append(body, text, len);
    mail_deliver(r->mail, body, NULL, users, 1, (struct wall_time){1704110400000}, on_delivered, NULL);
}

static uint64_t no_random(void *arg, uint64_t n)
{
    (void)arg;
    (void)n;
    return 0;
}

static void break_store(struct reader_rig *r, const char *how)
{
    struct store_memory_faults faults = {.unreachable = strcmp(how, "away") == 0,
                                         .full = strcmp(how, "full") == 0};
    struct done d = {false, 0};
    if (strcmp(how, "fenced") != 0) {
        store_memory_set_faults(r->memory, &faults, no_random, NULL);
        return;
    }
    mail_fence(r->mail, STR("mail1"), 8, on_done, &d);
    wait_for(r, &d);
}

static void on_login_due(void *arg)
{
    struct reader_rig *r = arg;
    char *user = r->user;
    r->user = NULL;
    r->answer(r->arg, r->err, str_from(user));
    free(user);
}

struct reader_rig *reader_rig_new(uint64_t messages, const char *store, uint32_t seed)
{
    struct reader_rig *r = mem_zalloc(sizeof(*r));
    struct err_buf eb;
    r->late = seed != 1;
    r->world = sim_world_new(seed);
    r->loop = sim_loop_new(r->world, "host", "mailbox");
    r->timer = loop_timer_new(r->loop, on_login_due, r);
    r->memory = store_memory_new(device_clock, r->world);
    struct store_options options = {.engine = STORE_ENGINE_MEMORY, .memory = r->memory};
    CHECK(store_open(r->loop, &options, &r->store, &eb) == 0);
    CHECK(store_mail(r->store, &r->mail, &eb) == 0);
    struct done d = {false, 0};
    mail_instance_begin(r->mail, STR("mail1"), 7, on_done, &d);
    wait_for(r, &d);
    for (uint64_t i = 0; i < messages; i++)
        reader_rig_deliver(r, reader_rig_message(i).ptr, reader_rig_message(i).len);
    reader_rig_settle(r);
    if (store)
        break_store(r, store);
    return r;
}

void reader_rig_free(struct reader_rig *r)
{
    loop_timer_free(r->timer);
    free(r->user);
    store_close(r->store);
    sim_loop_free(r->loop);
    store_memory_free(r->memory);
    sim_world_free(r->world);
    free(r);
}

void reader_rig_login(struct reader_rig *r, struct str user, struct str password,
                      void (*answer)(void *arg, int err, struct str user), void *arg)
{
    bool known = str_eq(user, STR("alice@example.test")) || str_eq(user, STR("bob@example.test"));
    int err = known && str_eq(password, STR("holdfast")) ? 0 : ERR_DENIED;
    if (!r->late || sim_random_below(r->world, 2) == 0) {
        answer(arg, err, user);
        return;
    }
    r->answer = answer;
    r->arg = arg;
    r->err = err;
    r->user = str_dup(user);
    loop_timer_start(r->timer, 1000);
}

void reader_rig_cancel(struct reader_rig *r)
{
    loop_timer_stop(r->timer);
    free(r->user);
    r->user = NULL;
}

bool reader_rig_tick(struct reader_rig *r)
{
    return sim_step(r->world);
}

void reader_rig_settle(struct reader_rig *r)
{
    while (sim_step(r->world))
        ;
}
