#include "dialogue/daemon.h"

#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "dialogue/reader_rig.h"

#define START_WAIT_MS 20000 /* a loaded machine under a sanitizer needs seconds */
#define KNOCK_MS      5     /* between two looks whether it serves */

enum { RELAY, MAILBOX, PROGRAMS };

struct daemon_service {
    const char *name, *port;
    bool programs[PROGRAMS];
    bool keeps_state;
};

static const struct daemon_service services[] = {
    {"smtp", "2525", {[MAILBOX] = true}, false},
    {"lmtp", "2424", {[MAILBOX] = true}, false},
    {"submission", "2587", {[RELAY] = true, [MAILBOX] = true}, false},
    {"imap", "2143", {[MAILBOX] = true}, true},
    {"pop3", "2110", {[MAILBOX] = true}, true},
    {"relay", "2526", {[RELAY] = true}, false},
};

struct daemon {
    const struct daemon_service *service;
    char dir[64], config[96], state[96], log[96], users[96];
    char address[32];
    pid_t pids[PROGRAMS]; /* 0: not started */
};

const struct daemon_service *daemon_service_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(services); i++)
        if (strcmp(services[i].name, name) == 0)
            return &services[i];
    return NULL;
}

bool daemon_service_keeps_state(const struct daemon_service *s)
{
    return s->keeps_state;
}

/* ---- what it starts from ---- */

/* Of the password `holdfast`. */
#define VERIFIER                                                                                             \
    "{SHA512-CRYPT}$6$holdfastdemo$T8VFS1ji82TO1LonGLn0PWXvxNeD"                                             \
    "pKAuhH0qZRZkR344Wg2tiPk2XR5I9Jv2uhGl6TQfchdawf4HXRt3AEBcE."

static const char users[] = "alice@example.test:" VERIFIER "\nbob@example.test:" VERIFIER "\n";

static const char configuration[] =
    "store { url = \"sqlite:store\" }\n"
    "users { file = \"users\" }\n"
    "site \"east\" { }\n"
    "node \"east1\" { site = \"east\"  roles = {\"relay\", \"director\", \"mailbox\"} }\n"
    "relay \"relay-east\" {\n"
    "    node = \"east1\"  hostname = \"mail.example.test\"  address = {\"%s\"}  listen = {\"%s:2526\"}\n"
    "    message_size_max = \"64KiB\"\n"
    "}\n"
    "domain \"example.test\" { server = \"mail1\"  relays = {\"relay-east\"}  recipients = \"directory\" }\n"
    "server \"mail1\" {\n"
    "    kind = \"builtin\"  site = \"east\"  hostname = \"mail1.example.test\"  address = {\"%s\"}\n"
    "    smtp_port = 2525  lmtp_port = 2424  submission_port = 2587  imap_port = 2143  pop3_port = 2110\n"
    "    message_size_max = \"64KiB\"\n"
    "}\n";

static int write_file(const char *path, const char *text, struct err_buf *eb)
{
    FILE *file = fopen(path, "we");
    if (!file)
        return err_set(eb, ERR_IO, "%s: cannot be written", path);
    fputs(text, file);
    return fclose(file) == 0 ? 0 : err_set(eb, ERR_IO, "%s: cannot be written", path);
}

static int write_files(struct daemon *d, struct err_buf *eb)
{
    strcpy(d->dir, "/tmp/holdfast-dialogue-XXXXXX");
    if (!mkdtemp(d->dir))
        return err_set(eb, ERR_IO, "%s: cannot be made", d->dir);
    snprintf(d->config, sizeof(d->config), "%s/holdfast.conf", d->dir);
    snprintf(d->users, sizeof(d->users), "%s/users", d->dir);
    snprintf(d->state, sizeof(d->state), "%s/state", d->dir);
    snprintf(d->log, sizeof(d->log), "%s/log", d->dir);
    char *text = mem_asprintf(configuration, d->address, d->address, d->address);
    int rc = write_file(d->config, text, eb);
    free(text);
    return rc == 0 ? write_file(d->users, users, eb) : rc;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

/* ---- its processes ---- */

static void exec_program(const struct daemon *d, const char *program, int which)
{
    const char *const argv[PROGRAMS][16] = {
        [RELAY] = {program, "relay", "--node", "east1", "-c", d->config, "--state-dir", d->state, NULL},
        [MAILBOX] = {program, "mailbox", "--node", "east1", "--server", "mail1", "--epoch", "7", "--address",
                     d->address, "-c", d->config, "--state-dir", d->state, NULL},
    };
    int log = open(d->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execv(program, (char *const *)(uintptr_t)argv[which]);
    _exit(127);
}

/* True when the answer to `say` comes, of that many lines, the last one beginning so. */
static bool answers(const struct daemon *d, const char *port, const char *say, int lines, const char *last)
{
    struct err_buf ignored;
    struct str line = STR_EMPTY;
    struct dialogue_peer *peer = peer_socket_new(d->address, port, &ignored);
    if (!peer)
        return false;
    peer->send(peer, say, strlen(say));
    int rc = 1;
    for (int i = 0; rc == 1 && i < lines; i++)
        rc = peer->read_line(peer, &line);
    bool well = rc == 1 && str_starts(line, str_from(last));
    peer->free(peer);
    return well;
}

static bool serves(const struct daemon *d, int which)
{
    if (which == MAILBOX)
        return answers(d, "2143", "1 LOGOUT\r\n", 1, "* OK");
    return answers(d, "2526", "HELO knock\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.test>\r\nQUIT\r\n", 4,
                   "250");
}

/* Leaves it to be waited for. */
static bool has_ended(pid_t pid)
{
    siginfo_t info = {.si_pid = 0};
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == pid;
}

static int wait_until_it_serves(const struct daemon *d, int which, struct err_buf *eb)
{
    for (int waited_ms = 0; waited_ms < START_WAIT_MS; waited_ms += KNOCK_MS) {
        if (serves(d, which))
            return 0;
        if (has_ended(d->pids[which]))
            return err_set(eb, ERR_CLOSED, "the daemon ended at its start");
        poll(NULL, 0, KNOCK_MS);
    }
    return err_set(eb, ERR_TIMEOUT, "the daemon does not serve");
}

static int start_programs(struct daemon *d, const char *program, struct err_buf *eb)
{
    for (int i = 0; i < PROGRAMS; i++) {
        if (!d->service->programs[i])
            continue;
        d->pids[i] = fork();
        if (d->pids[i] == 0)
            exec_program(d, program, i);
        int rc = d->pids[i] < 0 ? err_set(eb, ERR_LIMIT, "no process") : wait_until_it_serves(d, i, eb);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* ---- what alice has ---- */

static int append_one(struct dialogue_peer *peer, struct str message)
{
    struct str line;
    char *command = mem_asprintf("a APPEND INBOX \"01-Jan-2024 12:00:00 +0000\" {%zu+}\r\n%.*s\r\n",
                                 message.len, STR_ARG(message));
    peer->send(peer, command, strlen(command));
    free(command);
    while (peer->read_line(peer, &line) == 1)
        if (str_starts(line, STR("a ")))
            return str_starts(line, STR("a OK")) ? 0 : ERR_INVALID;
    return ERR_CLOSED;
}

static int fill(const struct daemon *d, uint64_t messages, struct err_buf *eb)
{
    static const char login[] = "l LOGIN alice@example.test holdfast\r\n";
    struct dialogue_peer *peer = messages ? peer_socket_new(d->address, "2143", eb) : NULL;
    if (!peer)
        return messages ? ERR_UNAVAILABLE : 0;
    int rc = 0;
    peer->send(peer, login, strlen(login));
    for (uint64_t i = 0; rc == 0 && i < messages; i++)
        rc = append_one(peer, reader_rig_message(i));
    peer->free(peer);
    return rc == 0 ? 0 : err_set(eb, rc, "alice's messages were not taken");
}

/* ---- start and end ---- */

int daemon_start(const char *program, const struct daemon_service *s, uint64_t messages,
                 struct daemon **ret_daemon, struct err_buf *eb)
{
    struct daemon *d = mem_zalloc(sizeof(*d));
    unsigned own = (unsigned)getpid();
    d->service = s;
    snprintf(d->address, sizeof(d->address), "127.%u.%u.%u", 64 + (own >> 16 & 63), own >> 8 & 255,
             own & 255);
    int rc = write_files(d, eb);
    if (rc == 0)
        rc = start_programs(d, program, eb);
    if (rc == 0)
        rc = fill(d, messages, eb);
    if (rc == 0) {
        *ret_daemon = d;
        return 0;
    }
    struct err_buf ignored;
    (void)!daemon_end(d, &ignored);
    return rc;
}

struct dialogue_peer *daemon_connect(const struct daemon *d, struct err_buf *eb)
{
    return peer_socket_new(d->address, d->service->port, eb);
}

static void print_log(const struct daemon *d)
{
    FILE *file = fopen(d->log, "re");
    char line[2048];
    while (file && fgets(line, sizeof(line), file))
        printf("# %s", line);
    if (file)
        fclose(file);
}

/* Its last word is the exit status: a sanitizer's finding is one, too. */
static bool end_program(pid_t pid)
{
    int status;
    kill(pid, SIGTERM);
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int daemon_end(struct daemon *d, struct err_buf *eb)
{
    bool well = true;
    if (!d)
        return 0;
    for (int i = PROGRAMS; i-- > 0;)
        if (d->pids[i] > 0)
            well = end_program(d->pids[i]) && well;
    if (!well)
        print_log(d);
    nftw(d->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(d);
    return well ? 0 : err_set(eb, ERR_CLOSED, "the daemon did not end well");
}
