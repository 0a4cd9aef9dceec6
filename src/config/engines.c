#include "config/engines.h"

#include <string.h>

static const struct {
    const char *scheme;
    enum store_engine engine;
} engines[] = {
    {"sqlite:", STORE_SQLITE},
    {"memory:", STORE_MEMORY},
    {"postgresql:", STORE_POSTGRESQL},
    {"postgres:", STORE_POSTGRESQL}, /* libpq takes both */
};

int engines_parse_url(const char *url, enum store_engine *ret_engine, const char **ret_rest,
                      struct err_buf *eb)
{
    for (size_t i = 0; i < ARRAY_LEN(engines); i++) {
        size_t len = strlen(engines[i].scheme);
        if (strncmp(url, engines[i].scheme, len) != 0)
            continue;
        if (engines[i].engine == STORE_SQLITE && url[len] == '\0')
            return err_set(eb, ERR_SYNTAX, "the folder is missing; write \"sqlite:FOLDER\"");
        if (engines[i].engine == STORE_MEMORY && url[len] != '\0')
            return err_set(eb, ERR_SYNTAX, "nothing follows \"memory:\"");
        *ret_engine = engines[i].engine;
        *ret_rest = url + len;
        return 0;
    }
    return err_set(eb, ERR_SYNTAX, "it must start with sqlite:, postgresql: or memory:");
}
