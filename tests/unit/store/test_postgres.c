/* The contract suite on the PostgreSQL engine. */
#include "rig.h"

static const struct rig_test postgres_tests[] = {
    {NULL, NULL},
};

int main(void)
{
    return rig_run("store, PostgreSQL engine", rig_setup_postgres, postgres_tests);
}
