#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/users_file.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "director/program.h"
#include "dns/zones.h"
#include "loop/real.h"
#include "net/tls_certificate.h"
#include "net/tls_client.h"
#include "relay/recipients.h"
#include "run/command.h"

/* What the configuration names is looked at as well: a role that cannot read its
 * file, or become its user, would not start. Findings go to stderr. */
struct check {
    const struct config *config;
    char *self; /* this program's file */
    size_t findings;
};

static void find_at(struct check *c, const struct config_mention *m, const char *what)
{
    fprintf(stderr, "%s:%d: %s: %s = \"%s\" %s\n", c->config->path, m->line, m->label, m->key, m->text, what);
    c->findings++;
}

static void find_inside(struct check *c, int err, const struct err_buf *eb)
{
    if (err == 0)
        return;
    fprintf(stderr, "%s\n", eb->text);
    c->findings++;
}

static void find_about(struct check *c, const struct config_mention *m, int err, const struct err_buf *eb)
{
    if (err == 0)
        return;
    fprintf(stderr, "%s:%d: %s: %s\n", c->config->path, m->line, m->label, eb->text);
    c->findings++;
}

/* NULL, or why not and what to do. */
static const char *file_problem(const char *path, int mode)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return errno == ENOENT || errno == ENOTDIR ? "is not there: make it, or name another"
                                                   : "cannot be looked at: see the rights of its folders";
    if (!S_ISREG(st.st_mode))
        return "is not a regular file: name one";
    if (access(path, mode) != 0)
        return mode == X_OK ? "cannot be executed: chmod +x it, or name another"
                            : "cannot be read: see its rights, or name another";
    return NULL;
}

static void check_users(struct check *c, const char *path)
{
    struct users_file users;
    struct err_buf eb = {""};
    int err = users_file_load(path, &users, &eb);
    find_inside(c, err, &eb);
    if (err == 0)
        users_file_free(&users);
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
    if (strcmp(m->key, "key") != 0 || file_problem(files->certificate, R_OK))
        return;
    int err = tls_certificate_load(files->certificate, files->key, &certificate, &eb);
    if (err == 0 && tls_certificate_expired(certificate, wall_now()))
        err =
            err_set(&eb, ERR_INVALID, "the certificate in %s has expired: get a new one", files->certificate);
    find_about(c, m, err, &eb);
    tls_certificate_free(certificate);
}

static void check_file(struct check *c, const struct config_mention *m)
{
    struct err_buf eb = {""};
    const char *problem = file_problem(m->text, R_OK);
    if (problem)
        find_at(c, m, problem);
    else if (strcmp(m->section, "users") == 0)
        check_users(c, m->text);
    else if (strcmp(m->section, "domain") == 0)
        find_inside(c, recipients_check_file(m->text, &eb), &eb);
    else if (strcmp(m->section, "certificate") == 0)
        check_certificate(c, m);
    else if (strcmp(m->key, "tls_ca") == 0)
        find_about(c, m, tls_client_check_authorities(m->text, &eb), &eb);
    else if (strcmp(m->section, "zone") == 0)
        find_inside(c, dns_zones_check(c->config, m->object, &eb), &eb);
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
    const char *problem = file_problem(path, X_OK);
    if (problem && m->text[0] != '/')
        find_at(c, m,
                "is not among the programs that come with this one: name one, or give an absolute path");
    else if (problem)
        find_at(c, m, problem);
    free(path);
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
        if (!getpwnam(m->text))
            find_at(c, m, "is no user of this system: make it, or name another");
        break;
    }
}

/* What is made for a zone without a file can be wrong, too. */
static void check_made_zones(struct check *c)
{
    struct err_buf eb = {""};
    for (size_t i = 0; i < c->config->zone_count; i++)
        if (c->config->zones[i].file[0] == '\0')
            find_inside(c, dns_zones_check(c->config, &c->config->zones[i], &eb), &eb);
}

static int check_all(const struct config *config)
{
    struct check c = {.config = config, .self = command_program()};
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
        printf("%s: no findings\n", cx.config->path);
    context_fini(&cx);
    return status;
}
