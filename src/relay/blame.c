#include "relay/blame.h"

void blame_taken(struct blame *b)
{
    b->taken++;
}

static enum blame_word word_of(const struct blame *b, const struct blame_mark *m, bool down)
{
    bool again = m->alone > 0;
    if (again && b->taken != m->taken)
        return BLAME_MESSAGE;
    if (again && b->count == m->count)
        return down ? BLAME_SERVER : BLAME_NOBODY;
    return b->taken != b->seen ? BLAME_OPEN : BLAME_SERVER;
}

enum blame_word blame_judge(struct blame *b, struct blame_mark *m, bool down)
{
    enum blame_word word = word_of(b, m, down);
    b->seen = b->taken;
    b->count++;
    *m = (struct blame_mark){word == BLAME_NOBODY ? m->alone + 1 : 1, b->taken, b->count};
    return word;
}

bool blame_enough(const struct blame_mark *m)
{
    return m->alone >= BLAME_TIMES;
}
