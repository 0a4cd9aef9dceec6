/* Inside the SQL engines: the work of one part of the store, as one process sees
 * it: operations that the loop's thread gave and that threads of the engine (a
 * writer and a reader) take, execute and hand back. */
#ifndef HOLDFAST_STORE_SQL_WORK_H
#define HOLDFAST_STORE_SQL_WORK_H

#include <pthread.h>

#include "store/engine.h"
#include "store/sql/wake.h"

struct work {
    struct port *port;
    struct loop_watch *event; /* of to_loop; NULL once stopped */
    struct wake to_writer, to_reader, to_loop;

    pthread_mutex_t mutex; /* guards what follows */
    struct list writes, reads, done;
    bool stop, watching, notice;
    bool writer_sleeps, reader_sleeps, loop_signalled;
    bool writer_wanted; /* the engine's: the writer does not sleep, though nothing is to be written */
};

void work_init(struct work *w, struct port *p);
void work_fini(struct work *w); /* its threads have ended */

/* ---- the loop's thread ---- */
void work_give(struct work *w, struct store_op *op);
void work_watch(struct work *w, bool on);
/* Nothing is handed back any more; the threads are to end. */
void work_stop(struct work *w);

/* ---- the engine's threads ---- */
/* Names the calling thread, before its first work, for debuggers and tracers: "commit-queue", "read-mail".
 * work: 7 characters at most. */
void work_name_thread(enum part_kind part, const char *work);
/* Waits for operations, at most idle_ms (-1: for ever), and takes up to max; false: the thread is to end. */
bool work_take_writes(struct work *w, struct list *ops, int max, int idle_ms);
/* The same for all reads; *ret_watching: somebody wants to know of changes. */
bool work_take_reads(struct work *w, struct list *ops, int idle_ms, bool *ret_watching);
/* Answered ones go to the loop, OP_AGAIN to the writer, before all that waits, OP_MORE to the reader, behind
 * it. notice: the part was changed by somebody. */
void work_hand_back(struct work *w, struct list *ops, bool notice);

#endif
