#include "fake_server.h"

#include <string.h>

#include "base/mem.h"

struct session {
    struct list node;
    struct fake_server *server;
    struct loop_stream *stream;
};

static void session_free(struct session *s)
{
    list_remove(&s->node);
    loop_stream_free(s->stream);
    free(s);
}

static void hear(struct fake_server *f, const char *data, size_t len)
{
    size_t room = sizeof(f->heard) - 1 - f->heard_len;
    len = len < room ? len : room;
    memcpy(f->heard + f->heard_len, data, len);
    f->heard_len += len;
}

static void on_read(void *arg, const char *data, size_t len, int err)
{
    struct session *s = arg;
    if (err < 0) {
        session_free(s);
        return;
    }
    hear(s->server, data, len);
    if (s->server->answer == NULL) {
        loop_stream_close(s->stream, 1000);
        s->stream = NULL;
        session_free(s);
    } else if (memchr(data, '\n', len)) {
        loop_stream_write(s->stream, s->server->answer, strlen(s->server->answer));
    }
}

static void on_accept(void *arg, struct loop_stream *stream, const struct addr *peer)
{
    struct fake_server *f = arg;
    struct session *s = mem_zalloc(sizeof(*s));
    (void)peer;
    s->server = f;
    s->stream = stream;
    list_init(&s->node);
    list_append(&f->sessions, &s->node);
    if (f->greeting)
        loop_stream_write(stream, f->greeting, strlen(f->greeting));
    loop_stream_read_start(stream, on_read, s);
}

void fake_server_start(struct fake_server *f, struct loop *l, const char *greeting, const char *answer)
{
    struct err_buf eb;
    memset(f, 0, sizeof(*f));
    f->loop = l;
    f->greeting = greeting;
    f->answer = answer;
    list_init(&f->sessions);
    CHECK(addr_parse(STR("127.0.0.1:0"), &f->at) == 0);
    CHECK(loop_listen(l, &f->at, on_accept, f, &f->listener, &eb) == 0);
    loop_listener_local(f->listener, &f->at);
}

void fake_server_stop(struct fake_server *f)
{
    LIST_FOREACH (it, &f->sessions)
        session_free(LIST_ENTRY(it, struct session, node));
    loop_listener_free(f->listener);
    f->listener = NULL;
}
