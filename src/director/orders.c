#include "director/orders.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

#define ORDER_KEY_MAX  320         /* a server's name, two numbers, a verb */
#define NUMBER_WIDTH   10          /* of an epoch in a key, so that keys sort by age */
#define ARGS_MAX_BYTES (64 * 1024) /* names, addresses, numbers */

struct str order_key(struct arena *a, struct str server, int64_t epoch, const char *verb, int64_t version)
{
    char text[ORDER_KEY_MAX];
    snprintf(text, sizeof(text), "%.*s/%0*lld/%s/%lld", STR_ARG(server), NUMBER_WIDTH, (long long)epoch, verb,
             (long long)version);
    return arena_str(a, str_from(text));
}

struct str order_target(struct arena *a, struct str node)
{
    char text[ORDER_KEY_MAX];
    snprintf(text, sizeof(text), "node/%.*s", STR_ARG(node));
    return arena_str(a, str_from(text));
}

/* ---- JSON: members by name and place ---- */

struct member {
    const char *name;
    enum { MEMBER_STR, MEMBER_I64, MEMBER_BOOL } type;
    size_t offset;
};

#define ARGS(type, name)                                                                                     \
    {                                                                                                        \
#name, type, offsetof(struct order_args, name)                                                       \
    }
#define RESULT(type, name)                                                                                   \
    {                                                                                                        \
#name, type, offsetof(struct order_result, name)                                                     \
    }

static const struct member args_members[] = {
    ARGS(MEMBER_STR, server), ARGS(MEMBER_STR, program),   ARGS(MEMBER_STR, node),
    ARGS(MEMBER_STR, site),   ARGS(MEMBER_STR, address),   ARGS(MEMBER_I64, epoch),
    ARGS(MEMBER_I64, pid),    ARGS(MEMBER_I64, pid_start), ARGS(MEMBER_I64, timeout_ms),
    ARGS(MEMBER_I64, pid_ns), ARGS(MEMBER_I64, tries),     ARGS(MEMBER_BOOL, known_off),
};

static const struct member result_members[] = {
    RESULT(MEMBER_I64, exit_status), RESULT(MEMBER_I64, pid),  RESULT(MEMBER_I64, pid_start),
    RESULT(MEMBER_BOOL, off),        RESULT(MEMBER_STR, text),
};

static json_t *member_value(const struct member *m, const void *object)
{
    const char *at = (const char *)object + m->offset;
    json_t *value;
    struct str s;
    int64_t number;
    bool yes;
    switch (m->type) {
    case MEMBER_STR:
        memcpy(&s, at, sizeof(s));
        value = json_stringn(s.ptr ? s.ptr : "", s.len);
        return value ? value : json_string("(not UTF-8)");
    case MEMBER_I64:
        memcpy(&number, at, sizeof(number));
        return json_integer(number);
    default:
        memcpy(&yes, at, sizeof(yes));
        return json_boolean(yes);
    }
}

static struct str encode(struct arena *a, const struct member *members, size_t count, const void *object)
{
    json_t *json = json_object();
    for (size_t i = 0; i < count; i++)
        json_object_set_new_nocheck(json, members[i].name, member_value(&members[i], object));
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    struct str out = arena_str(a, str_from(text));
    free(text);
    return out;
}

static void member_read(struct arena *a, const struct member *m, const json_t *json, void *object)
{
    char *at = (char *)object + m->offset;
    const json_t *value = json_object_get(json, m->name);
    struct str s = STR_EMPTY;
    int64_t number = json_integer_value(value);
    bool yes = json_is_true(value);
    if (m->type == MEMBER_STR) {
        if (json_is_string(value))
            s = arena_str(a, (struct str){json_string_value(value), json_string_length(value)});
        memcpy(at, &s, sizeof(s));
    } else if (m->type == MEMBER_I64) {
        memcpy(at, &number, sizeof(number));
    } else {
        memcpy(at, &yes, sizeof(yes));
    }
}

static int decode(struct arena *a, struct str text, const struct member *members, size_t count, void *object)
{
    json_t *json = json_loadb(text.ptr ? text.ptr : "", text.len, 0, NULL);
    if (!json_is_object(json)) {
        json_decref(json);
        return ERR_SYNTAX;
    }
    for (size_t i = 0; i < count; i++)
        member_read(a, &members[i], json, object);
    json_decref(json);
    return 0;
}

struct str order_args_encode(struct arena *a, const struct order_args *args)
{
    return encode(a, args_members, ARRAY_LEN(args_members), args);
}

int order_args_decode(struct arena *a, struct str json, struct order_args *ret_args)
{
    return decode(a, json, args_members, ARRAY_LEN(args_members), ret_args);
}

struct str order_result_encode(struct arena *a, const struct order_result *result)
{
    return encode(a, result_members, ARRAY_LEN(result_members), result);
}

void order_result_decode(struct arena *a, struct str json, struct order_result *ret_result)
{
    if (decode(a, json, result_members, ARRAY_LEN(result_members), ret_result) == 0)
        return;
    *ret_result = (struct order_result){.exit_status = -1, .text = arena_str(a, json)};
}

/* ---- states ---- */

bool order_is(const struct record_order *o, const char *state)
{
    return str_eq(o->state, str_from(state));
}

struct str order_node(const struct record_order *o)
{
    struct str prefix = STR("node/");
    return str_starts(o->target, prefix) ? str_sub(o->target, prefix.len, o->target.len) : STR_EMPTY;
}

void order_put_state(const struct view_order *o, const char *state, struct str result, struct batch *b)
{
    struct record_order order = o->record;
    order.state = str_from(state);
    order.result = result;
    batch_put(b, "order", o->key, record_order_encode(&order), o->version);
    bool ended = order_is(&order, "done") || order_is(&order, "failed");
    if (ended && str_eq(order.target, STR(ORDER_TARGET_DIRECTOR)))
        batch_event_json(b, "order", order.subject, record_order_encode(&order));
}

static bool leaves_doubt(const struct record_order *o, struct str address)
{
    struct arena arena;
    struct order_args args;
    arena_init(&arena, ARGS_MAX_BYTES);
    int rc = order_args_decode(&arena, o->args, &args);
    bool doubt = rc < 0 || (!args.known_off && str_eq(args.address, address));
    arena_fini(&arena);
    return doubt;
}

bool order_address_is_doubtful(const struct view *v, struct str server, struct str address)
{
    for (size_t i = 0; i < v->order_count; i++) {
        const struct record_order *o = &v->orders[i].record;
        if (str_eq(o->verb, STR(ORDER_DESTROY)) && str_eq(o->subject, server) && !order_is(o, "done") &&
            leaves_doubt(o, address))
            return true;
    }
    return false;
}
