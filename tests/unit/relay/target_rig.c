#include "target_rig.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define LINE_MAX_BYTES 1024

struct peer_session {
    struct list node;
    struct peer *peer;
    struct loop_stream *stream;
    struct loop_timer *timer;
    char line[LINE_MAX_BYTES], name[24];
    size_t len;
    int messages;
    bool data, held, waits;
};

/* ---- the peer ---- */

static void say(struct peer_session *s, const char *text)
{
    loop_stream_write(s->stream, text, strlen(text));
}

static void session_end(struct peer_session *s)
{
    s->peer->in_data -= s->waits;
    s->peer->held_data -= s->held;
    loop_stream_free(s->stream);
    loop_timer_free(s->timer);
    list_remove(&s->node);
    free(s);
}

static bool was_cut(const struct peer_session *s)
{
    const struct peer *p = s->peer;
    return p->cut && strncmp(s->name, p->cut, strlen(p->cut)) == 0 &&
           p->cut_already[atoi(s->name + strlen(p->cut))];
}

static void on_answer_time(void *arg)
{
    struct peer_session *s = arg;
    struct peer *p = s->peer;
    assert_true(p->taken_count < PEER_TAKEN_MAX);
    memcpy(p->taken[p->taken_count++], s->name, sizeof(s->name));
    p->in_data--;
    s->waits = false;
    say(s, "250 2.0.0 taken\r\n");
}

static bool on_dot(struct peer_session *s)
{
    struct peer *p = s->peer;
    s->data = false;
    if (p->cut && strncmp(s->name, p->cut, strlen(p->cut)) == 0 && !was_cut(s)) {
        p->cut_already[atoi(s->name + strlen(p->cut))] = 1;
        session_end(s);
        return false;
    }
    s->waits = true;
    p->in_data++;
    if (was_cut(s) && p->in_data > p->most_with_cut)
        p->most_with_cut = p->in_data;
    if (p->delay_ms >= 0)
        loop_timer_start(s->timer, p->delay_ms);
    return true;
}

static bool starts(const char *line, const char *word)
{
    return strncmp(line, word, strlen(word)) == 0;
}

static bool on_rcpt(struct peer_session *s)
{
    struct peer *p = s->peer;
    (void)sscanf(s->line, "RCPT TO:<%23[^@]", s->name);
    p->rcpts++;
    const char *answer = p->rcpt ? p->rcpt(p, s->name) : "250 ok";
    if (answer && !*answer) {
        session_end(s);
        return false;
    }
    if (answer) {
        say(s, answer);
        say(s, "\r\n");
    }
    return true;
}

/* false: the session is over. */
static bool on_line(struct peer_session *s)
{
    if (s->data && s->peer->holds_body && !s->held) {
        s->held = true;
        s->peer->held_data++;
        loop_stream_read_stop(s->stream);
    }
    if (s->data)
        return strcmp(s->line, ".") != 0 || on_dot(s);
    if (starts(s->line, "QUIT")) {
        session_end(s);
        return false;
    }
    if (starts(s->line, "RCPT"))
        return on_rcpt(s);
    s->peer->greetings += starts(s->line, "EHLO");
    bool full = starts(s->line, "MAIL") && s->peer->messages_max && s->messages++ >= s->peer->messages_max;
    if (starts(s->line, "MAIL") && (s->peer->mail || full)) {
        say(s, full ? "421 4.7.0 enough of this session" : s->peer->mail);
        say(s, "\r\n");
        return true;
    }
    if (starts(s->line, "DATA") && s->peer->holds_data) {
        s->held = true;
        s->peer->held_data++;
        return true;
    }
    s->data = starts(s->line, "DATA");
    say(s, s->data ? "354 go on\r\n" : "250 ok\r\n");
    return true;
}

static void on_read(void *arg, const char *data, size_t len, int err);

void peer_go_on(struct peer *p)
{
    p->holds_data = p->holds_body = false;
    LIST_FOREACH (it, &p->sessions) {
        struct peer_session *s = LIST_ENTRY(it, struct peer_session, node);
        if (!s->held)
            continue;
        s->held = false;
        p->held_data--;
        if (s->data) {
            loop_stream_read_start(s->stream, on_read, s);
            continue;
        }
        s->data = true;
        say(s, "354 go on\r\n");
    }
}

static void on_read(void *arg, const char *data, size_t len, int err)
{
    struct peer_session *s = arg;
    if (err) {
        session_end(s);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        if (data[i] != '\n') {
            assert_true(s->len + 1 < sizeof(s->line));
            s->line[s->len++] = data[i];
            continue;
        }
        s->line[s->len ? s->len - 1 : 0] = '\0';
        s->len = 0;
        if (!on_line(s))
            return;
    }
}

static void on_accept(void *arg, struct loop_stream *stream, const struct addr *from)
{
    struct peer *p = arg;
    int open = 0;
    (void)from;
    LIST_FOREACH (it, &p->sessions)
        open++;
    if (p->sessions_max && open >= p->sessions_max) {
        static const char no[] = "421 4.7.0 too many connections\r\n";
        p->turned_away++;
        loop_stream_write(stream, no, sizeof(no) - 1);
        loop_stream_close(stream, 1000);
        return;
    }
    struct peer_session *s = mem_zalloc(sizeof(*s));
    s->peer = p;
    s->stream = stream;
    s->timer = loop_timer_new(p->loop, on_answer_time, s);
    list_append(&p->sessions, &s->node);
    loop_stream_read_start(stream, on_read, s);
    say(s, p->greeting ? p->greeting : "220 peer ESMTP\r\n");
}

void peer_serve(struct peer *p)
{
    struct err_buf eb;
    assert_ok(loop_listen(p->loop, &p->at, on_accept, p, &p->listener, &eb));
}

static void peer_start(struct target_rig *r, size_t i)
{
    struct peer *p = &r->peers[i];
    char host[16], ip[32];
    snprintf(host, sizeof(host), "mail%zu", i);
    snprintf(ip, sizeof(ip), "10.0.0.%zu", i + 1);
    p->rig = r;
    list_init(&p->sessions);
    p->loop = sim_loop_new(r->world, host, "peer");
    assert_ok(addr_parse_ip(str_from(ip), 25, &p->at));
    peer_serve(p);
}

static void peer_stop(struct peer *p)
{
    LIST_FOREACH (it, &p->sessions)
        session_end(LIST_ENTRY(it, struct peer_session, node));
    loop_listener_free(p->listener);
    sim_loop_free(p->loop);
}

int peer_place_of(const struct peer *p, const char *name)
{
    for (int i = 0; i < p->taken_count; i++)
        if (strcmp(p->taken[i], name) == 0)
            return i;
    return -1;
}

/* ---- the relay ---- */

static struct mono_time device_clock(void *arg)
{
    return sim_now(arg);
}

static void on_own(void *arg, int err, struct queue *q, int64_t current_epoch)
{
    struct target_rig *r = arg;
    (void)current_epoch;
    assert_ok(err);
    r->queue = q;
}

static void on_accepted(void *arg, int err, int64_t message_id)
{
    struct target_rig *r = arg;
    (void)message_id;
    assert_ok(err);
    source_kick(r->source);
}

static void accept_for(struct target_rig *r, const char *const names[], size_t count, size_t bytes)
{
    static const char body[] = "Subject: x\r\n\r\nhello\r\n";
    char addresses[2][48];
    struct queue_recipient_in to[2];
    for (size_t i = 0; i < count; i++) {
        snprintf(addresses[i], sizeof(addresses[i]), "%s@d.test", names[i]);
        to[i] = (struct queue_recipient_in){.address = str_from(addresses[i]), .domain = STR("d.test")};
    }
    struct queue_message_in in = {.reverse_path = STR("s@x.test"),
                                  .helo = STR("x.test"),
                                  .client = STR("10.9.9.9"),
                                  .received_at = loop_wall(r->loop)};
    r->accepted++;
    memcpy(in.custody_id.bytes, &r->accepted, sizeof(r->accepted));
    struct body_writer *w = queue_body_begin(r->queue);
    body_append(w, body, sizeof(body) - 1);
    for (size_t len = 0; len < bytes; len += 7)
        body_append(w, "hello\r\n", 7);
    queue_accept(r->queue, w, &in, to, count, on_accepted, r);
}

void rig_accept(struct target_rig *r, const char *name)
{
    accept_for(r, &name, 1, 0);
}

void rig_accept_both(struct target_rig *r, const char *name, const char *other)
{
    accept_for(r, (const char *const[]){name, other}, 2, 0);
}

void rig_accept_sized(struct target_rig *r, const char *name, size_t bytes)
{
    accept_for(r, &name, 1, bytes);
}

bool rig_pass(struct target_rig *r, int64_t ms)
{
    return sim_run_until(r->world, mono_add_ms(sim_now(r->world), ms));
}

static void on_ready(void *arg)
{
    struct target_rig *r = arg;
    if (r->routed)
        target_kick(r->routed);
}

void rig_route(struct target_rig *r, size_t to)
{
    if (r->routed)
        target_remove_source(r->routed, r->source);
    r->routed = r->targets[to];
    target_add_source(r->routed, r->source);
}

void rig_place(struct target_rig *r, size_t i, size_t p, int64_t epoch)
{
    struct target_instance instance = {
        .present = true, .address = r->peers[p].at, .epoch = epoch, .generation = 1};
    target_set_instance(r->targets[i], &instance);
}

static void on_observed(void *arg, struct target *t)
{
    (void)arg, (void)t;
}

static void on_quarantined(void *arg, struct target *t, struct queue *q)
{
    struct target_rig *r = arg;
    (void)t;
    r->refused++;
    if (!r->takes_refusals)
        fail_msg("mail of %s in quarantine", queue_name(q));
}

static const struct target_ops target_ops = {.observed = on_observed, .to_tell = on_quarantined};

/* Its check says nothing in SMTP, so that all sessions are deliveries. */
static const struct config_check tcp_check = {
    .kind = CHECK_TCP, .interval_ms = 1000, .timeout_ms = 1000, .fall = 2, .rise = 1};

static void make_target(struct target_rig *r, size_t i)
{
    r->checks[i] = tcp_check;
    r->servers[i] = (struct config_server){.name = i ? "mail2" : "mail1",
                                           .kind = SERVER_EXTERNAL,
                                           .hostname = "mail.example.test",
                                           .smtp_port = 25,
                                           .checks = &r->checks[i],
                                           .check_count = 1,
                                           .failover = {.attempts = 3, .after_ms = 2000}};
    static const struct config config = {.log_messages = LOG_MESSAGES_NONE};
    struct target_options options = {.config = &config,
                                     .server = &r->servers[i],
                                     .relay = &r->relay,
                                     .client = &r->client,
                                     .work = &r->work};
    r->targets[i] = target_new(r->loop, &options, &target_ops, r);
}

int target_rig_setup(void **state)
{
    struct target_rig *r = mem_zalloc(sizeof(*r));
    struct err_buf eb;
    r->world = sim_world_new(1);
    r->loop = sim_loop_new(r->world, "relay", "relay");
    r->memory = store_memory_new(device_clock, r->world);
    struct store_options options = {.engine = STORE_ENGINE_MEMORY, .memory = r->memory};
    assert_ok(store_open(r->loop, &options, &r->store, &eb));
    store_queue_own(r->store, STR("q"), STR("node"), 0, on_own, r);
    RIG_UNTIL(r, r->queue);
    static struct config_node node = {.name = "node"};
    r->relay = (struct config_relay){.name = "relay",
                                     .node = &node,
                                     .hostname = "relay.example.test",
                                     .retry_ms = 1000,
                                     .retry_max_ms = 900000,
                                     .expire_ms = 3600000,
                                     .delivery_sessions_max = 4,
                                     .losses_max = 3};
    r->client = (struct smtp_client_options){.flavour = SMTP_CLIENT_SMTP, .hostname = r->relay.hostname};
    r->claims = claims_new();
    right_rig_begin(&r->right, r->loop, store_network(r->store), "node", r->queue, r->targets,
                    ARRAY_LEN(r->targets));
    r->source =
        source_new(r->loop, r->queue, r->right.right, r->claims, STR("d.test"), STR_EMPTY, on_ready, r);
    for (size_t i = 0; i < ARRAY_LEN(r->targets); i++) {
        peer_start(r, i);
        make_target(r, i);
        rig_place(r, i, i, 1);
    }
    rig_route(r, 0);
    *state = r;
    return 0;
}

int target_rig_teardown(void **state)
{
    struct target_rig *r = *state;
    target_remove_source(r->routed, r->source);
    for (size_t i = 0; i < ARRAY_LEN(r->targets); i++)
        target_free(r->targets[i]);
    source_free(r->source);
    right_rig_end(&r->right);
    claims_free(r->claims);
    queue_close(r->queue);
    store_close(r->store);
    sim_loop_free(r->loop);
    for (size_t i = 0; i < ARRAY_LEN(r->peers); i++)
        peer_stop(&r->peers[i]);
    store_memory_free(r->memory);
    sim_world_free(r->world);
    free(r);
    return 0;
}
