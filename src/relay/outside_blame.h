/* What a 421 amid a message says outside, where mail goes to strangers' servers ("places"): that the place
 * serves nobody now, or that the message evokes it each time (blame.h tells them apart where it can). Pure.
 * For relay/outside_destination.c: all that waits for a destination is put off when its last place fails, so
 * one message must not decide for the others.
 *
 * After the first message that was told so another one is tried; the place has failed when that is told so as
 * well. Of one that is alone nothing is known: it is put off by itself, and the destination stays as good as
 * it was for mail that comes. */
#ifndef HOLDFAST_RELAY_OUTSIDE_BLAME_H
#define HOLDFAST_RELAY_OUTSIDE_BLAME_H

#include <stdbool.h>
#include <stdint.h>

#include "relay/blame.h"

/* Of a destination. All zero at first. */
struct outside_blame {
    struct blame blame;
    uint32_t in_row; /* messages that were told so by this place, with no answer to another one between */
};

enum outside_blame_word {
    OUTSIDE_BLAME_PLACE,
    OUTSIDE_BLAME_OPEN,    /* the next message will show */
    OUTSIDE_BLAME_MESSAGE, /* it is put off alone */
};

/* What is known when a message is told so. */
struct outside_blame_view {
    bool served;      /* the place answered others in this session, or does so in another one */
    bool others_wait; /* that can be tried instead */
    bool places_left; /* after this one */
};

/* The place gave an answer that is about a message; taken: it took it. */
void outside_blame_answered(struct outside_blame *b, bool taken);
/* Another place is tried from now on, or none for a while. */
void outside_blame_moved(struct outside_blame *b);
/* The place said 421 to the message. */
enum outside_blame_word outside_blame_judge(struct outside_blame *b, struct blame_mark *m,
                                            const struct outside_blame_view *view);

#endif
