/* Each is defined by its machine_*.c. */
#ifndef HOLDFAST_TESTS_DIALOGUE_MACHINES_H
#define HOLDFAST_TESTS_DIALOGUE_MACHINES_H

#include "dialogue/dialogue.h"

extern const struct dialogue_machine dialogue_smtp, dialogue_lmtp, dialogue_submission, dialogue_imap,
    dialogue_pop3;

#endif
