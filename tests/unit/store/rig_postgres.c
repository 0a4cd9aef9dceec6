#include "rig_postgres.h"

#include <libpq-fe.h>
#include <stdio.h>

#include "cluster.h"

/* A database with the parts `network` and `mail`, which the tests' are copies of: that takes less time than
 * to make the parts in each. */
#define TEMPLATE "made"

/* Of the test at hand. */
static struct {
    PGconn *inside; /* the administrator's, in its database */
    struct pg_proxy *proxy;
} at_hand;

/* ---- the administrator ---- */

static PGconn *connect_to(const char *uri)
{
    PGconn *made = PQconnectdb(uri);
    if (PQstatus(made) != CONNECTION_OK)
        fail_msg("%s: %s", uri, PQerrorMessage(made));
    return made;
}

static void uri_of(const char *database, const char *folder, char *ret_uri, size_t size)
{
    snprintf(ret_uri, size, "postgresql://" CLUSTER_USER "@/%s?host=%s", database, folder);
}

/* One for each test; the program ends with the connection. */
static PGconn *administrator(void)
{
    static PGconn *connection;
    char uri[128];
    if (!connection) {
        uri_of("postgres", cluster_folder(), uri, sizeof(uri));
        connection = connect_to(uri);
    }
    return connection;
}

static PGresult *ask(PGconn *connection, const char *sql)
{
    PGresult *result = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQresultErrorMessage(result));
    return result;
}

static PGconn *inside(const struct rig *r)
{
    char name[16], uri[128];
    if (!at_hand.inside) {
        snprintf(name, sizeof(name), "t%d", r->database);
        uri_of(name, cluster_folder(), uri, sizeof(uri));
        at_hand.inside = connect_to(uri);
    }
    return at_hand.inside;
}

void rig_administer(struct rig *r, const char *sql)
{
    PQclear(ask(inside(r), sql));
}

long rig_administer_number(struct rig *r, const char *sql)
{
    PGresult *result = ask(inside(r), sql);
    long number = strtol(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return number;
}

/* ---- databases ---- */

static void drop(int number)
{
    char sql[64];
    pg_proxy_free(at_hand.proxy);
    PQfinish(at_hand.inside);
    at_hand.proxy = NULL;
    at_hand.inside = NULL;
    snprintf(sql, sizeof(sql), "DROP DATABASE t%d WITH (FORCE)", number);
    PQclear(ask(administrator(), sql));
}

static void make_template(void)
{
    char uri[128];
    struct mail *mail;
    struct err_buf eb;
    PQclear(ask(administrator(),
                "CREATE DATABASE " TEMPLATE " TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'"));
    uri_of(TEMPLATE, cluster_folder(), uri, sizeof(uri));
    struct rig *r = rig_on_database(uri, NULL, 0);
    assert_ok(store_mail(r->store, &mail, &eb));
    rig_free(r);
}

int rig_setup_postgres(void **state)
{
    static int number;
    char sql[128], name[16], uri[128];
    if (number == 0)
        make_template();
    snprintf(name, sizeof(name), "t%d", ++number);
    snprintf(sql, sizeof(sql), "CREATE DATABASE %s TEMPLATE " TEMPLATE, name);
    PQclear(ask(administrator(), sql));
    uri_of(name, cluster_folder(), uri, sizeof(uri));
    *state = rig_on_database(uri, drop, number);
    return 0;
}

struct store *rig_open_through_proxy(struct rig *r, struct pg_proxy **ret_proxy)
{
    char name[16], direct[sizeof(r->uri)];
    memcpy(direct, r->uri, sizeof(direct));
    snprintf(name, sizeof(name), "t%d", r->database);
    *ret_proxy = at_hand.proxy = pg_proxy_new(cluster_folder());
    uri_of(name, pg_proxy_folder(at_hand.proxy), r->uri, sizeof(r->uri));
    struct store *s = rig_open(r);
    memcpy(r->uri, direct, sizeof(direct));
    return s;
}
