#include "run/guide.h"

#define LABEL "  %-7s "

static void options(struct buf *out, const struct config *c)
{
    buf_append_fmt(out, " -c %s --state-dir %s\n", c->path, c->state_dir);
}

static void address(struct buf *out, const struct config_listen *listen)
{
    char text[ADDR_TEXT_MAX];
    for (size_t i = 0; i < listen->count; i++) {
        addr_format(&listen->addrs[i], text);
        buf_append_fmt(out, "%s%s", i > 0 ? ", " : "", text);
    }
}

static void nodes(struct buf *out, const struct config *c, const pid_t *pids)
{
    for (size_t i = 0; i < c->node_count; i++)
        buf_append_fmt(out, LABEL "%s in %s, supervisor's pid %d\n", i == 0 ? "nodes" : "", c->nodes[i].name,
                       c->nodes[i].site->name, (int)pids[i]);
}

static void senders(struct buf *out, const struct config *c)
{
    for (size_t i = 0; i < c->relay_count; i++) {
        buf_append_fmt(out, LABEL "SMTP to ", i == 0 ? "send" : "");
        address(out, &c->relays[i].listen);
        buf_append_fmt(out, " (%s)%s", c->relays[i].name, i + 1 < c->relay_count ? "\n" : "");
    }
    for (size_t i = 0; i < c->domain_count; i++)
        buf_append_fmt(out, "%s@%s", i == 0 ? ", for " : ", ", c->domains[i].name);
    if (c->relay_count > 0 || c->domain_count > 0)
        buf_append_text(out, "\n");
}

static void readers(struct buf *out, const struct config *c)
{
    char text[ADDR_TEXT_MAX];
    const char *label = "read";
    for (size_t i = 0; i < c->server_count; i++) {
        const struct config_server *s = &c->servers[i];
        if (s->kind != SERVER_BUILTIN || s->address.count == 0)
            continue;
        addr_format_ip(&s->address.addrs[0], text);
        buf_append_fmt(out, LABEL "%s at %s: IMAP %lld, POP3 %lld; SMTP %lld\n", label, s->name, text,
                       (long long)s->imap_port, (long long)s->pop3_port, (long long)s->smtp_port);
        label = "";
    }
}

static void names(struct buf *out, const struct config *c)
{
    const char *label = "ask";
    for (size_t i = 0; i < c->dns_count; i++) {
        buf_append_fmt(out, LABEL "DNS at ", label);
        address(out, &c->dns[i].listen);
        buf_append_fmt(out, " (%s)\n", c->dns[i].name);
        label = "";
    }
}

static void looking(struct buf *out, const struct config *c, const char *program)
{
    buf_append_fmt(out, LABEL "%s status --watch", "watch", program);
    options(out, c);
    for (size_t i = 0; i < c->web_count; i++) {
        buf_append_fmt(out, LABEL "http://", "");
        address(out, &c->web[i].listen);
        buf_append_text(out, "/\n");
    }
}

static bool has_own_server(const struct config *c)
{
    for (size_t i = 0; i < c->server_count; i++)
        if (c->servers[i].kind == SERVER_BUILTIN)
            return true;
    return false;
}

/* A server of another make is not ours to kill, and we know no pid of it. */
static void ending(struct buf *out, const struct config *c)
{
    const char *label = "kill";
    if (has_own_server(c)) {
        buf_append_fmt(
            out,
            LABEL "a server: `kill -9` the pid that status shows for it; it comes back, nothing is lost\n",
            label);
        label = "";
    }
    buf_append_fmt(out, LABEL "a node, with all that runs on it: `kill -9` its supervisor\n" LABEL "Ctrl-C\n",
                   label, "end");
}

void guide_network(struct buf *out, const struct config *c, const char *program, const pid_t *pids)
{
    buf_append_fmt(out, "Holdfast runs the network of %s\n", c->path);
    nodes(out, c, pids);
    senders(out, c);
    readers(out, c);
    names(out, c);
    looking(out, c, program);
    ending(out, c);
}

void guide_node_again(struct buf *out, const struct config *c, const char *program,
                      const struct config_node *node)
{
    buf_append_fmt(out, "Node %s has ended, and all that ran on it. To start it again:\n  %s run --node %s",
                   node->name, program, node->name);
    options(out, c);
}
