/* Inside the SQL engines: what the files of the queue share. */
#ifndef HOLDFAST_STORE_SQL_QUEUE_H
#define HOLDFAST_STORE_SQL_QUEUE_H

#include "store/queue_op.h"
#include "store/sql/tx.h"

struct queue_ids {
    int64_t *ids; /* in the operation's arena */
    size_t count;
};

void queue_ids_add(struct store_op *op, struct queue_ids *l, int64_t id);
/* The first column of each row, from this one on. */
void queue_ids_add_rows(struct store_op *op, struct queue_ids *l, struct db_row *row);
/* Ascending, the first `limit` of them. */
void queue_ids_cut(struct queue_ids *l, size_t limit);

struct queue_found {
    struct queue_ids ids; /* ascending */
    int64_t up_to;        /* all that the filter selects up to this number is found; INT64_MAX: all */
};
/* The deliveries that a filter selects, at most `limit`, in one slice: looks at a bounded number of rows,
 * so that no transaction grows long, and says how far it came. */
struct queue_found queue_find(struct sql_tx *tx, struct store_op *op, const struct queue_filter *filter,
                              size_t limit);

/* Where deliveries go: the number of a domain by its route, or of an own home, whatever the domain; 0: none
 * ever went there. */
int64_t queue_place_find(struct sql_tx *tx, struct str domain, struct str home);
/* Made when it is new. */
int64_t queue_place_of(struct sql_tx *tx, struct str domain, struct str home);
/* What the transaction at hand has counted is written; what it knows is forgotten. */
void queue_places_store(struct sql_tx *tx);
void queue_places_forget(struct sql_tx *tx);
/* Keeps the counts of a place when a delivery's state there changes; a state
 * that has ended, or -1, counts nowhere. */
void queue_place_count(struct sql_tx *tx, int64_t place_id, int from, int to, int64_t number);

/* The place of a delivery that comes to wait there, and counts. */
int64_t queue_place_take(struct sql_tx *tx, struct str domain, struct str home);

struct queue_live {
    int64_t id, message_id, place_id;
    enum queue_state state;
};
bool queue_live_get(struct sql_tx *tx, int64_t id, struct queue_live *ret_live);
struct queue_end {
    enum queue_state state;
    int attempts; /* more than before */
    struct str reply;
    struct wall_time at;
    bool keep;                         /* its body, when it was delivered */
    const struct queue_result *result; /* of which something may be owed, or NULL */
};
/* Ends one that is live; of another nothing happens. The row goes to the ended ones. What was to be said of
 * its failure or delay is untrue then, and not owed any more. Asks nothing: what follows from its row is done
 * by queue_catch_up. What `end` points to lives as long as the operation. */
void queue_live_end(struct sql_tx *tx, struct store_op *op, int64_t id, const struct queue_end *end);

/* ---- queue_end.c ---- */
/* After a delivery's end, or a debt's: the body is kept from now on, or when it was the message's last and
 * none asked for that, becomes free. */
void queue_message_end(struct sql_tx *tx, struct store_op *op, int64_t message_id, bool keep,
                       struct wall_time at);
/* The net has let it go. */
void queue_message_let_go(struct sql_tx *tx, int64_t message_id);
/* What the operations so far have left to be looked at and written, is: before one that looks at more than
 * the rows that it names, and before the commit. */
void queue_catch_up(struct sql_tx *tx);

/* What was delivered up to this time is not all kept any more. */
void queue_let_go(struct sql_tx *tx, struct wall_time up_to);

/* A message and its deliveries, but for its body. body_id 0: it is no row. False: there is one with
 * this number or custody id, or it failed. */
struct queue_row {
    int64_t message_id, first_delivery, body_id;
    uint64_t size_bytes;
    uint32_t recipient_count;
    bool is_new; /* its custody id was drawn for it: that it is there already would be a failure */
};
bool queue_message_add(struct sql_tx *tx, const struct queue_row *row, const struct queue_message_in *in);
/* One of its deliveries; place_id's count is the caller's. */
void queue_delivery_add(struct sql_tx *tx, int64_t id, int64_t message_id, int64_t place_id,
                        const struct queue_recipient_in *to, struct wall_time received_at);
struct queue_delivery queue_row_show(struct sql_tx *tx, struct store_op *op, int64_t id); /* id 0: none */

/* ---- queue_report.c ---- */
struct queue_debt {
    int64_t message_id, delivery_id;
    enum queue_owes kind;
    struct wall_time at;
    struct str server, reply, host;
};
void queue_debt_add(struct sql_tx *tx, const struct queue_debt *debt);
/* Somebody else has seen to what failed. */
void queue_debt_forget(struct sql_tx *tx, const struct queue_live *live);
/* It has ended. */
void queue_debt_end(struct sql_tx *tx, const struct queue_live *live);

/* One that was just added, and counted as waiting at its place, is in quarantine from the start; first, of
 * the message's: a notice tells of it. */
void queue_delivery_stop(struct sql_tx *tx, int64_t id, int64_t place_id, const struct queue_message_in *in,
                         bool first);
/* A delivery that an outcome has put into quarantine. */
void queue_notice_add(struct sql_tx *tx, const struct queue_result *result);
/* More numbers for bodies. */
void queue_bodies_reserve(struct sql_tx *tx);
/* Reads the next numbers that the owner gives. */
void queue_count_on(struct sql_tx *tx);

#endif
