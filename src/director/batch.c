#include "director/batch.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/mem.h"

void batch_init(struct batch *b, struct arena *arena)
{
    *b = (struct batch){.arena = arena};
}

void batch_fini(struct batch *b)
{
    free(b->changes);
    *b = (struct batch){0};
}

static void add(struct batch *b, struct network_change change)
{
    if (b->count == b->capacity) {
        b->capacity = b->capacity ? 2 * b->capacity : 8;
        b->changes = mem_reallocarray(b->changes, b->capacity, sizeof(*b->changes));
    }
    b->changes[b->count++] = change;
}

void batch_put(struct batch *b, const char *kind, struct str key, char *json, int64_t expect_version)
{
    add(b, (struct network_change){.type = NETWORK_PUT,
                                   .kind = str_from(kind),
                                   .key = arena_str(b->arena, key),
                                   .value = arena_str(b->arena, str_from(json)),
                                   .expect_version = expect_version});
    free(json);
}

void batch_delete(struct batch *b, const char *kind, struct str key, int64_t expect_version)
{
    add(b, (struct network_change){.type = NETWORK_DELETE,
                                   .kind = str_from(kind),
                                   .key = arena_str(b->arena, key),
                                   .value = STR_EMPTY,
                                   .expect_version = expect_version});
}

void batch_event(struct batch *b, const char *kind, struct str subject, const char *const *members)
{
    json_t *detail = json_object();
    for (; members && *members; members += 2)
        json_object_set_new(detail, members[0], json_string(members[1]));
    batch_event_json(b, kind, subject, json_dumps(detail, JSON_COMPACT));
    json_decref(detail);
}

void batch_event_json(struct batch *b, const char *kind, struct str subject, char *json)
{
    add(b, (struct network_change){.type = NETWORK_EVENT,
                                   .kind = str_from(kind),
                                   .key = arena_str(b->arena, subject),
                                   .value = arena_str(b->arena, str_from(json)),
                                   .expect_version = NETWORK_ANY_VERSION});
    free(json);
}
