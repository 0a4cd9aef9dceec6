/* Records parsed once: each process of a world decodes all of them whenever one has changed, which was four
 * fifths of the time, and they are mostly those of before. Decoding only reads what is parsed
 * (store/records.c). Stands before jansson, see meson.build. */
#include <jansson.h>

#include "base/map.h"
#include "base/str.h"

#define TEXTS_MAX 4096 /* then all are forgotten */

static struct map parsed; /* json_t by text */

static void forget(void)
{
    for (struct map_entry *e = parsed.first; e; e = e->next)
        json_decref(e->value);
    map_fini(&parsed);
}

json_t *__real_json_loadb(const char *text, size_t len, size_t flags, json_error_t *error);
json_t *__wrap_json_loadb(const char *text, size_t len, size_t flags, json_error_t *error);

json_t *__wrap_json_loadb(const char *text, size_t len, size_t flags, json_error_t *error)
{
    struct str key = {text, len};
    if (flags != JSON_REJECT_DUPLICATES) /* it is no record */
        return __real_json_loadb(text, len, flags, error);
    json_t *json = map_find(&parsed, key);
    if (json)
        return json_incref(json);
    json = __real_json_loadb(text, len, flags, error);
    if (parsed.len >= TEXTS_MAX)
        forget();
    if (json)
        map_set(&parsed, key, json_incref(json));
    return json;
}
