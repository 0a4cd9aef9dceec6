/* Servers that are not ours: mail1 where it is external, on a host of its own,
 * and the two mail exchangers of elsewhere.test, on another. What they have
 * taken outlives them. Each can die, hang, be slow, refuse, and cut connections.
 * One world has one set of them; names.h is the DNS that tells of them. */
#ifndef HOLDFAST_TESTS_SIMULATION_STRANGERS_H
#define HOLDFAST_TESTS_SIMULATION_STRANGERS_H

#include "simulation/world.h"

#define STRANGER_HOME      "home"      /* the host of mail1 */
#define STRANGER_ELSEWHERE "elsewhere" /* the host of the exchangers */
#define STRANGER_DOMAIN    "elsewhere.test"

enum stranger_fault {
    STRANGER_IS_BUSY,         /* 421 for a greeting */
    STRANGER_DEFERS_RCPT,     /* 450 */
    STRANGER_REFUSES_RCPT,    /* 550 */
    STRANGER_DEFERS_MESSAGE,  /* 451 after its end; LMTP: for one recipient */
    STRANGER_REFUSES_MESSAGE, /* 554 */
    STRANGER_CUTS_AMID,       /* the connection, when the message begins to come */
    STRANGER_CUTS_AFTER,      /* when it has taken it, and before it says so */
    STRANGER_FAULTS
};

struct stranger;

/* Those of the world's layout, all running; NULL: it has none. */
struct strangers *strangers_new(struct world *w);
void strangers_free(struct strangers *s); /* NULL is allowed */

/* Some one of them; mail1 rather than others where it is one. */
struct stranger *strangers_choose(struct strangers *s, uint32_t random);
/* What is told to happen, happens no more. */
void strangers_calm(struct strangers *s);

const char *stranger_name(const struct stranger *s);
void stranger_start(struct stranger *s); /* nothing when it runs, as for the next */
void stranger_kill(struct stranger *s);
bool stranger_runs(const struct stranger *s);
struct process *stranger_process(struct stranger *s);
/* So many times, and where it is counted when it happens. */
void stranger_fault(struct stranger *s, enum stranger_fault fault, int64_t times, size_t *happened);
/* It thinks so long about all that it is asked; 0: not at all. */
void stranger_slow(struct stranger *s, int64_t ms);

/* Whether mail1 tells senders itself of successes (DSN), so that no relay does. */
bool strangers_server_tells(const struct strangers *s);

#endif
