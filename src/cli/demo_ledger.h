/* The demo's ledger: what was handed over, and what the answer promised about
 * each. Compared with what a reader sees, it tells what was lost and doubled.
 * Pure; for the demo and its tests. A number names one try to hand a message
 * over: a try whose end got no answer may have been taken or not, so the next
 * try of the same message has another number (DESIGN: a sender that sends again
 * makes a new message). One thread at a time. */
#ifndef HOLDFAST_CLI_DEMO_LEDGER_H
#define HOLDFAST_CLI_DEMO_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ledger_fate {
    LEDGER_OPEN,      /* on its way */
    LEDGER_ACCEPTED,  /* 250: to be readable exactly once */
    LEDGER_UNCERTAIN, /* its end got no answer: at most once */
    LEDGER_REFUSED,   /* for good */
    LEDGER_UNSENT,    /* nobody took it in time */
};

/* Flags of a message that the demo sets and looks at. */
enum { LEDGER_SEEN = 1 << 0, LEDGER_FLAGGED = 1 << 1, LEDGER_DELETED = 1 << 2, LEDGER_ANSWERED = 1 << 3 };

struct ledger_entry {
    enum ledger_fate fate;
    unsigned taker; /* who accepted it, the caller's number */
    unsigned flags; /* that a reader has set */
    bool expunged;  /* by a reader: to be readable no more */
};

struct ledger {
    struct ledger_entry *entries; /* by number, from 0 */
    uint32_t count, capacity;
};

/* A message as a reader sees it. */
struct ledger_seen {
    uint32_t number; /* LEDGER_FOREIGN: none of ours */
    uint32_t uid;    /* of IMAP; 0: not known */
    unsigned flags;
    bool flags_known; /* POP3 tells none */
    bool whole;       /* its text is as it was sent */
};

#define LEDGER_FOREIGN UINT32_MAX

struct ledger_verdict {
    uint32_t expected;   /* accepted and not expunged */
    uint32_t lost;       /* of these, not seen */
    uint32_t doubled;    /* seen more often than once: surplus */
    uint32_t returned;   /* seen though expunged, or refused */
    uint32_t misflagged; /* seen with other flags than were set */
    uint32_t damaged;    /* not whole */
    uint32_t foreign;
    uint32_t first_bad; /* number of the first that is wrong, LEDGER_FOREIGN: none */
};

struct ledger_totals {
    uint32_t accepted, uncertain, refused, unsent, open;
};

void ledger_init(struct ledger *l);
void ledger_fini(struct ledger *l);
/* The number of a new try. */
uint32_t ledger_begin(struct ledger *l);
void ledger_settle(struct ledger *l, uint32_t number, enum ledger_fate fate, unsigned taker);
void ledger_flag(struct ledger *l, uint32_t number, unsigned flags); /* added */
void ledger_expunge(struct ledger *l, uint32_t number);

void ledger_total(const struct ledger *l, struct ledger_totals *ret_totals);
/* Messages to be readable now, at least: accepted and not expunged. */
uint32_t ledger_expected(const struct ledger *l);
/* Of those begun at `from` or later, how many this taker accepted. */
uint32_t ledger_taken_since(const struct ledger *l, uint32_t from, unsigned taker);

void ledger_compare(const struct ledger *l, const struct ledger_seen *seen, size_t count,
                    struct ledger_verdict *ret_verdict);
bool ledger_holds(const struct ledger_verdict *v); /* nothing is wrong */

#endif
