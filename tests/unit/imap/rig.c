#include "rig.h"

#include "base/mem.h"
#include "loop/real.h"

#define WAIT_LIMIT_MS 20000 /* a loaded machine under a sanitizer needs seconds */

static struct mono_time device_clock(void *arg)
{
    return loop_now(arg);
}

/* ---- waiting ---- */

struct limit {
    struct loop *loop;
    bool passed;
};

static void on_limit(void *arg)
{
    struct limit *limit = arg;
    limit->passed = true;
    loop_stop(limit->loop);
}

void rig_wait(struct rig *r, const bool *done)
{
    struct limit limit = {r->loop, false};
    struct loop_timer *timer = loop_timer_new(r->loop, on_limit, &limit);
    loop_timer_start(timer, WAIT_LIMIT_MS);
    while (!*done && !limit.passed)
        loop_run(r->loop);
    loop_timer_free(timer);
    if (!*done)
        fail_msg("waited in vain");
}

struct done {
    struct rig *rig;
    bool done;
    int err;
};

static void on_done(void *arg, int err)
{
    struct done *d = arg;
    d->done = true;
    d->err = err;
    loop_stop(d->rig->loop);
}

/* ---- life ---- */

struct rig *rig_new(void)
{
    struct rig *r = mem_zalloc(sizeof(*r));
    struct err_buf eb;
    r->loop = loop_real_new();
    r->memory = store_memory_new(device_clock, r->loop);
    struct store_options options = {.engine = STORE_ENGINE_MEMORY, .memory = r->memory};
    assert_ok(store_open(r->loop, &options, &r->store, &eb));
    assert_ok(store_mail(r->store, &r->mail, &eb));
    struct done d = {.rig = r};
    mail_instance_begin(r->mail, STR("mail1"), 7, on_done, &d);
    rig_wait(r, &d.done);
    assert_ok(d.err);
    return r;
}

void rig_free(struct rig *r)
{
    store_close(r->store);
    store_memory_free(r->memory);
    loop_real_free(r->loop);
    free(r);
}

void rig_deliver(struct rig *r, const char *user, const char *text)
{
    struct str users[] = {str_from(user)};
    struct done d = {.rig = r};
    struct body_writer *body = mail_body_begin(r->mail, false);
    assert_non_null(body);
    body_append(body, text, strlen(text));
    mail_deliver(r->mail, body, NULL, users, 1, (struct wall_time){1700000000000}, on_done, &d);
    rig_wait(r, &d.done);
    assert_ok(d.err);
}

static uint64_t no_random(void *arg, uint64_t n)
{
    (void)arg;
    (void)n;
    return 0;
}

void rig_faults(struct rig *r, const struct store_memory_faults *faults)
{
    store_memory_set_faults(r->memory, faults, no_random, NULL);
}

void rig_fence(struct rig *r)
{
    struct done d = {.rig = r};
    mail_fence(r->mail, STR("mail1"), 8, on_done, &d);
    rig_wait(r, &d.done);
    assert_ok(d.err);
}

/* ---- talking ---- */

static void authenticate(void *arg, struct str user, struct str password)
{
    struct talk *t = arg;
    bool right = str_eq(password, STR("secret"));
    imap_session_authenticated(t->session, right ? t->auth_err : ERR_DENIED, user);
}

static void cancel(void *arg)
{
    (void)arg;
}

static struct wall_time now(void *arg)
{
    (void)arg;
    return (struct wall_time){1700000000000};
}

static void fenced(void *arg)
{
    struct talk *t = arg;
    t->fenced = true;
}

static void collect(struct talk *t)
{
    struct str out;
    while ((out = imap_session_output(t->session)).len > 0) {
        assert_ok(buf_append_str(&t->out, out));
        imap_session_output_taken(t->session, out.len);
    }
}

static void on_wake(void *arg)
{
    struct talk *t = arg;
    loop_stop(t->rig->loop);
}

struct talk *talk_new(struct rig *r, bool plain_allowed)
{
    static const struct imap_ops ops = {authenticate, cancel, now, fenced};
    struct talk *t = mem_zalloc(sizeof(*t));
    t->rig = r;
    t->options = (struct imap_options){
        .hostname = "mail1.example.test", .instance = "7@east1", .append_max_bytes = 1000000};
    buf_init(&t->out, 256u << 20);
    t->session = imap_session_new(&t->options, &ops, t, r->mail, plain_allowed, false);
    imap_session_on_wake(t->session, on_wake, t);
    collect(t);
    return t;
}

struct talk *talk_login(struct rig *r, const char *user)
{
    struct talk *t = talk_new(r, true);
    char line[100];
    snprintf(line, sizeof(line), "l LOGIN %s secret\r\n", user);
    talk_send(t, line);
    talk_take(t);
    return t;
}

void talk_free(struct talk *t)
{
    imap_session_free(t->session);
    buf_fini(&t->out);
    free(t->taken);
    free(t);
}

static bool is_quiet(struct talk *t)
{
    collect(t);
    return imap_session_finished(t->session) || imap_session_wants_input(t->session);
}

static void wait_for(struct talk *t, const char *text)
{
    struct limit limit = {t->rig->loop, false};
    struct loop_timer *timer = loop_timer_new(t->rig->loop, on_limit, &limit);
    loop_timer_start(timer, WAIT_LIMIT_MS);
    while (!limit.passed) {
        bool quiet = is_quiet(t);
        if (text ? strstr(buf_data(&t->out), text) != NULL : quiet)
            break;
        loop_run(t->rig->loop);
    }
    loop_timer_free(timer);
    if (limit.passed)
        fail_msg("waited in vain for \"%s\", got \"%s\"", text ? text : "", buf_data(&t->out));
}

void talk_send_bytes(struct talk *t, struct str bytes)
{
    imap_session_input(t->session, bytes.ptr, bytes.len);
    wait_for(t, NULL);
}

void talk_send(struct talk *t, const char *text)
{
    talk_send_bytes(t, str_from(text));
}

void talk_wait(struct talk *t, const char *text)
{
    wait_for(t, text);
}

/* UIDVALIDITY is made from the clock. */
static void mask_validity(char *text)
{
    char *to = text;
    for (const char *from = text; *from;) {
        size_t digits = 0; /* not strspn: under a sanitizer that measures the whole text each time */
        while (ascii_isdigit(from[digits]))
            digits++;
        if (digits == 10) {
            *to++ = 'V';
            from += digits;
        } else {
            size_t len = digits ? digits : 1;
            memmove(to, from, len);
            to += len;
            from += len;
        }
    }
    *to = '\0';
}

const char *talk_take(struct talk *t)
{
    free(t->taken);
    t->taken = buf_steal(&t->out);
    mask_validity(t->taken);
    return t->taken;
}
