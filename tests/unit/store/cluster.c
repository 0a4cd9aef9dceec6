#include "cluster.h"

#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "unit/unit.h"

#define PROGRAMS "/usr/lib/postgresql/15/bin/" /* where Debian's package puts them */

/* Descriptors that the watcher has from the program; others it has not. */
enum { LIFE = 3, TELL = 4 };

static struct {
    char folder[64];
    pid_t watcher;
    int life;                /* closed at the program's end, whatever ends it */
    const struct passwd *as; /* NULL: ourselves */
} cluster;

static void path_in_folder(const char *name, char *ret_path, size_t size)
{
    snprintf(ret_path, size, "%s/%s", cluster.folder, name);
}

/* ---- what becomes PostgreSQL's programs ---- */

static void become_other_user(void)
{
    if (!cluster.as)
        return;
    if (initgroups(cluster.as->pw_name, cluster.as->pw_gid) != 0 || setgid(cluster.as->pw_gid) != 0 ||
        setuid(cluster.as->pw_uid) != 0)
        _exit(126);
}

/* One of PostgreSQL's, with at most 14 arguments; it dies with us. */
static pid_t spawn(const char *const *argv, size_t size)
{
    char notify[96], *copy[16];
    pid_t parent = getpid(), pid = fork();
    if (pid != 0)
        return pid;
    become_other_user();
    prctl(PR_SET_PDEATHSIG, SIGQUIT); /* after the change of the user, which forgets it */
    if (getppid() != parent || chdir(cluster.folder) != 0)
        _exit(126);
    path_in_folder("notify", notify, sizeof(notify));
    for (int i = 1; i < NSIG; i++)
        signal(i, SIG_DFL);
    clearenv();
    setenv("NOTIFY_SOCKET", notify, 1);
    setenv("LC_ALL", "C", 1);
    memcpy(copy, argv, size); /* execv promises to leave them as they are, but does not declare it */
    execv(argv[0], copy);
    fprintf(stderr, "%s cannot be started; the Debian package postgresql-15 has it\n", argv[0]);
    _exit(127);
}

static bool make_files(void)
{
    const char *argv[] = {PROGRAMS "initdb",
                          "--pgdata=data",
                          "--no-sync",
                          "--auth=trust",
                          "--username=" CLUSTER_USER,
                          "--encoding=UTF8",
                          "--locale=C",
                          "--no-instructions",
                          NULL};
    int status;
    pid_t pid = spawn(argv, sizeof(argv));
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static pid_t start_postgres(void)
{
    char sockets[96];
    snprintf(sockets, sizeof(sockets), "unix_socket_directories=%s", cluster.folder);
    const char *argv[] = {PROGRAMS "postgres",
                          "-Ddata",
                          "-clisten_addresses=",
                          "-c",
                          sockets,
                          "-cfsync=off",
                          "-cfull_page_writes=off",
                          "-cshared_buffers=16MB",
                          "-cmax_wal_size=256MB",
                          "-cmax_connections=60",
                          NULL};
    return spawn(argv, sizeof(argv));
}

/* ---- the watcher ---- */

static int remove_one(const char *path, const struct stat *sb, int type, struct FTW *ftw)
{
    (void)sb, (void)type, (void)ftw;
    return remove(path);
}

/* PostgreSQL says it as systemd wants to hear it. */
static int open_notify_socket(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    path_in_folder("notify", at.sun_path, sizeof(at.sun_path));
    if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || chmod(at.sun_path, 0777) != 0)
        _exit(1);
    return fd;
}

/* To the program, which may have ended, or have heard what it wanted to. */
static void tell(const char *text, size_t len)
{
    ssize_t written = write(TELL, text, len);
    (void)written;
}

static void tell_log(void)
{
    char path[96], text[4096];
    path_in_folder("log", path, sizeof(path));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, text, sizeof(text));
    if (n > 0)
        tell(text, (size_t)n);
    close(fd);
    close(TELL);
}

static void on_notified(int notify)
{
    char text[256];
    ssize_t n = recv(notify, text, sizeof(text) - 1, 0);
    if (n <= 0)
        return;
    text[n] = '\0';
    if (strstr(text, "READY=1"))
        tell("+", 1);
}

/* Until the program's end, or PostgreSQL's. */
static void watch(int notify, int end)
{
    struct pollfd fds[] = {
        {.fd = LIFE, .events = POLLIN}, {.fd = notify, .events = POLLIN}, {.fd = end, .events = POLLIN}};
    while (!fds[0].revents && !fds[2].revents) {
        if (fds[1].revents)
            on_notified(notify);
        poll(fds, ARRAY_LEN(fds), -1);
    }
}

static void run_postgres(void)
{
    int notify = open_notify_socket(), end[2];
    if (pipe(end) != 0 || fcntl(end[0], F_SETFD, FD_CLOEXEC) != 0)
        _exit(1);
    pid_t pid = start_postgres();
    close(end[1]); /* PostgreSQL's processes have it; all are gone when it closes */
    watch(notify, end[0]);
    kill(pid, SIGQUIT);
    waitpid(pid, NULL, 0);
}

static void keep_only(int life, int tell_fd)
{
    char path[96];
    path_in_folder("log", path, sizeof(path));
    int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644), null = open("/dev/null", O_RDONLY);
    if (dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
        _exit(1);
    life = fcntl(life, F_DUPFD, TELL + 1);
    tell_fd = fcntl(tell_fd, F_DUPFD, TELL + 1);
    if (dup3(life, LIFE, O_CLOEXEC) < 0 || dup3(tell_fd, TELL, O_CLOEXEC) < 0)
        _exit(1);
    close_range(TELL + 1, ~0U, 0);
}

/* Does not return. */
static void watcher_run(int life, int tell_fd)
{
    setsid();
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    keep_only(life, tell_fd);
    if (make_files())
        run_postgres();
    tell_log();
    nftw(cluster.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    _exit(0);
}

/* ---- the test program ---- */

static void stop(void)
{
    close(cluster.life);
    waitpid(cluster.watcher, NULL, 0);
}

static void make_folder(void)
{
    snprintf(cluster.folder, sizeof(cluster.folder), "/tmp/holdfast-cluster-XXXXXX");
    assert_non_null(mkdtemp(cluster.folder));
    if (geteuid() != 0)
        return;
    cluster.as = getpwnam("postgres");
    if (!cluster.as)
        fail_msg("there is no user postgres; the Debian package postgresql-15 makes it");
    assert_int_equal(chown(cluster.folder, cluster.as->pw_uid, cluster.as->pw_gid), 0);
}

/* "+": it is ready; else the log of why it is not. */
static void wait_until_ready(int told)
{
    char text[4096];
    ssize_t n = read(told, text, sizeof(text) - 1);
    if (n > 0 && text[0] == '+')
        return;
    text[n > 0 ? n : 0] = '\0';
    fail_msg("PostgreSQL did not start: %s", text);
}

static void start(void)
{
    int life[2], told[2];
    make_folder();
    assert_int_equal(pipe2(life, O_CLOEXEC), 0);
    assert_int_equal(pipe2(told, O_CLOEXEC), 0);
    fflush(NULL); /* or it would be printed twice */
    cluster.watcher = fork();
    assert_true(cluster.watcher >= 0);
    if (cluster.watcher == 0)
        watcher_run(life[0], told[1]);
    cluster.life = life[1];
    atexit(stop);
    close(life[0]);
    close(told[1]);
    wait_until_ready(told[0]);
    close(told[0]);
}

const char *cluster_folder(void)
{
    if (!cluster.watcher)
        start();
    return cluster.folder;
}
