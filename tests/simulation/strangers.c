#include "simulation/strangers.h"

#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "simulation/post.h"
#include "smtp/server_connection.h"

#define STRANGERS_MAX  3
#define RECIPIENTS_MAX 100
#define PORT           2525
#define BYTES_MAX      (1 << 20)
#define SERVER_ODDS    4 /* of so many troubles one is not mail1's, where it can be its */

struct stranger {
    struct strangers *all;
    const char *name, *host, *ip;
    struct smtp_server_options options;
    struct process process;
    struct loop_listener *listener;
    struct list sessions;
    struct fault faults[STRANGER_FAULTS];
    int64_t slow_ms;
};

struct strangers {
    struct world *world;
    struct stranger items[STRANGERS_MAX];
    size_t count;
    bool server; /* the first is mail1 */
};

/* What it will do when it has thought. */
enum thought { THINKS_REPLY, THINKS_REPLY_EACH, THINKS_CUT };

struct session {
    struct list node;
    struct stranger *stranger;
    struct smtp_server_connection *connection;
    struct loop_timer *timer;
    enum thought thought;
    struct smtp_reply replies[RECIPIENTS_MAX]; /* the first, or for each recipient */
    struct post post;
};

#define REPLY_BUSY    SMTP_REPLY(421, 4, 3, 2, "Too busy")
#define REPLY_LATER   SMTP_REPLY(450, 4, 2, 0, "Mailbox is busy")
#define REPLY_NOBODY  SMTP_REPLY(550, 5, 1, 1, "Nobody of that name")
#define REPLY_TROUBLE SMTP_REPLY(451, 4, 6, 0, "Trouble with this message")
#define REPLY_POLICY  SMTP_REPLY(554, 5, 7, 1, "Not wanted here")

/* ---- answers ---- */

static void session_free(struct session *s)
{
    list_remove(&s->node);
    loop_timer_free(s->timer);
    post_fini(&s->post);
    free(s);
}

static void act(void *arg)
{
    struct session *s = arg;
    struct smtp_server *server = smtp_server_connection_session(s->connection);
    size_t count = s->post.recipient_count; /* the last answer may bring the next transaction */
    switch (s->thought) {
    case THINKS_REPLY:
        smtp_server_reply(server, &s->replies[0]);
        break;
    case THINKS_REPLY_EACH:
        for (size_t i = 0; i < count; i++)
            smtp_server_reply_recipient(server, &s->replies[i]);
        break;
    case THINKS_CUT:
        smtp_server_connection_free(s->connection);
        break;
    }
}

static void think(struct session *s, enum thought what)
{
    s->thought = what;
    if (s->stranger->slow_ms > 0 || what == THINKS_CUT)
        loop_timer_start(s->timer, what == THINKS_CUT ? 0 : s->stranger->slow_ms);
    else
        act(s);
}

static void reply(struct session *s, struct smtp_reply r)
{
    s->replies[0] = r;
    think(s, THINKS_REPLY);
}

static bool happens(struct session *s, enum stranger_fault fault)
{
    return fault_take(&s->stranger->faults[fault]);
}

/* ---- a session ---- */

static void on_connect(void *arg)
{
    struct session *s = arg;
    reply(s, happens(s, STRANGER_IS_BUSY) ? REPLY_BUSY : SMTP_REPLY(220, 0, 0, 0, "hello"));
}

static void on_mail(void *arg, const struct smtp_mail *mail)
{
    struct session *s = arg;
    post_begin(&s->post, mail->reverse_path);
    reply(s, SMTP_REPLY_OK);
}

static void on_rcpt(void *arg, const struct smtp_rcpt *rcpt)
{
    struct session *s = arg;
    if (happens(s, STRANGER_DEFERS_RCPT)) {
        reply(s, REPLY_LATER);
    } else if (happens(s, STRANGER_REFUSES_RCPT)) {
        reply(s, REPLY_NOBODY);
    } else {
        post_add_recipient(&s->post, rcpt->forward_path);
        reply(s, SMTP_REPLY_OK);
    }
}

static bool on_data(void *arg, const char *data, size_t len)
{
    struct session *s = arg;
    CHECK(buf_append(&s->post.message, data, len) == 0);
    if (s->thought != THINKS_CUT && happens(s, STRANGER_CUTS_AMID))
        think(s, THINKS_CUT);
    return true;
}

static struct smtp_reply judge(struct session *s)
{
    return happens(s, STRANGER_DEFERS_MESSAGE)    ? REPLY_TROUBLE
           : happens(s, STRANGER_REFUSES_MESSAGE) ? REPLY_POLICY
                                                  : SMTP_REPLY_OK;
}

/* What is answered 250 is taken before it is. */
static void on_data_end(void *arg, const struct smtp_data_info *info)
{
    struct session *s = arg;
    bool each = s->stranger->options.flavour == SMTP_FLAVOUR_LMTP;
    (void)info;
    if (s->thought == THINKS_CUT)
        return; /* it is on its way */
    for (size_t i = 0; i < s->post.recipient_count; i++) {
        s->replies[i] = each || i == 0 ? judge(s) : s->replies[0];
        if (s->replies[i].code == 250)
            post_take(&s->post, s->stranger->all->world->ledger, i);
    }
    think(s, happens(s, STRANGER_CUTS_AFTER) ? THINKS_CUT : each ? THINKS_REPLY_EACH : THINKS_REPLY);
}

static void on_reset(void *arg)
{
    post_begin(&((struct session *)arg)->post, STR_EMPTY);
}

static void on_cancel(void *arg)
{
    struct session *s = arg;
    if (s->thought != THINKS_CUT)
        loop_timer_stop(s->timer);
}

static void on_closed(void *arg)
{
    session_free(arg);
}

static const struct smtp_server_ops ops = {.connect = on_connect,
                                           .mail = on_mail,
                                           .rcpt = on_rcpt,
                                           .data = on_data,
                                           .data_end = on_data_end,
                                           .reset = on_reset,
                                           .cancel = on_cancel,
                                           .closed = on_closed};

static void on_accept(void *arg, struct loop_stream *stream, const struct addr *peer)
{
    struct stranger *t = arg;
    struct session *s = mem_zalloc(sizeof(*s));
    (void)peer;
    s->stranger = t;
    s->timer = loop_timer_new(t->process.loop, act, s);
    post_init(&s->post, t->name);
    list_append(&t->sessions, &s->node);
    s->connection = smtp_server_connection_new(t->process.loop, stream, NULL, &t->options, &ops, s);
}

/* ---- one of them ---- */

const char *stranger_name(const struct stranger *t)
{
    return t->name;
}

bool stranger_runs(const struct stranger *t)
{
    return t->process.loop != NULL;
}

struct process *stranger_process(struct stranger *t)
{
    return &t->process;
}

void stranger_start(struct stranger *t)
{
    struct addr at;
    struct err_buf eb;
    if (stranger_runs(t))
        return;
    process_start(t->all->world, &t->process, t->host, t->name, NULL);
    CHECK(addr_parse_ip(str_from(t->ip), PORT, &at) == 0);
    CHECK(loop_listen(t->process.loop, &at, on_accept, t, &t->listener, &eb) == 0);
}

void stranger_kill(struct stranger *t)
{
    if (!stranger_runs(t))
        return;
    sim_loop_kill(t->process.loop);
    LIST_FOREACH (it, &t->sessions)
        smtp_server_connection_free(LIST_ENTRY(it, struct session, node)->connection);
    loop_listener_free(t->listener);
    t->listener = NULL;
    process_end(&t->process);
}

void stranger_fault(struct stranger *t, enum stranger_fault fault, int64_t times, size_t *happened)
{
    fault_add(&t->faults[fault], times, happened);
}

void stranger_slow(struct stranger *t, int64_t ms)
{
    t->slow_ms = ms;
}

/* ---- all of them ---- */

static struct stranger *add(struct strangers *all, const char *name, const char *host, const char *ip)
{
    struct stranger *t = &all->items[all->count++];
    *t = (struct stranger){.all = all, .name = name, .host = host, .ip = ip};
    t->options = (struct smtp_server_options){.flavour = SMTP_FLAVOUR_SMTP,
                                              .hostname = name,
                                              .size_max_bytes = BYTES_MAX,
                                              .recipients_max = RECIPIENTS_MAX};
    list_init(&t->sessions);
    return t;
}

static void add_server(struct strangers *all, const struct config_server *server)
{
    struct stranger *t = add(all, server->hostname, STRANGER_HOME, "127.5.0.10");
    bool lmtp = server->protocol == SERVER_LMTP;
    t->options.flavour = lmtp ? SMTP_FLAVOUR_LMTP : SMTP_FLAVOUR_SMTP;
    t->options.dsn = !lmtp && sim_random_below(all->world->sim, 2) == 0;
    all->server = true;
}

struct strangers *strangers_new(struct world *w)
{
    if (!layout_has_strangers(w->layout))
        return NULL;
    struct strangers *all = mem_zalloc(sizeof(*all));
    all->world = w;
    if (layout_is_external(w->layout))
        add_server(all, w->server);
    add(all, "mx1." STRANGER_DOMAIN, STRANGER_ELSEWHERE, "127.6.0.1");
    add(all, "mx2." STRANGER_DOMAIN, STRANGER_ELSEWHERE, "127.6.0.2");
    for (size_t i = 0; i < all->count; i++)
        stranger_start(&all->items[i]);
    return all;
}

void strangers_free(struct strangers *all)
{
    if (!all)
        return;
    for (size_t i = 0; i < all->count; i++)
        stranger_kill(&all->items[i]);
    free(all);
}

struct stranger *strangers_choose(struct strangers *all, uint32_t random)
{
    size_t others = all->count - all->server;
    if (all->server && random % SERVER_ODDS > 0)
        return &all->items[0];
    return &all->items[all->server + random / SERVER_ODDS % others];
}

void strangers_calm(struct strangers *all)
{
    for (size_t i = 0; all && i < all->count; i++) {
        struct stranger *t = &all->items[i];
        for (size_t f = 0; f < STRANGER_FAULTS; f++)
            t->faults[f].left = 0;
        t->slow_ms = 0;
        process_freeze(&t->process, false);
        stranger_start(t);
    }
}

bool strangers_server_tells(const struct strangers *all)
{
    return all->server && all->items[0].options.dsn;
}
