/* What a stranger is handed in one transaction, and the ledger's hearing of it
 * when it is taken: a message of a sender, or a report to one. */
#ifndef HOLDFAST_TESTS_SIMULATION_POST_H
#define HOLDFAST_TESTS_SIMULATION_POST_H

#include "base/buf.h"
#include "simulation/ledger.h"

#define POST_RECIPIENTS_MAX 100

struct post {
    const char *server; /* that takes it */
    char *reverse_path;
    char *recipients[POST_RECIPIENTS_MAX];
    size_t recipient_count;
    struct buf message;
};

void post_init(struct post *p, const char *server);
void post_fini(struct post *p);
/* Forgets what there is. */
void post_begin(struct post *p, struct str reverse_path);
void post_add_recipient(struct post *p, struct str recipient);
/* For this one of its recipients. */
void post_take(const struct post *p, struct ledger *ledger, size_t recipient);

#endif
