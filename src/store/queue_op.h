/* Inside src/store: the queue contract's operations as engines see them. */
#ifndef HOLDFAST_STORE_QUEUE_OP_H
#define HOLDFAST_STORE_QUEUE_OP_H

#include "store/body_op.h"
#include "store/engine.h"
#include "store/queue.h"
#include "store/queue_kept.h"
#include "store/queue_past.h"
#include "store/queue_report.h"

#define QUEUE_ROWS_MAX 1000 /* a call */

/* States that have not ended. */
#define QUEUE_LIVE_STATES ((1U << QUEUE_WAITING) | (1U << QUEUE_HELD) | (1U << QUEUE_QUARANTINED))

static inline bool queue_state_is_live(enum queue_state state)
{
    return (QUEUE_LIVE_STATES >> state) & 1;
}

/* Rows of a result, with the array that they are collected in. */
struct queue_rows_out {
    struct queue_delivery *items;
    size_t count;
    bool more;
};

struct op_queue_own {
    struct store_op op;
    struct queue *queue; /* the loop thread's: is given out on success */
    struct str name, owner;
    int64_t expect_epoch;
    int64_t ret_epoch;         /* ours, or the stored one with ERR_CONFLICT */
    struct err_buf ret_detail; /* why it could not be opened */
    struct err_buf *into;      /* the store's, for the callback */
};

struct op_queue_accept {
    struct store_op op;
    struct body_tail body;
    struct queue_message_in message;
    struct queue_recipient_in *recipients;
    size_t recipient_count;
    int64_t ret_message_id;
};

struct op_queue_due {
    struct store_op op;
    struct queue_due_filter filter;
    struct queue_rows_out ret_rows;
};

struct op_queue_next_at {
    struct store_op op;
    struct queue_due_filter filter;
    struct wall_time ret_next_at;
};

struct op_queue_settle {
    struct store_op op;
    struct queue_result *results;
    size_t count;
    bool keep; /* of what was delivered the bodies */
};

struct op_queue_kept_count {
    struct store_op op;
    struct wall_time since;
    struct queue_kept ret_kept;
};

struct op_queue_kept_prune {
    struct store_op op;
    struct wall_time before;
    uint64_t bytes_max;
    size_t ret_removed;
    struct queue_kept ret_left;
};

struct op_queue_forget {
    struct store_op op;
    struct wall_time before;
    int64_t after_message_id;
    struct queue_forgotten ret_done;
};

struct op_queue_replay {
    struct store_op op;
    struct queue_replay replay;
    struct wall_time at;
    struct queue_replayed ret_done;
};

struct op_queue_notices {
    struct store_op op;
    size_t limit;
    struct queue_notice *ret_notices;
    size_t ret_count;
};

struct op_queue_notices_drop {
    struct store_op op;
    int64_t up_to_id;
};

struct op_queue_owed {
    struct store_op op;
    int64_t after_message_id;
    enum queue_owes after_kind;
    struct queue_owed *ret_owed;
    size_t ret_count;
};

struct op_queue_report {
    struct store_op op;
    struct queue_message_in message;
    struct queue_recipient_in recipient;
    struct str body;
    enum queue_owes kind;
    int64_t *ids;
    size_t count;
    struct wall_time at;
};

struct op_queue_owe_delay {
    struct store_op op;
    int64_t *ids;
    size_t count;
    struct wall_time at;
};

struct op_queue_list {
    struct store_op op;
    struct queue_filter filter; /* states is never 0 */
    struct queue_rows_out ret_rows;
};

struct op_queue_act {
    struct store_op op;
    struct queue_filter filter; /* states holds live ones only, limit 0 is none */
    struct queue_order order;   /* no ptr is NULL */
    struct wall_time at;
    uint64_t ret_changed;
    /* The engine's, when it works in slices: */
    int64_t record_id;
    bool undo_noted;
    int64_t undo_after_id, undo_record_id;
    size_t undo_limit;
    uint64_t undo_changed;
};

struct op_queue_summary {
    struct store_op op;
    struct queue_count *ret_counts;
    size_t ret_count;
};

struct op_queue_trace {
    struct store_op op;
    struct custody_id custody_id;
    struct queue_rows_out ret_rows;
    struct queue_attempt *ret_attempts;
    size_t ret_attempt_count;
    struct queue_acted *ret_acts;
    size_t ret_act_count;
};

/* For the front: copies whose texts live in the operation. */
void queue_copy_message(struct store_op *op, struct queue_message_in *to,
                        const struct queue_message_in *from);
void queue_copy_recipient(struct store_op *op, struct queue_recipient_in *to,
                          const struct queue_recipient_in *from);

/* Those that wait longest first, and only `limit` of them. */
void queue_rows_by_age(struct queue_rows_out *rows, size_t limit);
/* The state that an action leads to from a state, or -1 when it does nothing. */
int queue_action_target(enum queue_action action, enum queue_state from);
/* What it makes us owe, for a delivery in this state. */
enum queue_owes queue_result_owes(const struct queue_result *result, enum queue_state from);
/* The last time of these at which one was delivered; 0: none was. */
struct wall_time queue_last_delivery(const struct queue_result *results, size_t count);
/* The state that an outcome leads to. */
enum queue_state queue_outcome_state(enum queue_outcome outcome);

#endif
