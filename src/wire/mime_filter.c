#include "wire/mime_filter.h"

#include "base/err.h"

void mime_filter_init(struct mime_filter *f, struct buf *out, bool (*wants)(void *arg, struct str name),
                      void *arg)
{
    *f = (struct mime_filter){.wants = wants, .arg = arg, .out = out};
    buf_init(&f->name, MIME_FILTER_NAME_MAX_BYTES);
}

void mime_filter_fini(struct mime_filter *f)
{
    buf_fini(&f->name);
}

static void decide(struct mime_filter *f, bool keep)
{
    f->keeping = keep;
    f->state = keep ? MIME_FILTER_KEEP : MIME_FILTER_DROP;
    if (keep)
        buf_append_str(f->out, buf_str(&f->name));
    buf_clear(&f->name);
}

static void name_char(struct mime_filter *f, char c)
{
    if (c == ':') {
        bool keep = f->wants(f->arg, str_trim(buf_str(&f->name)));
        decide(f, keep);
    } else if (c == '\n') { /* no field: an empty line, or a line without a colon */
        buf_clear(&f->name);
        f->keeping = false;
        f->state = MIME_FILTER_START;
    } else if (buf_append_char(&f->name, c) != 0) {
        decide(f, false);
    }
}

static void one_char(struct mime_filter *f, char c)
{
    if (f->state == MIME_FILTER_START) {
        bool folded = c == ' ' || c == '\t';
        f->state = !folded ? MIME_FILTER_NAME : f->keeping ? MIME_FILTER_KEEP : MIME_FILTER_DROP;
    }
    if (f->state == MIME_FILTER_NAME)
        name_char(f, c);
    if (f->state == MIME_FILTER_KEEP)
        buf_append_char(f->out, c);
    if (c == '\n')
        f->state = MIME_FILTER_START;
}

void mime_filter_feed(struct mime_filter *f, struct str data)
{
    for (size_t i = 0; i < data.len; i++)
        one_char(f, data.ptr[i]);
}

void mime_filter_finish(struct mime_filter *f)
{
    buf_append_text(f->out, "\r\n");
}
