#include "rig.h"

#include <libpq-fe.h>
#include <stdio.h>

#include "cluster.h"

/* One for each test; the program ends with the connection. */
static PGconn *administrator(void)
{
    static PGconn *connection;
    char uri[128];
    if (connection)
        return connection;
    snprintf(uri, sizeof(uri), "postgresql://" CLUSTER_USER "@/postgres?host=%s", cluster_folder());
    PGconn *made = PQconnectdb(uri);
    if (PQstatus(made) != CONNECTION_OK)
        fail_msg("%s: %s", uri, PQerrorMessage(made));
    return connection = made;
}

static void run(const char *sql)
{
    PGresult *result = PQexec(administrator(), sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        fail_msg("%s: %s", sql, PQresultErrorMessage(result));
    PQclear(result);
}

static void drop(int number)
{
    char sql[64];
    snprintf(sql, sizeof(sql), "DROP DATABASE t%d WITH (FORCE)", number);
    run(sql);
}

int rig_setup_postgres(void **state)
{
    static int number;
    char sql[128], uri[128];
    snprintf(sql, sizeof(sql), "CREATE DATABASE t%d TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'", ++number);
    run(sql);
    snprintf(uri, sizeof(uri), "postgresql://" CLUSTER_USER "@/t%d?host=%s", number, cluster_folder());
    *state = rig_on_database(uri, drop, number);
    return 0;
}
