#include "imap/pattern.h"

#include "base/mem.h"

static bool chars_match(char wanted, char have, bool any_case)
{
    return wanted == have || (any_case && ascii_lower(wanted) == ascii_lower(have));
}

/* reached[i]: the pattern so far matches the first i bytes of the name. */
static void advance(bool *reached, char wanted, struct str name, bool any_case)
{
    if (wanted == '*' || wanted == '%') {
        for (size_t i = 0; i < name.len; i++)
            reached[i + 1] = reached[i + 1] || (reached[i] && (wanted == '*' || name.ptr[i] != '/'));
        return;
    }
    for (size_t i = name.len; i > 0; i--)
        reached[i] = reached[i - 1] && chars_match(wanted, name.ptr[i - 1], any_case);
    reached[0] = false;
}

bool imap_pattern_matches(struct str pattern, struct str name)
{
    bool any_case = str_eq(name, STR("INBOX"));
    bool *reached = mem_calloc(name.len + 1, sizeof(*reached));
    reached[0] = true;
    for (size_t i = 0; i < pattern.len; i++)
        advance(reached, pattern.ptr[i], name, any_case);
    bool matches = reached[name.len];
    free(reached);
    return matches;
}
