/* What tests of the PostgreSQL engine have beside the rig (rig.h). For tests only. */
#ifndef HOLDFAST_TESTS_STORE_RIG_POSTGRES_H
#define HOLDFAST_TESTS_STORE_RIG_POSTGRES_H

#include "pg_proxy.h"
#include "rig.h"

/* Another process on the same database, whose connections go through a proxy, which goes with the rig. Once
 * a test. */
struct store *rig_open_through_proxy(struct rig *r, struct pg_proxy **ret_proxy);

/* SQL in the rig's database by a session of the administrator's, which goes with the rig. */
void rig_administer(struct rig *r, const char *sql);
/* The same, of a question for one number. */
long rig_administer_number(struct rig *r, const char *sql);

#endif
