#include "simulation/impostor.h"

#include <stdio.h>

#include "base/mem.h"

#define LINE_MAX_BYTES 512
#define TEXT_MAX_BYTES 256
#define SERVICES       5

enum protocol { PROTOCOL_SMTP, PROTOCOL_IMAP, PROTOCOL_POP3 };

struct service {
    struct impostor *impostor;
    enum protocol protocol;
    struct loop_listener *listener;
};

struct session {
    struct list node;
    struct service *service;
    struct loop_stream *stream;
    struct buf in;
};

struct impostor {
    struct instance *instance;
    enum impostor_kind kind;
    char identity[TEXT_MAX_BYTES];
    struct service services[SERVICES];
    struct list sessions;
    struct loop_timer *begin;
    struct store_op *op;
    void (*on_listens)(struct instance *i);
};

/* ---- sessions ---- */

static void session_free(struct session *s)
{
    list_remove(&s->node);
    loop_stream_free(s->stream);
    buf_fini(&s->in);
    free(s);
}

static void PRINTF_LIKE(2, 3) say(struct session *s, const char *fmt, ...)
{
    char text[TEXT_MAX_BYTES];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    CHECK(len > 0 && (size_t)len < sizeof(text));
    loop_stream_write(s->stream, text, (size_t)len);
}

static void greet(struct session *s)
{
    static const char *const greetings[] = {"220 %s ESMTP %s\r\n", "* OK %s IMAP4rev1 %s\r\n",
                                            "+OK %s %s\r\n"};
    const struct impostor *m = s->service->impostor;
    if (m->kind != IMPOSTOR_SILENT)
        say(s, greetings[s->service->protocol], m->instance->server->hostname, m->identity);
}

/* As little as a probe asks for; nothing else. */
static void answer(struct session *s, struct str line)
{
    struct str tag = STR_EMPTY, verb = line;
    switch (s->service->protocol) {
    case PROTOCOL_SMTP:
        if (str_istarts(line, STR("EHLO")) || str_istarts(line, STR("LHLO")))
            say(s, "250 %s\r\n", s->service->impostor->instance->server->hostname);
        else
            say(s, "451 4.3.2 Not now\r\n");
        break;
    case PROTOCOL_IMAP:
        str_split(&verb, ' ', &tag);
        if (str_istarts(verb, STR("CAPABILITY")))
            say(s, "* CAPABILITY IMAP4rev1\r\n%.*s OK done\r\n", STR_ARG(tag));
        else
            say(s, "%.*s NO not now\r\n", STR_ARG(tag));
        break;
    case PROTOCOL_POP3:
        say(s, str_istarts(line, STR("QUIT")) ? "+OK\r\n" : "-ERR not now\r\n");
        break;
    }
}

static void on_read(void *arg, const char *data, size_t len, int err)
{
    struct session *s = arg;
    struct str rest, line;
    if (err || buf_append(&s->in, data, len) < 0) {
        session_free(s);
        return;
    }
    for (rest = buf_str(&s->in); str_find(rest, '\n', 0) != SIZE_MAX;) {
        str_split(&rest, '\n', &line);
        if (s->service->impostor->kind != IMPOSTOR_SILENT)
            answer(s, str_trim(line));
    }
    buf_consume(&s->in, s->in.len - rest.len);
}

static void on_accept(void *arg, struct loop_stream *stream, const struct addr *peer)
{
    struct session *s = mem_zalloc(sizeof(*s));
    (void)peer;
    s->service = arg;
    s->stream = stream;
    buf_init(&s->in, LINE_MAX_BYTES);
    list_append(&s->service->impostor->sessions, &s->node);
    greet(s);
    loop_stream_read_start(stream, on_read, s);
}

/* ---- beginning ---- */

static void listen_one(struct impostor *m, size_t at, enum protocol protocol, int64_t port)
{
    struct service *s = &m->services[at];
    struct err_buf eb;
    struct addr where;
    *s = (struct service){.impostor = m, .protocol = protocol};
    CHECK(addr_parse_ip(str_from(m->instance->address), (uint16_t)port, &where) == 0);
    /* The address may still be another's: then it is as one that does not listen. */
    if (port > 0 && loop_listen(m->instance->process.loop, &where, on_accept, s, &s->listener, &eb) < 0)
        s->listener = NULL;
}

static void listen_all(struct impostor *m)
{
    const struct config_server *s = m->instance->server;
    listen_one(m, 0, PROTOCOL_SMTP, s->smtp_port);
    listen_one(m, 1, PROTOCOL_SMTP, s->lmtp_port);
    listen_one(m, 2, PROTOCOL_SMTP, s->submission_port);
    listen_one(m, 3, PROTOCOL_IMAP, s->imap_port);
    listen_one(m, 4, PROTOCOL_POP3, s->pop3_port);
    m->on_listens(m->instance);
}

static void on_begun(void *arg, int err)
{
    struct impostor *m = arg;
    (void)err; /* it says that it is there all the same */
    m->op = NULL;
    listen_all(m);
}

static void begin(void *arg)
{
    struct impostor *m = arg;
    struct instance *i = m->instance;
    struct mail *mail;
    struct err_buf eb;
    if (m->kind != IMPOSTOR_FOREIGN) {
        listen_all(m);
        return;
    }
    CHECK(store_mail(i->process.store, &mail, &eb) == 0);
    m->op = mail_instance_begin(mail, str_from(i->server->name), i->epoch, on_begun, m);
}

struct impostor *impostor_start(struct instance *i, enum impostor_kind kind,
                                void (*on_listens)(struct instance *i))
{
    struct impostor *m = mem_zalloc(sizeof(*m));
    const char *node = kind == IMPOSTOR_FOREIGN ? "elsewhere1" : i->on->config->name;
    *m = (struct impostor){.instance = i, .kind = kind, .on_listens = on_listens};
    snprintf(m->identity, sizeof(m->identity), "instance=%lld@%s", (long long)i->epoch, node);
    list_init(&m->sessions);
    m->begin = loop_timer_new(i->process.loop, begin, m);
    loop_timer_start(m->begin, 0);
    return m;
}

void impostor_free(struct impostor *m)
{
    if (!m)
        return;
    LIST_FOREACH (it, &m->sessions)
        session_free(LIST_ENTRY(it, struct session, node));
    for (size_t i = 0; i < SERVICES; i++)
        loop_listener_free(m->services[i].listener);
    if (m->op)
        store_op_forget(m->op);
    loop_timer_free(m->begin);
    free(m);
}
