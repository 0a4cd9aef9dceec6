/* The failover of one server as a pure state machine over its record: (record,
 * event) -> record. What has to be done in a state follows from the record
 * alone, so a director that finds the record continues or undoes at any step:
 * each state is written, guarded by the director's lease, before its action.
 *
 *   state      its action                               what ends it
 *   absent     none (no instance ever was)              START, ADOPT; NO_PLACE is only told
 *   deciding   choose the next entry of the plan        PICK_*, NONE_LEFT
 *   fencing    make sure that the holder is off         FENCED, FENCE_FAILED
 *   creating   the provisioner, on a node of the site   CREATED, CREATE_AGAIN, STEP_FAILED
 *   verifying  probes, the store's epoch; no traffic    VERIFIED, STEP_FAILED
 *   routing    none: the next move changes the route    ROUTED
 *   running    none: it serves                          INVOKE, an order
 *   undoing    destroy the candidate                    UNDONE
 *   waiting    back off; the alarm was given            RETRY, RECOVERED, an order
 *   fenced     none: off, by an operator                an order
 *   retired    none: out of service, by an operator     an order
 *
 * The record's instance is who holds the identity: nobody, once it was fenced.
 * An epoch is counted up in the record before it is used anywhere. */
#ifndef HOLDFAST_DIRECTOR_MACHINE_H
#define HOLDFAST_DIRECTOR_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "director/plan.h"
#include "store/records.h"

enum machine_state {
    MACHINE_ABSENT,
    MACHINE_DECIDING,
    MACHINE_FENCING,
    MACHINE_CREATING,
    MACHINE_VERIFYING,
    MACHINE_ROUTING,
    MACHINE_RUNNING,
    MACHINE_UNDOING,
    MACHINE_WAITING,
    MACHINE_FENCED,
    MACHINE_RETIRED,
};
#define MACHINE_STATE_COUNT 11

enum machine_event {
    MACHINE_START,     /* a builtin server's first instance may be created */
    MACHINE_ADOPT,     /* an external server: it runs, whoever started it; also to bring it back */
    MACHINE_INVOKE,    /* a relay asks for another, and the majority agrees */
    MACHINE_ORDER,     /* an operator's: failover, switchover, failback */
    MACHINE_ORDER_OFF, /* an operator's: fence, retire */
    MACHINE_PICK,      /* choice is the next entry; method: how its holder is fenced first */
    MACHINE_NONE_LEFT,
    MACHINE_FENCED_OFF,
    MACHINE_FENCE_FAILED, /* method: what is left to try, or FENCE_NONE */
    MACHINE_CREATED,      /* pid, pid_start */
    MACHINE_CREATE_AGAIN,
    MACHINE_VERIFIED,
    MACHINE_STEP_FAILED, /* creating or verifying, for good */
    MACHINE_ROUTED,      /* standby: who has the mail now, for a standby's entry */
    MACHINE_UNDONE,
    MACHINE_RETRY,
    MACHINE_RECOVERED,
    MACHINE_NO_PLACE, /* a first start has to wait for a node that can create it; detail: why */
};
#define MACHINE_EVENT_COUNT 18

struct machine_input {
    enum machine_event event;
    struct str wanted;                /* START, INVOKE, ORDER*: WANTED_* or "" */
    struct str reason;                /* the same: why, for the human */
    struct str detail;                /* the last error, or "" */
    const struct plan_choice *choice; /* PICK */
    enum fence_method method;         /* PICK, ORDER_OFF, FENCE_FAILED */
    enum plan_kind kind;              /* of the candidate: STEP_FAILED, ROUTED */
    struct str standby;               /* ROUTED */
    struct record_instance adopted;   /* ADOPT */
    int64_t pid, pid_start;           /* CREATED */
    int64_t now_ms;                   /* wall */
};

const char *machine_state_name(enum machine_state s); /* "running": record_server.state */
const char *machine_event_name(enum machine_event e);
int machine_state_parse(struct str name,
                        enum machine_state *ret_state) MUST_USE; /* ERR_SYNTAX; "" is absent */

/* Moves the record. Its strings are views into `in` and into what was there
 * before: encode it before those go. ERR_INVALID: there is no such move from
 * this state, the record is as before. */
int machine_move(struct record_server *r, const struct machine_input *in) MUST_USE;
/* Such a move is there (for refusing an operator's order). */
bool machine_allows(const struct record_server *r, const struct machine_input *in);
/* The record's members fit its state; what a newer program wrote may not. */
bool machine_holds(const struct record_server *r);
/* Nothing is under way: an operator's order has ended here, well or not. */
bool machine_rests(enum machine_state s);

#endif
