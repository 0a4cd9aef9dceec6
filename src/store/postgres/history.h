/* Inside the PostgreSQL engine: a database that is not the one that it was: a
 * standby that was promoted, a copy that was restored (another timeline, another
 * system). What such a one lacks of what was told of must not be said again with
 * another meaning, and its clock is another one's. */
#ifndef HOLDFAST_STORE_POSTGRES_HISTORY_H
#define HOLDFAST_STORE_POSTGRES_HISTORY_H

#include "store/postgres/part.h"

/* In a writer's first transaction on a connection. After another history UIDs and MODSEQs of all mailboxes
 * are to jump (history_jump), and leases that ran have their whole time once more. A server that does not
 * tell of its history has always the same one. */
void history_note(struct pg *pg, enum part_kind kind);

/* Of the mail's part: in a transaction of its own, some mailboxes more; true: there are more still. Before a
 * writer does anything else: until all have jumped none gets a UID or MODSEQ. */
bool history_jump(struct pg *pg) MUST_USE;

/* At the beginning of each writing transaction of the network's, whose row of `device` makes them come one
 * after the other: the server's clock. When it was set back, or forth, leases go with it: none ends early by
 * that, and none holds for longer than it had to. */
int64_t history_clock(struct pg *pg);

#endif
