/* The machines that scripts can be played against. */
#include "dialogue/machines.h"

#include <string.h>

static const struct dialogue_machine *const machines[] = {
    &dialogue_smtp, &dialogue_lmtp, &dialogue_submission, &dialogue_imap, &dialogue_pop3,
};

const struct dialogue_machine *dialogue_machine_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(machines); i++)
        if (strcmp(machines[i]->name, name) == 0)
            return machines[i];
    return NULL;
}
