#include "pg_proxy.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "unit/unit.h"

#define SOCKET_NAME ".s.PGSQL.5432"
#define PAIRS_MAX   32
#define MESSAGE_MAX (1 << 20)

/* One direction: whole messages of the protocol leave it. */
struct way {
    int from, to;
    bool untyped; /* the client's first message has no type */
    size_t len;
    char *bytes; /* MESSAGE_MAX */
};

struct pair {
    bool open, marked; /* marked: the text was in the transaction at hand */
    bool deaf;         /* COMMIT went to the server; the client hears nothing any more */
    bool mute;         /* the server hears nothing any more */
    struct way up, down;
};

struct pg_proxy {
    char folder[80], server[108];
    int listener, end;
    pthread_t thread;
    struct pair pairs[PAIRS_MAX]; /* the thread's */
    pthread_mutex_t mutex;        /* guards what follows */
    enum pg_proxy_fault fault;
    char text[64];
    bool fired;
    unsigned long asked;
};

/* ---- pairs ---- */

static void cut(struct pair *pair)
{
    close(pair->up.from);
    close(pair->down.from);
    free(pair->up.bytes);
    free(pair->down.bytes);
    *pair = (struct pair){0};
}

static int connect_to(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
        return fd;
    close(fd);
    return -1;
}

static void take(struct pg_proxy *p)
{
    int client = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC), server = connect_to(p->server);
    for (size_t i = 0; i < PAIRS_MAX && client >= 0 && server >= 0; i++) {
        if (p->pairs[i].open)
            continue;
        p->pairs[i] = (struct pair){.open = true,
                                    .up = {client, server, true, 0, mem_alloc(MESSAGE_MAX)},
                                    .down = {server, client, false, 0, mem_alloc(MESSAGE_MAX)}};
        return;
    }
    close(client);
    close(server);
}

/* ---- what is said ---- */

/* A statement's name and text, to be prepared ('P'). */
static bool asks_for(const char *message, size_t len, const char *sql, size_t sql_len)
{
    const char *text = message[0] == 'P' ? memchr(message + 5, '\0', len - 5) : NULL;
    size_t left = text ? len - (size_t)(text + 1 - message) : 0;
    return left >= sql_len && memcmp(text + 1, sql, sql_len) == 0;
}

static bool says_committed(const char *message, size_t len)
{
    return message[0] == 'C' && len == 5 + sizeof("COMMIT") && memcmp(message + 5, "COMMIT", 7) == 0;
}

/* The fault that is to happen to this pair's COMMIT. */
static enum pg_proxy_fault fault_of(struct pg_proxy *p, struct pair *pair, const char *message, size_t len)
{
    enum pg_proxy_fault fault = PG_PROXY_NONE;
    pthread_mutex_lock(&p->mutex);
    p->asked += message[0] == 'H' || message[0] == 'S'; /* Flush, Sync */
    if (asks_for(message, len, "BEGIN", strlen("BEGIN")))
        pair->marked = false;
    else if (p->fault != PG_PROXY_NONE && memmem(message, len, p->text, strlen(p->text)))
        pair->marked = true;
    if (pair->marked && asks_for(message, len, "COMMIT", sizeof("COMMIT"))) {
        fault = p->fault;
        p->fault = PG_PROXY_NONE;
    }
    pthread_mutex_unlock(&p->mutex);
    return fault;
}

static void note_fired(struct pg_proxy *p)
{
    pthread_mutex_lock(&p->mutex);
    p->fired = true;
    pthread_mutex_unlock(&p->mutex);
}

/* Whether the message is to go on; the pair may be cut. */
static bool judge(struct pg_proxy *p, struct pair *pair, const struct way *w, size_t len)
{
    if (w == &pair->down) {
        if (pair->deaf && says_committed(w->bytes, len)) {
            note_fired(p);
            cut(pair);
            return false;
        }
        return !pair->deaf;
    }
    enum pg_proxy_fault fault = w->untyped ? PG_PROXY_NONE : fault_of(p, pair, w->bytes, len);
    if (fault == PG_PROXY_LOSE_COMMIT) {
        note_fired(p);
        cut(pair);
        return false;
    }
    pair->deaf |= fault == PG_PROXY_LOSE_ANSWER;
    pair->mute |= fault == PG_PROXY_STAND_STILL;
    if (fault == PG_PROXY_STAND_STILL)
        note_fired(p);
    return !pair->mute;
}

/* ---- messages ---- */

/* The length of the first one that is there, whole; 0: it is not. */
static size_t whole(const struct way *w)
{
    uint32_t len;
    size_t type = w->untyped ? 0 : 1;
    if (w->len < type + sizeof(len))
        return 0;
    memcpy(&len, w->bytes + type, sizeof(len));
    CHECK(be32toh(len) + type <= MESSAGE_MAX);
    return be32toh(len) + type <= w->len ? be32toh(len) + type : 0;
}

static bool send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static void forward(struct pg_proxy *p, struct pair *pair, struct way *w)
{
    size_t len;
    while (pair->open && (len = whole(w)) > 0) {
        if (judge(p, pair, w, len) && !send_all(w->to, w->bytes, len))
            cut(pair);
        if (!pair->open)
            return;
        w->untyped = false;
        w->len -= len;
        memmove(w->bytes, w->bytes + len, w->len);
    }
}

static void read_from(struct pg_proxy *p, struct pair *pair, struct way *w)
{
    ssize_t n = read(w->from, w->bytes + w->len, MESSAGE_MAX - w->len);
    if (n <= 0) {
        cut(pair);
        return;
    }
    w->len += (size_t)n;
    forward(p, pair, w);
}

/* ---- the thread ---- */

static void serve(struct pg_proxy *p, const struct pollfd *fds)
{
    for (size_t i = 0; i < PAIRS_MAX; i++) {
        struct pair *pair = &p->pairs[i];
        if (pair->open && fds[2 * i].revents)
            read_from(p, pair, &pair->up);
        if (pair->open && fds[2 * i + 1].revents)
            read_from(p, pair, &pair->down);
    }
}

static void *run(void *arg)
{
    struct pg_proxy *p = arg;
    struct pollfd fds[2 + 2 * PAIRS_MAX];
    for (;;) {
        fds[0] = (struct pollfd){.fd = p->end, .events = POLLIN};
        fds[1] = (struct pollfd){.fd = p->listener, .events = POLLIN};
        for (size_t i = 0; i < PAIRS_MAX; i++) {
            const struct pair *pair = &p->pairs[i];
            fds[2 + 2 * i] = (struct pollfd){.fd = pair->open ? pair->up.from : -1, .events = POLLIN};
            fds[3 + 2 * i] = (struct pollfd){.fd = pair->open ? pair->down.from : -1, .events = POLLIN};
        }
        if (poll(fds, 2 + 2 * PAIRS_MAX, -1) < 0)
            continue;
        if (fds[0].revents)
            return NULL;
        serve(p, fds + 2);
        if (fds[1].revents)
            take(p);
    }
}

/* ---- the test's thread ---- */

static int listen_in(const char *folder)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(at.sun_path, sizeof(at.sun_path), "%s/" SOCKET_NAME, folder);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, PAIRS_MAX), 0);
    return fd;
}

struct pg_proxy *pg_proxy_new(const char *server_folder)
{
    struct pg_proxy *p = mem_zalloc(sizeof(*p));
    snprintf(p->folder, sizeof(p->folder), "%s/proxy", server_folder);
    snprintf(p->server, sizeof(p->server), "%s/" SOCKET_NAME, server_folder);
    assert_int_equal(mkdir(p->folder, 0700), 0);
    p->listener = listen_in(p->folder);
    p->end = eventfd(0, EFD_CLOEXEC);
    CHECK(pthread_mutex_init(&p->mutex, NULL) == 0);
    CHECK(pthread_create(&p->thread, NULL, run, p) == 0);
    return p;
}

void pg_proxy_free(struct pg_proxy *p)
{
    char path[128];
    if (!p)
        return;
    CHECK(eventfd_write(p->end, 1) == 0);
    CHECK(pthread_join(p->thread, NULL) == 0);
    for (size_t i = 0; i < PAIRS_MAX; i++)
        if (p->pairs[i].open)
            cut(&p->pairs[i]);
    close(p->listener);
    close(p->end);
    snprintf(path, sizeof(path), "%s/" SOCKET_NAME, p->folder);
    unlink(path);
    rmdir(p->folder);
    pthread_mutex_destroy(&p->mutex);
    free(p);
}

const char *pg_proxy_folder(const struct pg_proxy *p)
{
    return p->folder;
}

void pg_proxy_arm(struct pg_proxy *p, enum pg_proxy_fault fault, const char *text)
{
    pthread_mutex_lock(&p->mutex);
    p->fault = fault;
    p->fired = false;
    snprintf(p->text, sizeof(p->text), "%s", text);
    pthread_mutex_unlock(&p->mutex);
}

unsigned long pg_proxy_asked(struct pg_proxy *p)
{
    pthread_mutex_lock(&p->mutex);
    unsigned long asked = p->asked;
    pthread_mutex_unlock(&p->mutex);
    return asked;
}

bool pg_proxy_fired(struct pg_proxy *p)
{
    pthread_mutex_lock(&p->mutex);
    bool fired = p->fired;
    pthread_mutex_unlock(&p->mutex);
    return fired;
}
