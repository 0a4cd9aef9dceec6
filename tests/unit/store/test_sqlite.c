/* The contract suite on the SQLite engine, and what is its own. */
#include "rig.h"

static const struct rig_test sqlite_tests[] = {
    {NULL, NULL},
};

int main(void)
{
    return rig_run("store, SQLite engine", rig_setup_sqlite, sqlite_tests);
}
