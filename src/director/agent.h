/* The agent of a node: carries out the orders that are addressed to it, one at a
 * time for each server or site: create or destroy an instance, fence. An order goes from
 * "new" to "taken" before its program is run, and to "done" or "failed" after.
 *
 * What survives a crash: the orders. Those found taken are carried out again,
 * which provisioners and fence agents allow. An order to create that its
 * failover has left behind is not carried out, nor one to fence a site of which
 * a part lives again. */
#ifndef HOLDFAST_DIRECTOR_AGENT_H
#define HOLDFAST_DIRECTOR_AGENT_H

#include "director/program.h"
#include "store/lease.h"
#include "store/view.h"

struct agent;

/* lease: the node's, guards what the agent writes. All must outlive the agent. */
struct agent *agent_new(struct loop *l, struct network *n, struct lease *lease, const char *node,
                        const struct program_options *options);
void agent_free(struct agent *a); /* programs under way go on; NULL is allowed */
/* Takes up what is new in the view. */
void agent_on_view(struct agent *a, const struct view *v);

#endif
