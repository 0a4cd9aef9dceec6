#include "fake_server.h"

#include <string.h>

static void on_read(void *arg, const char *data, size_t len, int err)
{
    struct fake_server *f = arg;
    struct loop_stream *s = f->streams[f->stream_count - 1]; /* probes come one by one */
    if (err < 0)
        return;
    CHECK(buf_append(&f->heard, data, len) == 0);
    if (f->answer && memchr(data, '\n', len)) {
        loop_stream_write(s, f->answer, strlen(f->answer));
    } else if (f->answer == NULL) {
        loop_stream_close(s, 1000);
        f->stream_count--;
    }
}

static void on_accept(void *arg, struct loop_stream *s, const struct addr *peer)
{
    struct fake_server *f = arg;
    (void)peer;
    CHECK(f->stream_count < ARRAY_LEN(f->streams));
    f->streams[f->stream_count++] = s;
    if (f->greeting)
        loop_stream_write(s, f->greeting, strlen(f->greeting));
    loop_stream_read_start(s, on_read, f);
}

void fake_server_start(struct fake_server *f, struct loop *l, const char *greeting, const char *answer)
{
    struct err_buf eb;
    memset(f, 0, sizeof(*f));
    f->loop = l;
    f->greeting = greeting;
    f->answer = answer;
    buf_init(&f->heard, 65536);
    CHECK(addr_parse(STR("127.0.0.1:0"), &f->at) == 0);
    CHECK(loop_listen(l, &f->at, on_accept, f, &f->listener, &eb) == 0);
    loop_listener_local(f->listener, &f->at);
}

void fake_server_stop(struct fake_server *f)
{
    for (size_t i = 0; i < f->stream_count; i++)
        loop_stream_free(f->streams[i]);
    f->stream_count = 0;
    loop_listener_free(f->listener);
    f->listener = NULL;
    buf_fini(&f->heard);
}
