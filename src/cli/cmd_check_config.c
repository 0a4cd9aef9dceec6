#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/users_file.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/say.h"
#include "director/program.h"
#include "dns/zones.h"
#include "loop/real.h"
#include "net/bind.h"
#include "net/tls_certificate.h"
#include "net/tls_client.h"
#include "relay/recipients.h"
#include "run/command.h"

/* What the configuration names is looked at as well: a role that cannot read its
 * file, or become its user, would not start. Findings go to stderr. */
struct check {
    const struct config *config;
    char *self;       /* this program's file */
    const char *user; /* whose rights count: the one that roles become; NULL: ours */
    size_t findings;
};

static void find_at(struct check *c, const struct config_mention *m, const char *what)
{
    say_line(stderr, "%s:%d: %s: %s = \"%s\" %s", c->config->path, m->line, m->label, m->key, m->text, what);
    c->findings++;
}

static void find_inside(struct check *c, int err, const struct err_buf *eb)
{
    if (err == 0)
        return;
    say_line(stderr, "%s", eb->text);
    c->findings++;
}

static void find_about(struct check *c, const struct config_mention *m, int err, const struct err_buf *eb)
{
    if (err == 0)
        return;
    say_line(stderr, "%s:%d: %s: %s", c->config->path, m->line, m->label, eb->text);
    c->findings++;
}

/* ---- one file ---- */

enum file_state { FILE_GOOD, FILE_MISSING, FILE_OUT_OF_REACH, FILE_OTHER_KIND, FILE_NO_RIGHT, FILE_UNKNOWN };

static enum file_state file_look(const char *path, int mode)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return errno == ENOENT || errno == ENOTDIR ? FILE_MISSING : FILE_OUT_OF_REACH;
    if (!S_ISREG(st.st_mode))
        return FILE_OTHER_KIND;
    return access(path, mode) == 0 ? FILE_GOOD : FILE_NO_RIGHT;
}

/* In a process that has become that user: so groups and folders count, too. */
static enum file_state file_look_as(const char *user, const char *path, int mode)
{
    struct err_buf eb;
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(net_drop_privileges(user, false, &eb) == 0 ? (int)file_look(path, mode) : FILE_UNKNOWN);
    if (pid < 0)
        return FILE_UNKNOWN;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? (enum file_state)WEXITSTATUS(status) : FILE_UNKNOWN;
}

/* Says what is wrong and what to do; `of_program`: it is one, to be executed. */
static void file_problem(const struct check *c, enum file_state state, bool of_program, char *out,
                         size_t size)
{
    char by[LOGIN_NAME_MAX + 48] = "";
    if (c->user)
        snprintf(by, sizeof(by), " by the user \"%s\", as whom roles run", c->user);
    switch (state) {
    case FILE_GOOD:
        break;
    case FILE_MISSING:
        snprintf(out, size, "is not there: make it, or name another");
        break;
    case FILE_OUT_OF_REACH:
        snprintf(out, size, "cannot be looked at%s: see the rights of its folders", by);
        break;
    case FILE_OTHER_KIND:
        snprintf(out, size, "is not a regular file: name one");
        break;
    case FILE_NO_RIGHT:
        snprintf(out, size,
                 of_program ? "cannot be executed%s: chmod +x it, or name another"
                            : "cannot be read%s: see its rights, or name another",
                 by);
        break;
    case FILE_UNKNOWN:
        snprintf(out, size, "cannot be looked at%s: no process can become that user", by);
        break;
    }
}

/* Whether it can be read, or executed, by those who will; else that is a finding. */
static enum file_state check_path(const struct check *c, const char *path, bool of_program)
{
    int mode = of_program ? X_OK : R_OK;
    enum file_state state = file_look(path, mode);
    return state == FILE_GOOD && c->user ? file_look_as(c->user, path, mode) : state;
}

static void find_file(struct check *c, const struct config_mention *m, enum file_state state, bool of_program)
{
    char what[LOGIN_NAME_MAX + 128];
    file_problem(c, state, of_program, what, sizeof(what));
    find_at(c, m, what);
}

/* ---- what is named ---- */

#define PASSWORD_LINE_MAX 1024 /* PostgreSQL's own limit for one that is typed */

static void check_users(struct check *c, const char *path)
{
    struct users_file users;
    struct err_buf eb = {""};
    int err = users_file_load(path, &users, &eb);
    find_inside(c, err, &eb);
    if (err == 0)
        users_file_free(&users);
}

static void on_zone_finding(void *arg, const char *text)
{
    struct check *c = arg;
    say_line(stderr, "%s", text);
    c->findings++;
}

static void check_zone(struct check *c, const struct config_zone *section)
{
    struct zone_findings findings = {.on_finding = on_zone_finding, .arg = c};
    struct err_buf eb = {""};
    int err = dns_zones_check(c->config, section, &findings, &eb);
    if (findings.count == 0) /* else they were told */
        find_inside(c, err, &eb);
}

static struct wall_time wall_now(void)
{
    struct loop *l = loop_real_new();
    struct wall_time now = loop_wall(l);
    loop_real_free(l);
    return now;
}

/* Both files are told about at the key; an unreadable certificate was at its own line. */
static void check_certificate(struct check *c, const struct config_mention *m)
{
    const struct tls_files *files = m->object;
    struct tls_certificate *certificate = NULL;
    struct err_buf eb = {""};
    if (strcmp(m->key, "key") != 0 || check_path(c, files->certificate, false) != FILE_GOOD)
        return;
    int err = tls_certificate_load(files->certificate, files->key, &certificate, &eb);
    if (err == 0 && tls_certificate_expired(certificate, wall_now()))
        err =
            err_set(&eb, ERR_INVALID, "the certificate in %s has expired: get a new one", files->certificate);
    find_about(c, m, err, &eb);
    tls_certificate_free(certificate);
}

/* Who can read it can be us towards the database. */
static void check_password_file(struct check *c, const struct config_mention *m)
{
    struct stat st;
    char line[PASSWORD_LINE_MAX] = "";
    FILE *file = fopen(m->text, "re");
    if (!file || fstat(fileno(file), &st) != 0 || !fgets(line, sizeof(line), file) || line[0] == '\n')
        find_at(c, m, "has no password as its first line: write it there");
    else if (st.st_mode & S_IRWXO)
        find_at(c, m, "can be used by everybody on this machine: chmod o= it");
    if (file)
        fclose(file);
}

static void check_file(struct check *c, const struct config_mention *m)
{
    struct err_buf eb = {""};
    enum file_state state = check_path(c, m->text, false);
    if (state != FILE_GOOD)
        find_file(c, m, state, false);
    else if (strcmp(m->section, "store") == 0)
        check_password_file(c, m);
    else if (strcmp(m->section, "users") == 0)
        check_users(c, m->text);
    else if (strcmp(m->section, "domain") == 0)
        find_inside(c, recipients_check_file(m->text, &eb), &eb);
    else if (strcmp(m->section, "certificate") == 0)
        check_certificate(c, m);
    else if (strcmp(m->key, "tls_ca") == 0)
        find_about(c, m, tls_client_check_authorities(m->text, &eb), &eb);
    else if (strcmp(m->section, "zone") == 0)
        check_zone(c, m->object);
}

static void check_program(struct check *c, const struct config_mention *m)
{
    bool fences = strcmp(m->key, "fence") == 0;
    char *path = NULL;
    if (fences && strcmp(m->text, CONFIG_FENCE_EPOCH) == 0)
        return; /* no program: the store refuses */
    if (program_find(c->self, fences ? "fence" : "provision", str_from(m->text), &path) < 0) {
        find_at(c, m, "is neither a plain name nor an absolute path");
        return;
    }
    enum file_state state = check_path(c, path, true);
    if (state == FILE_MISSING && m->text[0] != '/')
        find_at(c, m,
                "is not among the programs that come with this one: name one, or give an absolute path");
    else if (state != FILE_GOOD)
        find_file(c, m, state, true);
    free(path);
}

/* A role reads the configuration again when it is told to, and an instance that it creates does: as that
 * user. */
static void check_user(struct check *c, const struct config_mention *m)
{
    if (!getpwnam(m->text))
        find_at(c, m, "is no user of this system: make it, or name another");
    else if (c->user && file_look_as(c->user, c->config->path, R_OK) != FILE_GOOD)
        find_at(c, m, "cannot read this file, as roles must: see its rights, and those of its folders");
}

static void check_mention(void *arg, const struct config_mention *m)
{
    struct check *c = arg;
    switch (m->kind) {
    case CONFIG_MENTIONS_FILE:
        check_file(c, m);
        break;
    case CONFIG_MENTIONS_PROGRAM:
        check_program(c, m);
        break;
    case CONFIG_MENTIONS_USER:
        check_user(c, m);
        break;
    }
}

/* What is made for a zone without a file can be wrong, too. */
static void check_made_zones(struct check *c)
{
    for (size_t i = 0; i < c->config->zone_count; i++)
        if (c->config->zones[i].file[0] == '\0')
            check_zone(c, &c->config->zones[i]);
}

static int check_all(const struct config *config)
{
    bool becomes = geteuid() == 0 && config->user[0] != '\0' && getpwnam(config->user);
    struct check c = {.config = config, .self = command_program(), .user = becomes ? config->user : NULL};
    config_each_mention(config, check_mention, &c);
    check_made_zones(&c);
    free(c.self);
    return c.findings == 0 ? EXIT_DONE : EXIT_FAILED;
}

int cmd_check_config(int argc, char **argv)
{
    struct context cx;
    struct args args;
    struct err_buf eb = {""};
    context_init(&cx, "check-config");
    const struct args_option options[] = {CONTEXT_OPTIONS(&cx), {0}};
    if (args_parse(argc, argv, options, &args, &eb) < 0)
        return command_usage("check-config", eb.text);
    if (args.operand_count > 0)
        return command_usage("check-config", "name the file by -c FILE");
    int status = context_load_config(&cx);
    if (status == EXIT_DONE)
        status = check_all(cx.config);
    if (status == EXIT_DONE)
        say_line(stdout, "%s: no findings", cx.config->path);
    context_fini(&cx);
    return status;
}
