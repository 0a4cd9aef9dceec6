#include "config/findings.h"

#include <string.h>

#include "base/mem.h"

#define CLIP_KEPT_BYTES 60

void findings_init(struct config_findings *f, const char *path)
{
    *f = (struct config_findings){.path = mem_strdup(path)};
}

void findings_add(struct config_findings *f, int line, const char *fmt, ...)
{
    if (f->count == FINDINGS_MAX) {
        f->omitted++;
        return;
    }
    struct buf text;
    buf_init(&text, 4096);
    va_list args;
    va_start(args, fmt);
    buf_append_vfmt(&text, fmt, args);
    va_end(args);
    f->items = mem_reallocarray(f->items, f->count + 1, sizeof(*f->items));
    f->items[f->count++] = (struct config_finding){.file = f->path, .line = line, .text = buf_steal(&text)};
}

void findings_sort(struct config_findings *f)
{
    for (size_t i = 1; i < f->count; i++) {
        struct config_finding item = f->items[i];
        size_t at = i;
        for (; at > 0 && f->items[at - 1].line > item.line; at--)
            f->items[at] = f->items[at - 1];
        f->items[at] = item;
    }
}

const char *findings_clip(const char *text, char out[CLIP_TEXT_MAX])
{
    size_t len = strlen(text);
    if (len < CLIP_KEPT_BYTES) {
        memcpy(out, text, len + 1);
        return out;
    }
    len = CLIP_KEPT_BYTES;
    while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
        len--;
    memcpy(out, text, len);
    memcpy(out + len, "...", 4);
    return out;
}

void config_findings_free(struct config_findings *f)
{
    for (size_t i = 0; i < f->count; i++)
        free(f->items[i].text);
    free(f->items);
    free(f->path);
    *f = (struct config_findings){0};
}

void config_findings_print(const struct config_findings *f, FILE *out)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct config_finding *item = &f->items[i];
        if (item->line > 0)
            fprintf(out, "%s:%d: %s\n", item->file, item->line, item->text);
        else
            fprintf(out, "%s: %s\n", item->file, item->text);
    }
    if (f->omitted > 0)
        fprintf(out, "%s: %zu more findings are not shown\n", f->path, f->omitted);
}
