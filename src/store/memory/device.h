/* Inside the memory engine: the device's state and an execution's view of it. */
#ifndef HOLDFAST_STORE_MEMORY_DEVICE_H
#define HOLDFAST_STORE_MEMORY_DEVICE_H

#include "base/list.h"
#include "base/map.h"
#include "store/engine.h"
#include "store/memory.h"
#include "store/queue.h"

/* Things with numbers from 1 on: number n is at n - 1. NULL: removed. */
struct table {
    void **items;
    size_t count;
};

int64_t table_add(struct table *t, void *item);     /* its number */
void *table_get(const struct table *t, int64_t id); /* or NULL */
void table_fini(struct table *t, void (*item_free)(void *item));

struct str str_keep(struct str s); /* a heap copy, for str_drop */
void str_drop(struct str *s);
void str_replace(struct str *s, struct str by);

/* ---- bodies ---- */

struct memory_chunk {
    char *data;
    size_t len;
    uint32_t crc;
};

struct memory_body {
    int64_t id;
    int64_t refs; /* 0: being written, by port */
    const void *writer;
    uint64_t size_bytes;
    struct memory_chunk *chunks;
    size_t chunk_count;
};

void memory_body_free(void *body);
/* Removes bodies without references whose writer is not `writer`. */
void memory_bodies_clean(struct table *bodies, const void *writer);

/* ---- network ---- */

struct memory_lease {
    struct str name, holder;
    int64_t token;
    struct mono_time expires;
};

struct memory_record {
    struct str kind, key, value;
    int64_t version;
    struct mono_time written;
};

struct memory_recipient {
    struct str domain;
    bool known;
    struct wall_time at;
};

struct memory_network {
    struct map leases;     /* by name */
    struct map records;    /* by kind NUL key */
    struct table events;   /* struct network_event; NULL: pruned */
    struct map recipients; /* by domain NUL address */
};

void memory_network_fini(struct memory_network *n);

/* ---- queues ---- */

struct memory_message {
    int64_t id, body_id;
    struct queue_message_in in;
    uint64_t size_bytes;
    int64_t first_delivery;
    size_t delivery_count, live_count;
    bool kept; /* something of it was delivered, at ended_at the last, and its body is not to be free */
    struct wall_time ended_at;
};

struct memory_delivery {
    struct list live;          /* in the queue's, while it has not ended */
    struct queue_delivery row; /* reverse_path is the message's */
};

struct memory_act {
    struct str key;
    struct queue_acted act; /* delivery_id is not used */
    uint64_t changed;
    int64_t *ids; /* of the deliveries */
    /* of a replay: */
    size_t up_to; /* messages, by number, that it has passed */
    uint64_t messages;
    bool done;
};

/* A report that is owed. */
struct memory_debt {
    struct list node; /* in the queue's */
    int64_t message_id, delivery_id;
    enum queue_owes kind;
    struct str server, reply, host;
    struct wall_time at;
};

struct memory_queue {
    struct str name, owner;
    int64_t epoch;
    struct table bodies;
    struct table messages, deliveries, attempts; /* NULL: forgotten */
    struct map by_custody;                       /* memory_message */
    struct list live;                            /* by number */
    struct table acts;                           /* struct memory_act: what operators did */
    struct wall_time let_go;                     /* as in queue_kept */
    struct table notices;                        /* struct queue_notice; NULL: dropped */
    int64_t notices_from;                        /* the first that was not dropped */
    struct list debts;                           /* by message, kind and delivery */
};

void memory_attempt_free(void *attempt);
void memory_delivery_free(void *delivery);
/* Its custody id is not known any more; it is in no table. */
void memory_message_free(struct memory_queue *q, struct memory_message *m);

/* A message and its deliveries; its body is there, and has this size. */
void memory_queue_add(struct memory_queue *q, const struct queue_message_in *in, int64_t body_id,
                      uint64_t size_bytes, const struct queue_recipient_in *recipients,
                      size_t recipient_count, int64_t *ret_message_id);
bool memory_queue_knows(const struct memory_queue *q, const struct custody_id *id);
void memory_delivery_set(struct memory_queue *q, struct memory_delivery *d, enum queue_state state, bool keep,
                         struct wall_time at);
void memory_show_row(struct store_op *op, struct queue_delivery *ret_row, const struct memory_delivery *d);

/* ---- queue_view.c: what operators did ---- */
struct memory_act *memory_act_find(const struct memory_queue *q, struct str key); /* or NULL */
struct memory_act *memory_act_add(struct memory_queue *q, const struct queue_order *order,
                                  struct wall_time at);
void memory_act_note(struct memory_act *act, int64_t delivery_id);

/* ---- queue_report.c ---- */
void memory_debt_add(struct memory_queue *q, const struct memory_delivery *d, enum queue_owes kind,
                     const struct queue_result *result);
/* Somebody else has seen to what failed. */
void memory_debt_forget(struct memory_queue *q, int64_t delivery_id);
/* It has ended: nothing is owed of its failure or delay. */
void memory_debt_end(struct memory_queue *q, int64_t delivery_id);
bool memory_owes_for(const struct memory_queue *q, int64_t message_id);
void memory_debts_free(struct memory_queue *q);

/* A delivery of it, or a debt, has ended: keeps its body, or makes it free when it was the last. */
void memory_message_end(struct memory_queue *q, struct memory_message *m, bool keep, struct wall_time at);
/* What was delivered up to this time is not all kept any more. */
void memory_let_go(struct memory_queue *q, struct wall_time up_to);
struct memory_queue *memory_queue_new(struct str name);
void memory_queue_free(void *queue);

/* ---- mail ---- */

struct memory_mail_message {
    uint32_t uid, flags;
    struct str keywords;
    uint64_t modseq, size_bytes;
    struct wall_time internal_date;
    int64_t body_id;
};

struct memory_expunged {
    uint32_t uid;
    uint64_t modseq;
};

struct memory_mailbox {
    int64_t id;
    struct memory_user *user;
    struct str name;
    uint32_t uid_validity, uid_next, recent_from;
    uint64_t modseq;
    bool subscribed, selectable;
    struct memory_mail_message *messages; /* by uid */
    size_t message_count;
    struct memory_expunged *expunged; /* by modseq */
    size_t expunged_count;
};

struct memory_user {
    struct str address;
    uint32_t uid_validity_last;
    struct map delivered; /* custody ids that came */
};

struct memory_instance {
    int64_t epoch;
};

struct memory_mail {
    struct map users, instances;
    struct table mailboxes, bodies;
};

void memory_mail_fini(struct memory_mail *mail);
void memory_mailbox_free(void *mailbox);

/* ---- the device ---- */

struct store_memory {
    struct mono_time (*clock)(void *arg);
    void *clock_arg;
    struct store_memory_faults faults;
    uint64_t (*draw)(void *arg, uint64_t n);
    void *draw_arg;
    struct list stores; /* engine_store */
    struct memory_network network;
    struct memory_mail mail;
    struct map queues;
};

/* An execution: the device, and the part and identity of the process. */
struct memory_tx {
    struct store_memory *device;
    struct memory_queue *queue; /* of a queue's port */
    struct table *bodies;       /* of a queue or the mail */
    const void *writer;         /* who writes bodies */
    int64_t *epoch;             /* the port's */
    struct str *server;         /* the mail port's, ptr NULL before it began */
    int64_t new_queue_epoch;
};

#define MEMORY_EXEC_DECLARE(name) int memory_##name(struct memory_tx *tx, struct store_op *op);
OP_KIND_LIST(MEMORY_EXEC_DECLARE)
#undef MEMORY_EXEC_DECLARE

struct body_tail;
/* Puts the rest of a body in with refs references; its number, 0 on failure of the body (*ret_err). */
int memory_body_finish(struct memory_tx *tx, struct body_tail *tail, int64_t refs, int64_t *ret_id) MUST_USE;
/* A whole one, with one reference; its number. */
int64_t memory_body_make(struct table *bodies, struct str text);
void memory_body_ref(struct table *bodies, int64_t id);
void memory_body_unref(struct table *bodies, int64_t id);

#endif
