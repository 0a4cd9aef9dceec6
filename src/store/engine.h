/* Inside src/store: what stands between the contracts (network.c, queue.c,
 * mail.c, body.c: the front, the same for all engines) and the engines
 * (memory/, sqlite/).
 *
 * The front makes an operation with copies of its arguments and submits it to
 * a port: one part of the store (the network, the mail, one queue) as one
 * process sees it. The engine executes it, on any thread, fills in results
 * (allocated in the operation's arena) and an error, and gives it back on the
 * loop's thread by port_complete. While the engine has it, nobody else touches
 * it but for `callback`, `arg` and `live`, which are the loop thread's.
 *
 * An execution validates before it writes, so that an operation that fails with
 * an error of the contract has written nothing. */
#ifndef HOLDFAST_STORE_ENGINE_H
#define HOLDFAST_STORE_ENGINE_H

#include <jansson.h>

#include "base/arena.h"
#include "base/list.h"
#include "loop/loop.h"
#include "store/op.h"
#include "store/store.h"

/* ---- operations ---- */

#define OP_KIND_LIST(X)                                                                                      \
    X(lease_take)                                                                                            \
    X(lease_release)                                                                                         \
    X(record_read)                                                                                           \
    X(look)                                                                                                  \
    X(record_write)                                                                                          \
    X(event_prune)                                                                                           \
    X(event_list)                                                                                            \
    X(recipient_find)                                                                                        \
    X(recipients_put)                                                                                        \
    X(body_chunk)                                                                                            \
    X(body_drop)                                                                                             \
    X(body_read)                                                                                             \
    X(queue_own)                                                                                             \
    X(queue_accept)                                                                                          \
    X(queue_due)                                                                                             \
    X(queue_oldest)                                                                                          \
    X(queue_next_at)                                                                                         \
    X(queue_settle)                                                                                          \
    X(queue_notices)                                                                                         \
    X(queue_notices_drop)                                                                                    \
    X(queue_owed)                                                                                            \
    X(queue_report)                                                                                          \
    X(queue_owe_delay)                                                                                       \
    X(queue_list)                                                                                            \
    X(queue_act)                                                                                             \
    X(queue_kept_count)                                                                                      \
    X(queue_kept_prune)                                                                                      \
    X(queue_forget)                                                                                          \
    X(queue_replay)                                                                                          \
    X(queue_summary)                                                                                         \
    X(queue_trace)                                                                                           \
    X(mail_begin)                                                                                            \
    X(mail_epoch)                                                                                            \
    X(mail_fence)                                                                                            \
    X(mailbox_list)                                                                                          \
    X(mailbox_create)                                                                                        \
    X(mailbox_delete)                                                                                        \
    X(mailbox_rename)                                                                                        \
    X(mailbox_subscribe)                                                                                     \
    X(mail_recent)                                                                                           \
    X(mail_trace)                                                                                            \
    X(mail_changes)                                                                                          \
    X(mail_deliver)                                                                                          \
    X(mail_append)                                                                                           \
    X(mail_flags)                                                                                            \
    X(mail_copy)                                                                                             \
    X(mail_expunge)

#define OP_KIND_ENUM(name) OP_##name,
enum op_kind { OP_KIND_LIST(OP_KIND_ENUM) OP_KIND_COUNT };
#undef OP_KIND_ENUM

enum op_flag {
    OP_WRITE = 1 << 0,   /* changes the store; commits in the order of the calls */
    OP_GUARDED = 1 << 1, /* only by the owner or instance whose epoch is current */
    OP_INTAKE = 1 << 2,  /* adds mail: refused first when space or durability is short */
    OP_LAZY = 1 << 3,    /* need not be durable before a later write that is not lazy */
    OP_ALWAYS = 1 << 4,  /* finish is called when forgotten, too */
    OP_TOUCHES = 1 << 5, /* begins as struct op_mail_touching */
    OP_PASSING = 1 << 6, /* of the moment: one copy of it is enough */
};

/* An execution's result beside 0 and errors: a read that found that it has to
 * write is to be executed again as a write; a write that did a part of its work
 * (a slice, so that no transaction grows long) goes on in the next transaction,
 * before all that waits. */
#define OP_AGAIN 1
/* Of a read: it looked at a slice; goes on in the next transaction, after all that waits. */
#define OP_MORE 2

struct op_type {
    enum op_kind kind;
    unsigned flags;
    size_t size;                          /* of the struct that embeds store_op */
    void (*finish)(struct store_op *op);  /* loop's thread: calls the callback */
    void (*release)(struct store_op *op); /* frees what is not in the arena; may be NULL */
};

typedef void (*op_callback)(void); /* cast back by the type's finish */

struct store_op {
    struct list node; /* in the engine's queues */
    struct list live; /* in its port's `live` */
    const struct op_type *type;
    struct port *port;
    struct arena arena; /* arguments and results */
    int err;
    bool held;            /* mail that the store has in custody already, wherever it goes now */
    op_callback callback; /* NULL: forgotten */
    void *arg;
};

/* Mail that nobody vouches for but us, once it is answered with success: not a chunk yet. */
static inline bool op_takes_custody(const struct store_op *op)
{
    return (op->type->flags & OP_INTAKE) && !(op->type->flags & OP_LAZY) && !op->held;
}

/* A zeroed operation of type->size. */
void *op_new(struct port *p, const struct op_type *type, op_callback callback, void *arg);
void op_free(struct store_op *op);
/* Gives it to the engine; returns op. */
struct store_op *op_submit(struct store_op *op);
/* It fails without the engine; the callback comes later as always. */
struct store_op *op_submit_failed(struct store_op *op, int err);

/* Allocation in the operation's arena; zeroed, never NULL. */
void *op_alloc(struct store_op *op, size_t size);
struct str op_str(struct store_op *op, struct str s); /* a copy; a NULL ptr stays NULL */
/* Room for one more item in an array of `count`: grows by doubling. */
void *op_array_grow(struct store_op *op, void *items, size_t count, size_t item_size);

/* ---- ports ---- */

struct port_ops {
    void (*submit)(struct port *p, struct store_op *op);
    int (*health)(struct port *p); /* 0 while it takes writes */
    /* Calls port_notice soon after the part was changed by anybody. */
    void (*watch)(struct port *p, bool on);
    /* Adds what `store status` shows to an object. */
    void (*status)(struct port *p, json_t *into);
    /* Which copies there are of what is written; NULL: one, as asked for. */
    void (*copies)(struct port *p, struct store_copies_told *ret_told);
    /* Frees p; what is under way may still commit. All operations were forgotten. */
    void (*close)(struct port *p);
};

/* The engine embeds it. */
struct port {
    const struct port_ops *ops;
    struct store *store;
    struct loop *loop;
    struct list live;             /* operations without an answer */
    struct list ready;            /* with an outcome; callback to come */
    struct list writers;          /* struct body_writer */
    struct list readers;          /* struct body_reader */
    struct loop_timer *soon;      /* drains ready */
    bool *gone;                   /* set when the port is closed from within its drain */
    void (*on_notice)(void *arg); /* the front's; may be NULL */
    /* Called for each write that succeeded, or perhaps did (ERR_UNKNOWN), before its callback; may be NULL.
     */
    void (*on_commit)(void *arg, struct store_op *op);
    void *front;
    uint64_t full_count; /* operations that were refused for want of room */
};

void port_init(struct port *p, const struct port_ops *ops, struct store *s, struct loop *l);
/* Forgets all operations and detaches bodies; then the engine's close. */
void port_close(struct port *p);
/* For the engine's close: frees what port_init made. */
void port_fini(struct port *p);

/* The engine's answers, on the loop's thread. Callbacks fire in port_drain; the
 * port may be gone after it (false). */
void port_complete(struct port *p, struct store_op *op, int err);
bool port_drain(struct port *p);
/* Drains later, from the loop. */
void port_drain_soon(struct port *p, int64_t delay_ms);
void port_notice(struct port *p);

/* ---- engines ---- */

enum part_kind { PART_NETWORK, PART_QUEUE, PART_MAIL };
enum port_mode { PORT_READ, PORT_WRITE };

struct engine_store; /* the engine's own */

struct engine {
    const char *name;
    int (*open)(struct store *s, struct loop *l, const struct store_options *options,
                struct engine_store **ret_engine_store, struct err_buf *eb);
    /* Waits for commits under way; all ports were closed. */
    void (*close)(struct engine_store *es);
    /* A queue opened with PORT_WRITE is made when missing and belongs to nobody
     * until an OP_queue_own; failures to open it are that operation's. */
    int (*port_open)(struct engine_store *es, enum part_kind part, struct str name, enum port_mode mode,
                     struct port **ret_port, struct err_buf *eb);
    /* Of those that keep copies in sites; else NULL. */
    void (*set_lost_sites)(struct engine_store *es, const struct str *sites, size_t count);
};

struct engine_store *engine_store_of(struct store *s);

extern const struct engine engine_memory, engine_postgres, engine_sqlite;

#endif
