/* For tests of the ledger: a history with one attempt, a message to alice and bob. */
#ifndef HOLDFAST_TESTS_SIMULATION_LEDGER_RIG_H
#define HOLDFAST_TESTS_SIMULATION_LEDGER_RIG_H

#include "simulation/ledger.h"
#include "unit/unit.h"

#define ALICE STR("alice@example.test")
#define BOB   STR("bob@example.test")
#define TRACE "Return-Path: <1@ledger.test>\r\nReceived: from a\r\n\tby b; now\r\nReceived: from c\r\n"
#define FLAG  4u
#define OTHER 8u

struct history {
    struct ledger *ledger;
    int64_t tag;
    char message[128];
};

int history_begin(void **state);
int history_end(void **state);

/* Told to the sender, of both. */
void history_accept(struct history *h);
/* With these lines before the message. */
void history_show_with(struct history *h, struct str recipient, const char *head, const char *message,
                       uint32_t flags);
void history_show(struct history *h, struct str recipient);
/* That there is exactly one violation, of this kind; "": none. */
void history_assert_judged(struct history *h, const char *kind);

#endif
