/* A pure machine as the other side. */
#include "base/mem.h"
#include "dialogue/dialogue.h"

struct machine_peer {
    struct dialogue_peer base;
    const struct dialogue_machine *machine;
    void *m;
    bool shut;
    struct buf received;
    size_t line_len; /* of the line that was given out last */
};

static void take_output(struct machine_peer *p)
{
    struct str out;
    while ((out = p->machine->output(p->m)).len > 0) {
        buf_append_str(&p->received, out);
        p->machine->output_taken(p->m, out.len);
    }
}

static void peer_send(struct dialogue_peer *base, const char *data, size_t len)
{
    struct machine_peer *p = (struct machine_peer *)base;
    do {
        take_output(p);
        if (p->machine->finished(p->m))
            return; /* nobody reads it */
        if (p->machine->wants_input(p->m)) {
            p->machine->input(p->m, data, len);
            return;
        }
    } while (p->machine->tick(p->m) || p->machine->wants_input(p->m));
    check_failed("the machine takes no input and waits for nothing", __FILE__, __LINE__);
}

static int peer_read_line(struct dialogue_peer *base, struct str *ret_line)
{
    struct machine_peer *p = (struct machine_peer *)base;
    size_t end;
    buf_consume(&p->received, p->line_len);
    p->line_len = 0;
    for (;;) {
        take_output(p);
        end = str_find(buf_str(&p->received), '\n', 0);
        if (end != SIZE_MAX)
            break;
        if (!p->machine->tick(p->m))
            return p->machine->finished(p->m) || p->shut ? 0 : ERR_TIMEOUT;
    }
    p->line_len = end + 1;
    *ret_line = str_sub(buf_str(&p->received), 0, p->line_len);
    return 1;
}

static void peer_timeout(struct dialogue_peer *base)
{
    struct machine_peer *p = (struct machine_peer *)base;
    while (p->machine->tick(p->m))
        ;
    p->machine->timeout(p->m);
}

static void peer_shut(struct dialogue_peer *base)
{
    ((struct machine_peer *)base)->shut = true;
}

static void peer_free(struct dialogue_peer *base)
{
    struct machine_peer *p = (struct machine_peer *)base;
    p->machine->close(p->m);
    buf_fini(&p->received);
    free(p);
}

struct dialogue_peer *peer_machine_new(const struct dialogue_machine *machine,
                                       const struct dialogue_options *options, uint32_t seed)
{
    struct machine_peer *p = mem_zalloc(sizeof(*p));
    p->base = (struct dialogue_peer){peer_send, peer_read_line, peer_timeout, peer_shut, peer_free};
    p->machine = machine;
    p->m = machine->open(options, seed);
    buf_init(&p->received, 64 << 20);
    return &p->base;
}
