/* Finding the server that takes writes: all addresses of all hosts of the URL are tried at once, and the
 * first that is one wins. One after another, a site that has lost its power, whose machines refuse nothing,
 * would hold up each connection to the other site for as long as an answer is waited for. */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>

#include "base/mem.h"
#include "store/postgres/pg_inside.h"

#define PLACES_MAX  16 /* more are not tried */
#define PG_PORT     5432
#define ANSWERED_MS 1000 /* another host has answered: so long may one still be silent */
#define TEXT_MAX    400

struct place {
    char host[256], address[64], port[8]; /* "": as the URL has it, or libpq's own */
};

struct attempt {
    PGconn *conn; /* NULL: it has failed */
    PostgresPollingStatusType wants;
};

struct race {
    struct pg *pg;
    const char *password;
    struct attempt attempts[PLACES_MAX];
    size_t count;
    PGconn *won;
    bool answered, denied; /* by one at least */
    char text[TEXT_MAX];   /* why not */
};

/* ---- one attempt ---- */

static PGconn *begin(const struct race *r, const struct place *at)
{
    const char *const keys[] = {"dbname",
                                "host",
                                "hostaddr",
                                "port",
                                "password",
                                "target_session_attrs",
                                "application_name",
                                "client_encoding",
                                "tcp_user_timeout",
                                "keepalives_idle",
                                NULL};
    const char *const values[] = {r->pg->options.uri,
                                  at->host,
                                  at->address,
                                  at->port,
                                  r->password[0] ? r->password : NULL,
                                  r->pg->options.any_server ? "any" : "read-write",
                                  APPLICATION_NAME,
                                  "UTF8",
                                  "10000",
                                  "5",
                                  NULL};
    PGconn *conn = PQconnectStartParams(keys, values, 1);
    CHECK(conn); /* NULL is for want of memory */
    return conn;
}

static void give_up(struct race *r, struct attempt *a, const char *why)
{
    size_t used = strlen(r->text);
    snprintf(r->text + used, sizeof(r->text) - used, "%s%s%s", used > 0 ? "; " : "",
             why ? PQhost(a->conn) : "", why ? why : PQerrorMessage(a->conn));
    r->text[strcspn(r->text, "\n")] = '\0';
    PQfinish(a->conn);
    a->conn = NULL;
}

/* A password that is wrong does not become right by trying. */
static bool is_denied(PGconn *conn)
{
    const char *text = PQerrorMessage(conn);
    bool denied = PQconnectionNeedsPassword(conn) || PQconnectionUsedPassword(conn) ||
                  strstr(text, "role \"") || strstr(text, "pg_hba.conf");
    return denied && strstr(text, "FATAL");
}

static void note(struct race *r, struct attempt *a)
{
    if (a->wants == PGRES_POLLING_OK && !r->won) {
        r->won = a->conn;
        a->conn = NULL;
    } else if (a->wants == PGRES_POLLING_FAILED) {
        r->answered = true;
        r->denied = r->denied || is_denied(a->conn);
        give_up(r, a, NULL);
    }
}

static void try_at(struct race *r, const struct place *at)
{
    if (r->count == PLACES_MAX)
        return;
    struct attempt *a = &r->attempts[r->count++];
    a->conn = begin(r, at);
    a->wants = PQstatus(a->conn) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
    note(r, a);
}

/* ---- where ---- */

/* An item of a list with commas. False: it has no such one. */
static bool item_of(const char *list, size_t index, char *ret, size_t size)
{
    const char *from = list;
    for (; index > 0 && from; index--) {
        from = strchr(from, ',');
        from = from ? from + 1 : NULL;
    }
    if (from)
        snprintf(ret, size, "%.*s", (int)strcspn(from, ","), from);
    return from;
}

/* Each address of a host's name for itself, as libpq would try them. Of a name without any libpq says why. */
static void try_host(struct race *r, struct place *at)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    bool named = at->address[0] == '\0' && at->host[0] != '\0' && at->host[0] != '/' && at->host[0] != '@';
    if (!named || getaddrinfo(at->host, NULL, &hints, &found) != 0) {
        try_at(r, at);
        return;
    }
    for (const struct addrinfo *it = found; it; it = it->ai_next)
        if (getnameinfo(it->ai_addr, it->ai_addrlen, at->address, sizeof(at->address), NULL, 0,
                        NI_NUMERICHOST) == 0)
            try_at(r, at);
    freeaddrinfo(found);
}

static const char *value_of(const PQconninfoOption *options, const char *keyword)
{
    for (const PQconninfoOption *it = options; it->keyword; it++)
        if (strcmp(it->keyword, keyword) == 0)
            return it->val ? it->val : "";
    return "";
}

static void try_all(struct race *r, const PQconninfoOption *options)
{
    const char *hosts = value_of(options, "host"), *addresses = value_of(options, "hostaddr");
    const char *ports = value_of(options, "port"), *list = hosts[0] ? hosts : addresses;
    struct place at;
    for (size_t i = 0; item_of(list, i, at.host, sizeof(at.host)); i++) {
        if (!item_of(hosts, i, at.host, sizeof(at.host)))
            at.host[0] = '\0';
        if (!item_of(addresses, i, at.address, sizeof(at.address)))
            at.address[0] = '\0';
        if (!item_of(ports, i, at.port, sizeof(at.port)))
            item_of(ports, 0, at.port, sizeof(at.port)); /* one for all */
        if (at.port[0] == '\0')
            snprintf(at.port, sizeof(at.port), "%d", PG_PORT);
        try_host(r, &at);
    }
}

/* ---- the race ---- */

static size_t watched(const struct race *r, struct pollfd fds[PLACES_MAX])
{
    size_t open = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct attempt *a = &r->attempts[i];
        fds[i] = (struct pollfd){.fd = a->conn ? PQsocket(a->conn) : -1,
                                 .events = a->wants == PGRES_POLLING_READING ? POLLIN : POLLOUT};
        open += a->conn != NULL;
    }
    return open;
}

static bool await_word(const struct race *r, struct pollfd fds[PLACES_MAX])
{
    int found;
    do
        found = poll(fds, r->count, r->answered ? ANSWERED_MS : PG_CONNECT_MS);
    while (found < 0 && errno == EINTR);
    return found > 0;
}

/* Until one has won, none is left, or nobody says anything more. */
static void run(struct race *r)
{
    struct pollfd fds[PLACES_MAX];
    while (!r->won && watched(r, fds) > 0 && await_word(r, fds))
        for (size_t i = 0; i < r->count; i++)
            if (fds[i].revents != 0) {
                r->attempts[i].wants = PQconnectPoll(r->attempts[i].conn);
                note(r, &r->attempts[i]);
            }
    for (size_t i = 0; i < r->count; i++)
        if (r->attempts[i].conn)
            give_up(r, &r->attempts[i], " does not answer");
}

int pg_find_server(struct pg *pg, const char *password)
{
    struct race r = {.pg = pg, .password = password};
    char *why = NULL;
    PQconninfoOption *options = PQconninfoParse(pg->options.uri, &why);
    if (options)
        try_all(&r, options);
    else
        snprintf(r.text, sizeof(r.text), "%s", why ? why : "no memory");
    PQconninfoFree(options);
    PQfreemem(why);
    run(&r);
    pg->conn = r.won;
    return r.won
               ? 0
               : err_set(&pg->detail, r.denied ? ERR_DENIED : ERR_UNAVAILABLE, "the store's database %s: %s",
                         r.denied ? "does not let us in" : "cannot be reached", r.text);
}
