#include "relay/envelope.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void envelope_init(struct envelope *e)
{
    *e = (struct envelope){.rcpts = NULL};
    map_init(&e->keys);
}

void envelope_fini(struct envelope *e)
{
    for (size_t i = 0; i < e->count; i++)
        free(e->rcpts[i].address);
    free(e->rcpts);
    map_fini(&e->keys);
}

void envelope_clear(struct envelope *e)
{
    envelope_fini(e);
    envelope_init(e);
}

/* What is equal for two that are the same; for free(). A local part may hold '@', a domain may not. */
static char *key_of(const struct envelope_rcpt *rcpt)
{
    char *key = mem_strdup(rcpt->address);
    char *at = strrchr(key, '@');
    char *from = at && rcpt->domain->recipients != RECIPIENTS_DIRECTORY ? at : key;
    ascii_lower_inplace(from, strlen(from));
    return key;
}

bool envelope_add(struct envelope *e, struct envelope_rcpt rcpt)
{
    char *key = key_of(&rcpt);
    bool is_new = !map_set(&e->keys, str_from(key), e);
    free(key);
    if (!is_new) {
        free(rcpt.address);
        return false;
    }
    e->rcpts = mem_grow(e->rcpts, e->count, sizeof(*e->rcpts));
    e->rcpts[e->count++] = rcpt;
    return true;
}

void envelope_each_domain(const struct envelope *e, void (*fn)(void *arg, const struct config_domain *domain),
                          void *arg)
{
    for (size_t i = 0; i < e->count; i++) {
        bool told = false;
        for (size_t k = 0; k < i && !told; k++)
            told = e->rcpts[k].domain == e->rcpts[i].domain;
        if (!told)
            fn(arg, e->rcpts[i].domain);
    }
}
