#include "config/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "config/engines.h"
#include "config/units.h"
#include "config/value_types.h"

bool value_reject(const struct value_place *p, int line, const char *fmt, ...)
{
    char text[768];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    findings_add(p->b->findings, line, "%s: %s %s", p->s->label, p->key->name, text);
    return false;
}

bool value_reject_type(const struct value_place *p, int line)
{
    return value_reject(p, line, "must be %s", value_type_wanted(p->key));
}

static const char *text_at(const char *field)
{
    return *(const char *const *)(const void *)field;
}

static void store_text(const struct value_place *p, const char *text)
{
    *(const char **)(void *)p->field = text;
}

static bool want_text(const struct value_place *p)
{
    if (p->v->kind == TREE_TEXT && p->v->text[0] != '\0')
        return true;
    return value_reject_type(p, p->v->line);
}

/* A copy of dir, "/" and the text; the text alone when it is absolute. */
static const char *below(const struct value_place *p, const char *dir, const char *text)
{
    if (text[0] == '/')
        return text;
    size_t size = strlen(dir) + strlen(text) + 2;
    char *path = tree_alloc(p->b->arena, size);
    snprintf(path, size, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir, text);
    return path;
}

static void set_text(const struct value_place *p)
{
    if (want_text(p))
        store_text(p, p->v->text);
}

static void set_user(const struct value_place *p)
{
    if (want_text(p) && (units_is_user(str_from(p->v->text)) || value_reject_type(p, p->v->line)))
        store_text(p, p->v->text);
}

static void set_hostname(const struct value_place *p)
{
    if (!want_text(p))
        return;
    struct str text = str_from(p->v->text);
    if (!units_is_hostname(text)) {
        value_reject_type(p, p->v->line);
        return;
    }
    char *lower = tree_alloc(p->b->arena, text.len + 1);
    memcpy(lower, text.ptr, text.len);
    ascii_lower_inplace(lower, text.len);
    store_text(p, lower);
}

static void set_path(const struct value_place *p)
{
    if (want_text(p))
        store_text(p, below(p, p->b->config->dir, p->v->text));
}

static void set_command(const struct value_place *p)
{
    if (want_text(p) && (p->v->text[0] == '/' || value_reject_type(p, p->v->line)))
        store_text(p, p->v->text);
}

static void set_program(const struct value_place *p)
{
    if (!want_text(p))
        return;
    if (p->v->text[0] == '/' || units_is_name(str_from(p->v->text)))
        store_text(p, p->v->text);
    else
        value_reject_type(p, p->v->line);
}

static void set_store_url(const struct value_place *p)
{
    struct config *c = p->b->config;
    struct err_buf eb;
    const char *rest;
    if (!want_text(p))
        return;
    if (engines_parse_url(p->v->text, &c->store_engine, &rest, &eb) < 0) {
        char shown[CLIP_TEXT_MAX];
        value_reject(p, p->v->line, "cannot be \"%s\": %s", findings_clip(p->v->text, shown), eb.text);
        return;
    }
    c->store_url = p->v->text;
    c->store_path = c->store_engine == STORE_SQLITE ? below(p, c->state_dir, rest) : "";
}

static void store_number(const struct value_place *p, int64_t value)
{
    char least[32], most[32], actual[32];
    if (value >= p->key->min && value <= p->key->max) {
        *(int64_t *)(void *)p->field = value;
        return;
    }
    value_format_limit(p->key, p->key->min, least, sizeof(least));
    value_format_limit(p->key, p->key->max, most, sizeof(most));
    value_format_limit(p->key, value, actual, sizeof(actual));
    value_reject(p, p->v->line, "must be from %s to %s; it is %s", least, most, actual);
}

static void set_int(const struct value_place *p)
{
    if (p->v->kind == TREE_NUMBER)
        store_number(p, p->v->number);
    else
        value_reject_type(p, p->v->line);
}

static void set_duration(const struct value_place *p)
{
    int64_t value;
    if (p->v->kind == TREE_TEXT && units_parse_duration(str_from(p->v->text), &value) == 0)
        store_number(p, value);
    else
        value_reject_type(p, p->v->line);
}

static void set_size(const struct value_place *p)
{
    int64_t value;
    if (p->v->kind == TREE_TEXT && units_parse_size(str_from(p->v->text), &value) == 0)
        store_number(p, value);
    else
        value_reject_type(p, p->v->line);
}

static void set_rate(const struct value_place *p)
{
    int err = ERR_SYNTAX;
    if (p->v->kind == TREE_TEXT)
        err = units_parse_rate(str_from(p->v->text), (struct rate *)(void *)p->field);
    if (err == ERR_LIMIT)
        value_reject(p, p->v->line, "must be a count of 1 to %lld in a time of 1s to 1d", RATE_COUNT_MAX);
    else if (err < 0)
        value_reject_type(p, p->v->line);
}

static void set_word(const struct value_place *p)
{
    int number;
    if (value_word_find(p, p->v, &number))
        memcpy(p->field, &number, sizeof(number));
    else
        p->s->unsound = true;
}

static void set_ip_or_same(const struct value_place *p)
{
    bool *same = (bool *)p->field;
    if (p->v->kind == TREE_TEXT && strcmp(p->v->text, "same") == 0)
        *same = true;
    else if (p->v->kind != TREE_TEXT ||
             addr_parse_ip(str_from(p->v->text), 0, (struct addr *)(void *)p->more) < 0)
        value_reject_type(p, p->v->line);
}

static void set_ref(const struct value_place *p)
{
    void *object = value_ref_find(p, p->v);
    if (object)
        *(void **)(void *)p->field = object;
}

static bool equal_text(const struct schema_key *key, const char *a, const char *b)
{
    (void)key;
    return strcmp(text_at(a), text_at(b)) == 0;
}

static bool equal_number(const struct schema_key *key, const char *a, const char *b)
{
    (void)key;
    return memcmp(a, b, sizeof(int64_t)) == 0;
}

static bool equal_rate(const struct schema_key *key, const char *a, const char *b)
{
    const struct rate *one = (const struct rate *)(const void *)a,
                      *other = (const struct rate *)(const void *)b;
    (void)key;
    return one->count == other->count && one->per_ms == other->per_ms;
}

static bool equal_int(const struct schema_key *key, const char *a, const char *b)
{
    (void)key;
    return memcmp(a, b, sizeof(int)) == 0;
}

static bool equal_ip_or_same(const struct schema_key *key, const char *a, const char *b)
{
    const bool *same_a = (const bool *)a, *same_b = (const bool *)b;
    ptrdiff_t to_more = (ptrdiff_t)key->more_offset - (ptrdiff_t)key->offset;
    if (*same_a || *same_b)
        return *same_a == *same_b;
    return addr_ip_eq((const struct addr *)(const void *)(a + to_more),
                      (const struct addr *)(const void *)(b + to_more));
}

static bool equal_ref(const struct schema_key *key, const char *a, const char *b)
{
    (void)key;
    const void *const *one = (const void *const *)(const void *)a, *const *two =
                                                                       (const void *const *)(const void *)b;
    return strcmp(build_name(*one), build_name(*two)) == 0;
}

static const struct value_type types[] = {
    [SCHEMA_TEXT] = {"text", "a text in quotes, not empty", set_text, equal_text},
    [SCHEMA_USER] = {"user name", "a system user's name in quotes", set_user, equal_text},
    [SCHEMA_HOSTNAME] = {"host name",
                         "a host name in quotes, such as \"mail1.example.net\" (no address; an international "
                         "name in its xn-- form)",
                         set_hostname, equal_text},
    [SCHEMA_PATH] = {"path", "a path in quotes, not empty", set_path, equal_text},
    [SCHEMA_COMMAND] = {"absolute path", "an absolute path in quotes", set_command, equal_text},
    [SCHEMA_PROGRAM] = {"program", "a plain name or an absolute path, in quotes", set_program, equal_text},
    [SCHEMA_STORE_URL] = {"store URL", "a URL in quotes, such as \"sqlite:store\"", set_store_url,
                          equal_text},
    [SCHEMA_INT] = {"number", "a number without quotes", set_int, equal_number},
    [SCHEMA_DURATION] = {"duration",
                         "a duration in quotes, such as \"500ms\", \"15s\", \"5m\", \"4h\" or \"5d\"",
                         set_duration, equal_number},
    [SCHEMA_SIZE] = {"size", "a size in quotes, such as \"64KiB\" or \"50MiB\"", set_size, equal_number},
    [SCHEMA_RATE] = {"rate", "a count and a time in quotes, such as \"60/1m\" or \"600/1h\", or \"none\"",
                     set_rate, equal_rate},
    [SCHEMA_WORD] = {"word", "a word in quotes", set_word, equal_int},
    [SCHEMA_WORDS] = {"list of words", "a list of words, such as {\"a\", \"b\"}", value_set_words, equal_int},
    [SCHEMA_IPS] = {"list of addresses",
                    "a list of IP addresses without ports, such as {\"192.0.2.1\", \"2001:db8::1\"}",
                    value_set_ips, value_equal_listen},
    [SCHEMA_ENDPOINTS] =
        {"list of addresses with ports",
         "a list of IP addresses with ports, such as {\"192.0.2.1:25\", \"[2001:db8::1]:25\"}",
         value_set_endpoints, value_equal_listen},
    [SCHEMA_IP_OR_SAME] = {"address or \"same\"", "an IP address without port, in quotes, or \"same\"",
                           set_ip_or_same, equal_ip_or_same},
    [SCHEMA_REF] = {"name", "a name in quotes", set_ref, equal_ref},
    [SCHEMA_REFS] = {"list of names", "a list of names, such as {\"a\", \"b\"}", value_set_refs,
                     value_equal_refs},
    [SCHEMA_PINS] = {"list of pins",
                     "a list of SHA-256 fingerprints of keys, each 64 hexadecimal digits in quotes",
                     value_set_pins, value_equal_pins},
    [SCHEMA_TEXTS] = {"list of texts", "a list of texts in quotes, such as {\"a\", \"b\"}", value_set_texts,
                      value_equal_texts},
    [SCHEMA_BLOCKS] = {"list of networks",
                       "a list of IP addresses and networks, such as {\"192.0.2.1\", \"2001:db8::/32\"}",
                       value_set_blocks, value_equal_blocks},
};

void value_set(struct build *b, struct tree_section *s, const struct schema_key *key,
               const struct tree_value *v)
{
    char *object = s->object;
    struct value_place place = {
        .b = b, .s = s, .key = key, .v = v, .field = object + key->offset, .more = object + key->more_offset};
    types[key->type].set(&place);
}

void value_unset(const struct schema_key *key, void *object)
{
    if (types[key->type].equal == equal_text)
        *(const char **)(void *)((char *)object + key->offset) = "";
}

bool value_equal(const struct schema_key *key, const void *a, const void *b)
{
    return types[key->type].equal(key, (const char *)a + key->offset, (const char *)b + key->offset);
}

static size_t field_size(const struct schema_key *key)
{
    switch (key->type) {
    case SCHEMA_INT:
    case SCHEMA_DURATION:
    case SCHEMA_SIZE:
        return sizeof(int64_t);
    case SCHEMA_RATE:
        return sizeof(struct rate);
    case SCHEMA_WORD:
        return sizeof(int);
    case SCHEMA_PATH:
    case SCHEMA_PROGRAM:
        return sizeof(const char *);
    case SCHEMA_PINS:
        return sizeof(struct config_pins);
    case SCHEMA_BLOCKS:
        return sizeof(struct addr_blocks);
    default:
        return 0;
    }
}

void value_exchange(const struct schema_key *key, void *a, void *b)
{
    size_t size = field_size(key);
    char kept[sizeof(struct config_pins)];
    char *one = (char *)a + key->offset, *other = (char *)b + key->offset;
    CHECK(size > 0 && size <= sizeof(kept));
    memcpy(kept, one, size);
    memcpy(one, other, size);
    memcpy(other, kept, size);
}

bool value_is_reference(const struct schema_key *key)
{
    return key->ref != NULL;
}

const char *value_type_name(const struct schema_key *key)
{
    return types[key->type].name;
}

const char *value_type_wanted(const struct schema_key *key)
{
    return types[key->type].wanted;
}

void value_format_limit(const struct schema_key *key, int64_t limit, char *out, size_t size)
{
    if (key->type == SCHEMA_DURATION)
        duration_format(limit, out, size);
    else if (key->type == SCHEMA_SIZE)
        units_format_size(limit, out, size);
    else
        snprintf(out, size, "%" PRId64, limit);
}
