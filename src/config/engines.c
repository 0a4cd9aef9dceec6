#include "config/engines.h"

#include <string.h>

static const struct {
    const char *scheme;
    enum store_engine engine;
    const char *missing; /* not NULL: not in this build */
} engines[] = {
    {"sqlite:", STORE_SQLITE, NULL},
    {"memory:", STORE_MEMORY, NULL},
    {"postgresql:", STORE_POSTGRESQL, "this build has no PostgreSQL engine yet; use \"sqlite:FOLDER\""},
};

int engines_parse_url(const char *url, enum store_engine *ret_engine, const char **ret_rest,
                      struct err_buf *eb)
{
    for (size_t i = 0; i < ARRAY_LEN(engines); i++) {
        size_t len = strlen(engines[i].scheme);
        if (strncmp(url, engines[i].scheme, len) != 0)
            continue;
        if (engines[i].missing)
            return err_set(eb, ERR_UNSUPPORTED, "%s", engines[i].missing);
        bool folder = engines[i].engine == STORE_SQLITE;
        if (folder != (url[len] != '\0'))
            return err_set(eb, ERR_SYNTAX,
                           folder ? "the folder is missing; write \"sqlite:FOLDER\""
                                  : "nothing follows \"memory:\"");
        *ret_engine = engines[i].engine;
        *ret_rest = url + len;
        return 0;
    }
    return err_set(eb, ERR_SYNTAX, "it must start with sqlite: or memory:");
}
