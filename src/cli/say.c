#include "cli/say.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/printable.h"

#define DELETE_CHARACTER '\x7f' /* the one control character that JSON_ENSURE_ASCII leaves; only in texts */

static void print(FILE *out, const char *end, const char *format, va_list args)
{
    struct buf text, shown;
    buf_init(&text, SAY_MAX_BYTES);
    buf_init(&shown, 4 * SAY_MAX_BYTES); /* \xNN of each */
    if (buf_append_vfmt(&text, format, args) < 0)
        buf_append_text(&text, "(too long to be shown)");
    printable_append(&shown, buf_str(&text), "");
    fprintf(out, "%s%s", buf_data(&shown), end);
    buf_fini(&text);
    buf_fini(&shown);
}

void say(FILE *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print(out, "", format, args);
    va_end(args);
}

void say_line(FILE *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print(out, "\n", format, args);
    va_end(args);
}

void say_field(FILE *out, const char *name, struct str value)
{
    struct buf shown;
    buf_init(&shown, 4 * SAY_MAX_BYTES);
    printable_append_value(&shown, str_from(name));
    buf_append_char(&shown, '=');
    printable_append_value(&shown, value);
    fputs(shown.overflow ? "(too long to be shown)" : buf_data(&shown), out);
    buf_fini(&shown);
}

void say_json(FILE *out, const json_t *value, size_t flags)
{
    char *text = json_dumps(value, flags | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    const char *rest = text ? text : "null";
    for (const char *found; (found = strchr(rest, DELETE_CHARACTER)); rest = found + 1)
        fprintf(out, "%.*s\\u%04x", (int)(found - rest), rest, DELETE_CHARACTER);
    fputs(rest, out);
    free(text);
}
