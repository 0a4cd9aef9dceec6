#include "wire/mime.h"

struct str mime_param_find(const struct mime_param *params, const char *name)
{
    for (; params; params = params->next)
        if (str_ieq(params->name, str_from(name)))
            return params->value;
    return (struct str){NULL, 0};
}

bool mime_part_is(const struct mime_part *part, const char *type, const char *subtype)
{
    struct str own_type = part->type, own_subtype = part->subtype;
    if (!own_type.ptr) { /* RFC 2045 5.2, RFC 2046 5.1.5 */
        own_type = part->digest_child ? STR("message") : STR("text");
        own_subtype = part->digest_child ? STR("rfc822") : STR("plain");
    }
    return str_ieq(own_type, str_from(type)) && (!subtype || str_ieq(own_subtype, str_from(subtype)));
}

static const struct mime_part *nth_child(const struct mime_part *part, uint32_t number)
{
    const struct mime_part *child = part->first;
    while (child && --number > 0)
        child = child->next;
    return child;
}

const struct mime_part *mime_part_find(const struct mime_part *root, const uint32_t *path, size_t path_len)
{
    const struct mime_part *part = root;
    bool at_message = true; /* number 1 of a message that is no multipart is its own body */
    for (size_t i = 0; i < path_len && part; i++) {
        if (!at_message && part->kind == MIME_MESSAGE) {
            part = part->first;
            at_message = true;
        }
        if (part->kind == MIME_MULTIPART)
            part = nth_child(part, path[i]);
        else if (!at_message || path[i] != 1)
            part = NULL;
        at_message = false;
    }
    return part;
}
