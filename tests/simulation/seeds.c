#include "simulation/seeds.h"

#include <stdio.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

#define SEEDS_MAX 10000000

static void add(struct seeds *s, uint64_t seed)
{
    if ((s->count & (s->count - 1)) == 0)
        s->items = mem_reallocarray(s->items, s->count ? 2 * s->count : 1, sizeof(*s->items));
    s->items[s->count++] = seed;
}

static int add_range(struct seeds *s, struct str text)
{
    struct str rest = text, from, to;
    uint64_t first, last;
    str_split(&rest, '-', &from);
    to = rest.ptr ? rest : from;
    if (str_to_u64(from, UINT64_MAX, &first) < 0 || str_to_u64(to, UINT64_MAX, &last) < 0 || last < first)
        return ERR_SYNTAX;
    if (last - first >= SEEDS_MAX)
        return ERR_LIMIT;
    for (uint64_t seed = first;; seed++) {
        add(s, seed);
        if (seed == last)
            return 0;
    }
}

int seeds_add_range(struct seeds *s, const char *text)
{
    return add_range(s, str_from(text));
}

int seeds_add_file(struct seeds *s, const char *path)
{
    char line[512];
    int rc = 0;
    FILE *file = fopen(path, "re");
    if (!file)
        return ERR_NOT_FOUND;
    while (rc == 0 && fgets(line, sizeof(line), file)) {
        struct str text = str_from(line);
        size_t comment = str_find(text, '#', 0);
        text = str_sub(text, 0, comment < text.len ? comment : text.len);
        while (text.len > 0 && !ascii_isprint(text.ptr[text.len - 1]))
            text.len--;
        text = str_trim(text);
        rc = text.len > 0 ? add_range(s, text) : 0;
    }
    fclose(file);
    return rc;
}

void seeds_fini(struct seeds *s)
{
    free(s->items);
    *s = (struct seeds){0};
}
