/* The power-loss rig's worker: a process that works on a store until its disk
 * loses power, or one that looks what is left. Each thing that the store has
 * acknowledged is a line of the ledger; see power_check.c for what it means.
 * For tests only. */
#ifndef HOLDFAST_TESTS_CRASH_POWER_H
#define HOLDFAST_TESTS_CRASH_POWER_H

#include "rig.h"

#define QUEUE_NAME  "relay"
#define SERVER_NAME "mail1"
#define READER      "alice@example.test"

/* A message's size, content and recipients follow from its number. */
size_t message_size(uint64_t id);
char *message_content(uint64_t id); /* for free() */
unsigned message_recipients(uint64_t id);

/* Whether what the ledger says is so; false: told on stderr. */
bool power_check(struct rig *r, const char *ledger);

#endif
