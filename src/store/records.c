#include "store/records.h"

#include <jansson.h>

#include "base/err.h"
#include "base/mem.h"

#define RECORD_MAX_BYTES (1024 * 1024) /* of one member's text */

enum field_type { FIELD_STR, FIELD_I64, FIELD_BOOL, FIELD_INSTANCE };

struct field {
    const char *name; /* NULL ends the table */
    enum field_type type;
    size_t offset;
};

#define STR_FIELD(record, member)                                                                            \
    {                                                                                                        \
#member, FIELD_STR, offsetof(struct record, member)                                                  \
    }
#define I64_FIELD(record, member)                                                                            \
    {                                                                                                        \
#member, FIELD_I64, offsetof(struct record, member)                                                  \
    }
#define BOOL_FIELD(record, member)                                                                           \
    {                                                                                                        \
#member, FIELD_BOOL, offsetof(struct record, member)                                                 \
    }
#define INSTANCE_FIELD(member)                                                                               \
    {                                                                                                        \
#member, FIELD_INSTANCE, offsetof(struct record_server, member)                                      \
    }

static const struct field instance_fields[] = {
    STR_FIELD(record_instance, node),
    STR_FIELD(record_instance, site),
    STR_FIELD(record_instance, address),
    I64_FIELD(record_instance, epoch),
    I64_FIELD(record_instance, pid),
    I64_FIELD(record_instance, pid_start),
    {NULL},
};

static const struct field node_fields[] = {
    STR_FIELD(record_node, site),   I64_FIELD(record_node, supervisor_pid), STR_FIELD(record_node, boot_id),
    I64_FIELD(record_node, pid_ns), STR_FIELD(record_node, version),        {NULL},
};

static const struct field server_fields[] = {
    STR_FIELD(record_server, state),
    INSTANCE_FIELD(instance),
    INSTANCE_FIELD(candidate),
    I64_FIELD(record_server, epoch),
    I64_FIELD(record_server, plan_index),
    I64_FIELD(record_server, generation),
    I64_FIELD(record_server, changed_at_ms),
    STR_FIELD(record_server, reason),
    STR_FIELD(record_server, detail),
    STR_FIELD(record_server, wanted),
    STR_FIELD(record_server, served_by),
    I64_FIELD(record_server, tries),
    {NULL},
};

static const struct field route_fields[] = {
    STR_FIELD(record_route, server),
    I64_FIELD(record_route, generation),
    {NULL},
};

static const struct field queue_fields[] = {
    STR_FIELD(record_queue, owner),
    I64_FIELD(record_queue, generation),
    STR_FIELD(record_queue, from),
    {NULL},
};

static const struct field observation_fields[] = {
    STR_FIELD(record_observation, state),
    I64_FIELD(record_observation, epoch),
    I64_FIELD(record_observation, failed),
    I64_FIELD(record_observation, down_for_ms),
    I64_FIELD(record_observation, history),
    I64_FIELD(record_observation, history_len),
    STR_FIELD(record_observation, detail),
    BOOL_FIELD(record_observation, invoke),
    {NULL},
};

static const struct field work_fields[] = {
    I64_FIELD(record_work, since_ms),
    I64_FIELD(record_work, sessions),
    I64_FIELD(record_work, accepted),
    I64_FIELD(record_work, accepted_bytes),
    I64_FIELD(record_work, spooled),
    I64_FIELD(record_work, spool_waiting),
    I64_FIELD(record_work, refused_later),
    I64_FIELD(record_work, refused_for_good),
    I64_FIELD(record_work, limited_connections),
    I64_FIELD(record_work, limited_messages),
    I64_FIELD(record_work, limited_recipients),
    I64_FIELD(record_work, limited_errors),
    I64_FIELD(record_work, delivered),
    I64_FIELD(record_work, deferred),
    I64_FIELD(record_work, lost),
    I64_FIELD(record_work, kept),
    I64_FIELD(record_work, kept_bytes),
    I64_FIELD(record_work, quarantined),
    I64_FIELD(record_work, expired),
    I64_FIELD(record_work, bounced),
    I64_FIELD(record_work, reports),
    I64_FIELD(record_work, kept_after_s),
    BOOL_FIELD(record_work, degraded),
    STR_FIELD(record_work, durability),
    STR_FIELD(record_work, detail),
    STR_FIELD(record_work, databases),
    STR_FIELD(record_work, copies),
    {NULL},
};

static const struct field order_fields[] = {
    STR_FIELD(record_order, target),        STR_FIELD(record_order, verb),
    STR_FIELD(record_order, subject),       STR_FIELD(record_order, args),
    STR_FIELD(record_order, who),           STR_FIELD(record_order, why),
    STR_FIELD(record_order, state),         STR_FIELD(record_order, result),
    I64_FIELD(record_order, created_at_ms), {NULL},
};

static const struct field user_fields[] = {
    STR_FIELD(record_user, verifier),
    BOOL_FIELD(record_user, disabled),
    {NULL},
};

static const struct field site_fields[] = {
    BOOL_FIELD(record_site, lost),
    STR_FIELD(record_site, who),
    I64_FIELD(record_site, changed_at_ms),
    {NULL},
};

static const struct field secret_fields[] = {
    STR_FIELD(record_secret, hex),
    {NULL},
};

/* ---- encoding ---- */

/* JSON holds UTF-8 only; what peers sent may be anything. */
static json_t *encode_str(struct str s)
{
    json_t *value = json_stringn(s.ptr ? s.ptr : "", s.len);
    if (value)
        return value;
    char *printable = str_dup(s);
    for (size_t i = 0; i < s.len; i++)
        if (!ascii_isprint(printable[i]))
            printable[i] = '?';
    value = json_stringn(printable, s.len);
    free(printable);
    return value;
}

static json_t *encode_fields(const void *record, const struct field *fields)
{
    json_t *object = json_object();
    for (const struct field *f = fields; f->name; f++) {
        const void *member = (const char *)record + f->offset;
        json_t *value = NULL;
        switch (f->type) {
        case FIELD_STR:
            value = encode_str(*(const struct str *)member);
            break;
        case FIELD_I64:
            value = json_integer(*(const int64_t *)member);
            break;
        case FIELD_BOOL:
            value = json_boolean(*(const bool *)member);
            break;
        case FIELD_INSTANCE:
            value = encode_fields(member, instance_fields);
            break;
        }
        json_object_set_new(object, f->name, value);
    }
    return object;
}

static char *encode(const void *record, const struct field *fields)
{
    json_t *object = encode_fields(record, fields);
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    CHECK(text != NULL);
    return text;
}

/* ---- decoding ---- */

static int decode_str(struct arena *arena, const json_t *value, struct str *ret)
{
    struct str s = {json_string_value(value), json_string_length(value)};
    if (!json_is_string(value) || s.len > RECORD_MAX_BYTES)
        return ERR_SYNTAX;
    struct str copy = arena_str(arena, s);
    if (!copy.ptr)
        return ERR_LIMIT;
    *ret = copy;
    return 0;
}

static int decode_fields(struct arena *arena, const json_t *object, const struct field *fields, void *record);

static int decode_field(struct arena *arena, const json_t *value, enum field_type type, void *member)
{
    switch (type) {
    case FIELD_STR:
        return decode_str(arena, value, member);
    case FIELD_I64:
        if (!json_is_integer(value))
            return ERR_SYNTAX;
        *(int64_t *)member = json_integer_value(value);
        return 0;
    case FIELD_BOOL:
        if (!json_is_boolean(value))
            return ERR_SYNTAX;
        *(bool *)member = json_is_true(value);
        return 0;
    case FIELD_INSTANCE:
        break;
    }
    return decode_fields(arena, value, instance_fields, member);
}

static int decode_fields(struct arena *arena, const json_t *object, const struct field *fields, void *record)
{
    if (!json_is_object(object))
        return ERR_SYNTAX;
    for (const struct field *f = fields; f->name; f++) {
        const json_t *value = json_object_get(object, f->name);
        int err = value ? decode_field(arena, value, f->type, (char *)record + f->offset) : 0;
        if (err != 0)
            return err;
    }
    return 0;
}

static void empty_strs(void *record, const struct field *fields)
{
    for (const struct field *f = fields; f->name; f++)
        if (f->type == FIELD_STR)
            *(struct str *)((char *)record + f->offset) = STR_EMPTY;
        else if (f->type == FIELD_INSTANCE)
            empty_strs((char *)record + f->offset, instance_fields);
}

static int decode(struct arena *arena, struct str text, const struct field *fields, void *record)
{
    json_t *object = json_loadb(text.ptr ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES, NULL);
    if (!object)
        return ERR_SYNTAX;
    empty_strs(record, fields);
    int err = decode_fields(arena, object, fields, record);
    json_decref(object);
    return err;
}

#define RECORD_DEFINE(name)                                                                                  \
    char *record_##name##_encode(const struct record_##name *record)                                         \
    {                                                                                                        \
        return encode(record, name##_fields);                                                                \
    }                                                                                                        \
    int record_##name##_decode(struct arena *arena, struct str json, struct record_##name *ret_record)       \
    {                                                                                                        \
        struct record_##name record = {0};                                                                   \
        int err = decode(arena, json, name##_fields, &record);                                               \
        if (err == 0)                                                                                        \
            *ret_record = record;                                                                            \
        return err;                                                                                          \
    }
RECORD_KIND_LIST(RECORD_DEFINE)

bool record_order_is_open(const struct record_order *order)
{
    return str_eq(order->state, STR("new")) || str_eq(order->state, STR("taken"));
}
