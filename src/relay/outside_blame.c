#include "relay/outside_blame.h"

#define IN_ROW_MAX 2 /* the message that was told so first, and one other */

void outside_blame_answered(struct outside_blame *b, bool taken)
{
    b->in_row = 0;
    if (taken)
        blame_taken(&b->blame);
}

void outside_blame_moved(struct outside_blame *b)
{
    b->in_row = 0;
}

enum outside_blame_word outside_blame_judge(struct outside_blame *b, struct blame_mark *m,
                                            const struct outside_blame_view *view)
{
    enum blame_word word = blame_judge(&b->blame, m, false);
    if (word == BLAME_MESSAGE || blame_enough(m))
        return OUTSIDE_BLAME_MESSAGE;
    if (view->served)
        return OUTSIDE_BLAME_OPEN;
    if (!view->others_wait)
        return view->places_left ? OUTSIDE_BLAME_PLACE : OUTSIDE_BLAME_MESSAGE;
    if (word == BLAME_NOBODY)
        return OUTSIDE_BLAME_OPEN;
    return ++b->in_row < IN_ROW_MAX ? OUTSIDE_BLAME_OPEN : OUTSIDE_BLAME_PLACE;
}
