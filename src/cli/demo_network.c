#include "cli/demo_network.h"

#include <errno.h>
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop/bind.h"
#include "run/command.h"

#define STATUS_LIMIT_MS 10000
#define FOLDER_MODE     0711 /* roles that gave up being root pass through it */
#define OPEN_FOLDERS    16   /* nftw's descriptors; the state's folders are two deep */

/* ---- addresses ---- */

static int is_free(const struct addr *at, struct err_buf *eb)
{
    static const enum loop_transport transports[] = {LOOP_TCP, LOOP_UDP};
    for (size_t i = 0; i < ARRAY_LEN(transports); i++) {
        int fd, rc = loop_bind(transports[i], at, &fd, eb);
        if (rc < 0)
            return rc;
        close(fd);
    }
    return 0;
}

static int all_free(const struct config_listen *listen, struct err_buf *eb)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < listen->count; i++)
        rc = is_free(&listen->addrs[i], eb);
    return rc;
}

static int ports_free(const struct config_server *s, struct addr at, struct err_buf *eb)
{
    const int64_t ports[] = {s->smtp_port, s->lmtp_port,        s->submission_port, s->imap_port,
                             s->pop3_port, s->submissions_port, s->imaps_port,      s->pop3s_port};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(ports); i++) {
        addr_set_port(&at, (uint16_t)ports[i]);
        if (ports[i] != 0)
            rc = is_free(&at, eb);
    }
    return rc;
}

static int server_free(const struct config_server *s, struct err_buf *eb)
{
    int rc = 0;
    if (s->kind != SERVER_BUILTIN)
        return 0;
    for (size_t i = 0; rc == 0 && i < s->address.count; i++)
        rc = ports_free(s, s->address.addrs[i], eb);
    for (size_t i = 0; rc == 0 && i < s->failover.create_count; i++)
        if (!s->failover.create[i].address_same)
            rc = ports_free(s, s->failover.create[i].address, eb);
    return rc;
}

int demo_network_addresses_free(const struct config *c, struct err_buf *eb)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < c->dns_count; i++)
        rc = all_free(&c->dns[i].listen, eb);
    for (size_t i = 0; rc == 0 && i < c->web_count; i++)
        rc = all_free(&c->web[i].listen, eb);
    for (size_t i = 0; rc == 0 && i < c->relay_count; i++)
        rc = all_free(&c->relays[i].listen, eb);
    for (size_t i = 0; rc == 0 && i < c->server_count; i++)
        rc = server_free(&c->servers[i], eb);
    return rc;
}

/* ---- the state folder ---- */

int demo_network_init(struct demo_network *n, struct loop *l, const struct config *c, const char *below,
                      const bool *interrupted, struct err_buf *eb)
{
    *n = (struct demo_network){.loop = l, .config = c, .interrupted = interrupted};
    int len = snprintf(n->folder, sizeof(n->folder), "%s/holdfast-demo-XXXXXX", below);
    if (len < 0 || (size_t)len >= sizeof(n->folder))
        return err_set(eb, ERR_LIMIT, "the path is too long for the demo's folder: %s", below);
    if (!mkdtemp(n->folder) || chmod(n->folder, FOLDER_MODE) < 0)
        return err_set(eb, err_from_errno(errno), "cannot make a folder in %s: %s", below, strerror(errno));
    snprintf(n->state_dir, sizeof(n->state_dir), "%s/state", n->folder);
    snprintf(n->log_path, sizeof(n->log_path), "%s/network.log", n->folder);
    n->program = command_program();
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void demo_network_fini(struct demo_network *n, bool keep)
{
    demo_process_fini(&n->returned);
    demo_process_fini(&n->whole);
    if (n->folder[0] && !keep)
        nftw(n->folder, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    free(n->program);
}

/* ---- status ---- */

static const json_t *find_named(const json_t *all, const char *list, const char *name)
{
    size_t i;
    const json_t *object;
    json_array_foreach(json_object_get(all, list), i, object)
    {
        const char *found = json_string_value(json_object_get(object, "name"));
        if (found && strcmp(found, name) == 0)
            return object;
    }
    return NULL;
}

static void copy_text(char out[DEMO_NAME_MAX], const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    snprintf(out, DEMO_NAME_MAX, "%s", text ? text : "");
}

static int64_t number(const json_t *object, const char *member)
{
    return json_integer_value(json_object_get(object, member));
}

static int read_status(struct str text, const char *server, const char *node, const char *relay,
                       struct demo_status *ret_status)
{
    json_t *all = json_loadb(text.ptr, text.len, 0, NULL);
    const json_t *s = find_named(all, "servers", server), *n = find_named(all, "nodes", node);
    struct demo_status status = {.pid = number(s, "pid"), .epoch = number(s, "epoch")};
    copy_text(status.state, s, "state");
    copy_text(status.node, s, "node");
    status.node_works =
        json_is_true(json_object_get(n, "alive")) && json_is_true(json_object_get(n, "director"));
    status.node_pid = number(n, "pid");
    copy_text(status.queue_owner, find_named(all, "relays", relay), "queue_owner");
    bool found = s && n;
    json_decref(all);
    if (found)
        *ret_status = status;
    return found ? 0 : ERR_UNAVAILABLE;
}

int demo_network_status(struct demo_network *n, const char *server, const char *node, const char *relay,
                        struct demo_status *ret_status)
{
    static const char *const words[] = {"status", "--json", NULL};
    struct demo_process p;
    demo_process_start(&p, n, words, STATUS_LIMIT_MS);
    demo_process_wait(&p, n);
    int rc = !p.runs && p.exit_status == 0 ? read_status(buf_str(&p.output), server, node, relay, ret_status)
                                           : ERR_UNAVAILABLE;
    demo_process_fini(&p);
    return rc;
}
