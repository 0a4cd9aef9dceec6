#include "wire/mime_field.h"

#include <stddef.h>

#include "wire/mime_token.h"

static void take_content_type(struct mime_part *part, struct arena *arena, struct str value)
{
    struct str rest = value;
    mime_skip_cfws(&rest);
    struct str type = mime_take_token(&rest);
    mime_skip_cfws(&rest);
    if (part->type.ptr || type.len == 0 || rest.len == 0 || rest.ptr[0] != '/')
        return;
    rest = str_sub(rest, 1, SIZE_MAX);
    mime_skip_cfws(&rest);
    struct str subtype = mime_take_token(&rest);
    if (subtype.len == 0)
        return;
    part->params = mime_take_params(&rest, arena);
    part->subtype = arena_str(arena, subtype);
    part->type = part->subtype.ptr ? arena_str(arena, type) : (struct str){NULL, 0};
}

static void take_disposition(struct mime_part *part, struct arena *arena, struct str value)
{
    struct str rest = value;
    mime_skip_cfws(&rest);
    struct str disposition = mime_take_token(&rest);
    if (part->disposition.ptr || disposition.len == 0)
        return;
    part->disposition = arena_str(arena, disposition);
    part->disposition_params = mime_take_params(&rest, arena);
}

static void take_encoding(struct mime_part *part, struct arena *arena, struct str value)
{
    struct str rest = value;
    mime_skip_cfws(&rest);
    struct str encoding = mime_take_token(&rest);
    if (!part->encoding.ptr && encoding.len > 0)
        part->encoding = arena_str(arena, encoding);
}

static const struct {
    const char *name;
    size_t offset;
} texts[] = {
    {"Content-ID", offsetof(struct mime_part, id)},
    {"Content-Description", offsetof(struct mime_part, description)},
    {"Content-MD5", offsetof(struct mime_part, md5)},
    {"Content-Language", offsetof(struct mime_part, language)},
    {"Content-Location", offsetof(struct mime_part, location)},
};

static void take_content_field(struct mime_part *part, struct arena *arena, struct str name, struct str value)
{
    if (str_ieq(name, STR("Content-Type")))
        take_content_type(part, arena, value);
    else if (str_ieq(name, STR("Content-Disposition")))
        take_disposition(part, arena, value);
    else if (str_ieq(name, STR("Content-Transfer-Encoding")))
        take_encoding(part, arena, value);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct str *to = (struct str *)((char *)part + texts[i].offset);
        if (str_ieq(name, str_from(texts[i].name)) && !to->ptr)
            *to = arena_str(arena, value);
    }
}

static const struct {
    const char *name;
    size_t offset;
    bool addresses;
} envelope_fields[] = {
    {"Date", offsetof(struct mime_envelope, date), false},
    {"Subject", offsetof(struct mime_envelope, subject), false},
    {"From", offsetof(struct mime_envelope, from), true},
    {"Sender", offsetof(struct mime_envelope, sender), true},
    {"Reply-To", offsetof(struct mime_envelope, reply_to), true},
    {"To", offsetof(struct mime_envelope, to), true},
    {"Cc", offsetof(struct mime_envelope, cc), true},
    {"Bcc", offsetof(struct mime_envelope, bcc), true},
    {"In-Reply-To", offsetof(struct mime_envelope, in_reply_to), false},
    {"Message-ID", offsetof(struct mime_envelope, message_id), false},
};

/* Several To fields are against RFC 5322 3.6, but happen: they are one list. */
static struct str join(struct arena *arena, struct str a, struct str b)
{
    struct buf both;
    buf_init(&both, MIME_FIELD_MAX_BYTES);
    buf_append_str(&both, a);
    buf_append_text(&both, ", ");
    buf_append_str(&both, b);
    struct str joined = both.overflow ? a : arena_str(arena, buf_str(&both));
    buf_fini(&both);
    return joined.ptr ? joined : a;
}

static void take_envelope_field(struct mime_envelope *e, struct arena *arena, struct str name,
                                struct str value)
{
    for (size_t i = 0; i < ARRAY_LEN(envelope_fields); i++) {
        if (!str_ieq(name, str_from(envelope_fields[i].name)))
            continue;
        struct str *to = (struct str *)((char *)e + envelope_fields[i].offset);
        if (!to->ptr)
            *to = arena_str(arena, value);
        else if (envelope_fields[i].addresses)
            *to = join(arena, *to, value);
        return;
    }
}

void mime_part_take_field(struct mime_part *part, struct arena *arena, struct str name, struct str value)
{
    if (str_istarts(name, STR("Content-")))
        take_content_field(part, arena, name, value);
    else if (part->envelope)
        take_envelope_field(part->envelope, arena, name, value);
}
