#include "cli/field.h"

json_t *field_from_text(struct str s)
{
    json_t *value = json_stringn(s.ptr ? s.ptr : "", s.len);
    return value ? value : json_string("(not UTF-8)");
}

const char *field_text(const json_t *object, const char *name, const char *none)
{
    const char *value = json_string_value(json_object_get(object, name));
    return value && *value ? value : none;
}

long long field_number(const json_t *object, const char *name)
{
    return (long long)json_integer_value(json_object_get(object, name));
}
