#include "config/build.h"

#include <stdio.h>
#include <string.h>

#include "config/findings.h"
#include "config/units.h"
#include "config/value.h"

const char *build_name(const void *object)
{
    return *(const char *const *)object;
}

/* A domain in lower case without its final dot; another title as it is. */
static char *canonical_title(struct arena *arena, enum schema_title kind, const char *title)
{
    size_t len = strlen(title);
    char *name = tree_alloc(arena, len + 1);
    memcpy(name, title, len);
    if (kind == TITLE_DOMAIN) {
        ascii_lower_inplace(name, len);
        if (len > 1 && name[len - 1] == '.')
            name[len - 1] = '\0';
    }
    return name;
}

static struct str title_key(struct arena *arena, const char *kind, const char *name)
{
    size_t size = strlen(kind) + strlen(name) + 2;
    char *key = tree_alloc(arena, size);
    snprintf(key, size, "%s %s", kind, name);
    return (struct str){key, size - 1};
}

struct tree_section *build_find(const struct build *b, const char *kind, const char *title)
{
    const struct schema_section *schema = schema_section_find(&schema_root, kind);
    CHECK(schema);
    return map_find(&b->titled, title_key(b->arena, kind, canonical_title(b->arena, schema->title, title)));
}

/* "server "mail1" check": the section as findings call it. */
static const char *make_label(struct build *b, const struct tree_section *s)
{
    char title[CLIP_TEXT_MAX];
    struct buf label;
    buf_init(&label, 512);
    if (s->parent != b->root)
        buf_append_fmt(&label, "%s ", s->parent->label);
    buf_append_text(&label, s->kind);
    if (s->title)
        buf_append_fmt(&label, " \"%s\"", findings_clip(s->title, title));
    const char *kept = arena_strdup(b->arena, buf_str(&label));
    buf_fini(&label);
    CHECK(kept);
    return kept;
}

static void list_known(const struct schema_section *schema, bool sections, struct buf *out)
{
    const char *separator = "";
    for (const struct schema_key *key = schema->keys; !sections && key->name; key++) {
        buf_append_fmt(out, "%s%s", separator, key->name);
        separator = ", ";
    }
    for (size_t i = 0; sections && schema->sections && schema->sections[i]; i++) {
        buf_append_fmt(out, "%s%s", separator, schema->sections[i]->name);
        separator = ", ";
    }
}

static void report_unknown(struct build *b, const struct tree_section *s, int line, const char *name,
                           bool section)
{
    char shown[CLIP_TEXT_MAX];
    struct buf known;
    buf_init(&known, 1024);
    list_known(s->schema, section, &known);
    findings_clip(name, shown);
    const char *what = section ? "section" : "key";
    if (known.len == 0)
        findings_add(b->findings, line, "%s: unknown %s %s; it has no %ss, remove it", s->label, what, shown,
                     what);
    else
        findings_add(b->findings, line, "%s: unknown %s %s; the %ss are %s", s->label, what, shown, what,
                     buf_data(&known));
    buf_fini(&known);
}

static void check_known(struct build *b, const struct tree_section *s)
{
    for (const struct tree_setting *setting = s->settings; setting; setting = setting->next)
        if (!schema_key_find(s->schema, setting->key))
            report_unknown(b, s, setting->line, setting->key, false);
    for (const struct tree_section *child = s->sections; child; child = child->next)
        if (!schema_section_find(s->schema, child->kind))
            report_unknown(b, s, child->line, child->kind, true);
}

static void set_preset(struct build *b, struct tree_section *s, const struct schema_key *key)
{
    struct tree_value value;
    if (key->preset[0] == '\0')
        return;
    int err = tree_parse_value(str_from(key->preset), b->arena, &value, NULL);
    CHECK(err == 0);
    value_set(b, s, key, &value);
}

static void set_key(struct build *b, struct tree_section *s, const struct schema_key *key)
{
    const struct tree_setting *first = tree_find(s, key->name);
    if (first) {
        value_set(b, s, key, &first->value);
    } else if (key->preset) {
        set_preset(b, s, key);
    } else {
        findings_add(b->findings, s->line, "%s: %s is missing; add it, %s", s->label, key->name,
                     value_type_wanted(key));
        s->unsound = s->unsound || key->type == SCHEMA_WORD;
    }
}

static void check_repeated(struct build *b, const struct tree_section *s, const struct schema_key *key)
{
    const struct tree_setting *first = tree_find(s, key->name);
    for (const struct tree_setting *more = first ? first->next : NULL; more; more = more->next)
        if (strcmp(more->key, key->name) == 0)
            findings_add(b->findings, more->line, "%s: %s is set twice, first in line %d; remove one",
                         s->label, key->name, first->line);
}

/* All but references, or only those. */
static void set_keys(struct build *b, struct tree_section *s, bool references)
{
    for (const struct schema_key *key = s->schema->keys; key->name; key++) {
        if (value_is_reference(key) != references)
            continue;
        value_unset(key, s->object);
        set_key(b, s, key);
        check_repeated(b, s, key);
    }
}

static const char *title_problem(const struct schema_section *schema, const char *title)
{
    switch (schema->title) {
    case TITLE_NONE:
        return title ? "has no name of its own; remove the text before {" : NULL;
    case TITLE_NAME:
        if (!title)
            return "needs a name in quotes before {";
        return units_is_name(str_from(title)) ? NULL
                                              : "has a bad name; it is 1 to 63 letters, digits, \"-\", \"_\" "
                                                "or \".\", first a letter or digit";
    case TITLE_DOMAIN:
        if (!title)
            return "needs a domain in quotes before {";
        return units_is_hostname(str_from(title)) ? NULL
                                                  : "has a bad domain; it is labels of letters, digits and "
                                                    "\"-\", an international one in ASCII (xn--)";
    }
    return NULL;
}

/* Names the object, and registers it for references. */
static void take_title(struct build *b, struct tree_section *s)
{
    const char *name = canonical_title(b->arena, s->schema->title, s->title ? s->title : "");
    const char *problem =
        title_problem(s->schema, s->schema->title == TITLE_DOMAIN && s->title ? name : s->title);
    if (problem)
        findings_add(b->findings, s->line, "%s %s", s->label, problem);
    if (s->schema->title == TITLE_NONE)
        return;
    *(const char **)s->object = name;
    if (!s->title)
        return;
    struct str key = title_key(b->arena, s->kind, name);
    const struct tree_section *first = map_find(&b->titled, key);
    if (first)
        findings_add(b->findings, s->line, "%s is there twice, first in line %d; rename or remove one",
                     s->label, first->line);
    else
        map_set(&b->titled, key, s);
}

static void build_sections(struct build *b, struct tree_section *parent);

static void build_one(struct build *b, struct tree_section *parent, struct tree_section *s,
                      const struct schema_section *schema, void *object)
{
    s->parent = parent;
    s->schema = schema;
    s->object = object;
    s->label = make_label(b, s);
    take_title(b, s);
    check_known(b, s);
    set_keys(b, s, false);
    build_sections(b, s);
}

static struct tree_section *append_section(struct build *b, struct tree_section *parent, const char *kind)
{
    struct tree_section **tail = &parent->sections;
    while (*tail)
        tail = &(*tail)->next;
    *tail = tree_alloc(b->arena, sizeof(**tail));
    **tail = (struct tree_section){.kind = kind, .line = parent->line, .label = kind, .implied = true};
    return *tail;
}

static void build_many(struct build *b, struct tree_section *parent, const struct schema_section *schema)
{
    size_t count = 0;
    TREE_FOREACH(s, parent, schema->name)
    count++;
    char *objects = tree_alloc(b->arena, count * schema->size);
    char *owner = parent->object;
    *(void **)(void *)(owner + schema->offset) = objects;
    *(size_t *)(void *)(owner + schema->count_offset) = count;
    TREE_FOREACH(s, parent, schema->name)
    {
        build_one(b, parent, s, schema, objects);
        objects += schema->size;
    }
}

static void build_single(struct build *b, struct tree_section *parent, const struct schema_section *schema)
{
    struct tree_section *first = tree_first(parent, schema->name);
    if (!first)
        first = append_section(b, parent, schema->name);
    build_one(b, parent, first, schema, (char *)parent->object + schema->offset);
    for (const struct tree_section *more = tree_following(first); more; more = tree_following(more))
        findings_add(b->findings, more->line, "%s is there twice, first in line %d; join them", first->label,
                     first->line);
}

/* A server without any check gets one in the protocol of its deliveries. */
static void imply_check(struct build *b, struct tree_section *server)
{
    const struct config_server *object = server->object;
    struct tree_section *check = append_section(b, server, "check");
    struct tree_setting *kind = tree_alloc(b->arena, sizeof(*kind));
    const char *word = object->protocol == SERVER_LMTP ? "lmtp" : "smtp";
    *kind = (struct tree_setting){.key = "kind",
                                  .line = server->line,
                                  .value = {.kind = TREE_TEXT, .line = server->line, .text = word}};
    check->settings = kind;
}

static void build_sections(struct build *b, struct tree_section *parent)
{
    if (strcmp(parent->kind, "server") == 0 && !tree_first(parent, "check"))
        imply_check(b, parent);
    for (size_t i = 0; parent->schema->sections && parent->schema->sections[i]; i++) {
        const struct schema_section *schema = parent->schema->sections[i];
        if (schema->many)
            build_many(b, parent, schema);
        else
            build_single(b, parent, schema);
    }
}

static void set_references(struct build *b, struct tree_section *parent)
{
    for (struct tree_section *s = parent->sections; s; s = s->next) {
        if (!s->object)
            continue; /* unknown, or a repetition */
        set_keys(b, s, true);
        set_references(b, s);
    }
}

void build_config(struct build *b)
{
    map_init(&b->titled);
    b->root->schema = &schema_root;
    b->root->object = b->config;
    check_known(b, b->root);
    build_sections(b, b->root);
    set_references(b, b->root);
}
