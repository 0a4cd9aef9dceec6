#include "relay/envelope.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define RCPT_BYTES 128 /* of one, beside its texts: its place, its key's entry, the heap's own */

void envelope_init(struct envelope *e, struct envelope_room *room)
{
    *e = (struct envelope){.room = room};
    map_init(&e->keys);
}

/* Only Postmaster may come without his domain. */
struct envelope_rcpt envelope_rcpt_of(const struct smtp_rcpt *rcpt, const struct config_domain *domain)
{
    char *address = rcpt->domain.len > 0 ? str_dup(rcpt->forward_path)
                                         : mem_asprintf("%.*s@%s", STR_ARG(rcpt->forward_path), domain->name);
    return (struct envelope_rcpt){address, domain, rcpt->dsn.notify, str_dup(rcpt->dsn.orcpt)};
}

void envelope_rcpt_fini(struct envelope_rcpt *rcpt)
{
    free(rcpt->address);
    free(rcpt->orcpt);
    *rcpt = (struct envelope_rcpt){NULL, NULL, 0, NULL};
}

void envelope_fini(struct envelope *e)
{
    for (size_t i = 0; i < e->count; i++)
        envelope_rcpt_fini(&e->rcpts[i]);
    free(e->rcpts);
    free(e->reverse_path);
    free(e->envid);
    map_fini(&e->keys);
    e->room->used_bytes -= e->bytes;
}

void envelope_clear(struct envelope *e)
{
    envelope_fini(e);
    envelope_init(e, e->room);
}

void envelope_begin(struct envelope *e, const struct smtp_mail *mail)
{
    envelope_clear(e);
    e->reverse_path = str_dup(mail->reverse_path);
    e->smtputf8 = mail->smtputf8;
    e->authenticated = mail->authenticated;
    e->ret = mail->dsn.ret;
    e->envid = str_dup(mail->dsn.envid);
    e->said_bytes = mail->size_bytes;
}

/* What is equal for two that are the same; for free(). A local part may hold '@', a domain may not. */
static char *key_of(const struct envelope_rcpt *rcpt)
{
    char *key = mem_strdup(rcpt->address);
    char *at = strrchr(key, '@');
    char *from = at && rcpt->domain->recipients != RECIPIENTS_DIRECTORY ? at : key;
    ascii_lower_inplace(from, strlen(from));
    return key;
}

/* The address is there twice: its key is a text of its own. */
static size_t bytes_of(const struct envelope_rcpt *rcpt)
{
    return RCPT_BYTES + 2 * strlen(rcpt->address) + (rcpt->orcpt ? strlen(rcpt->orcpt) : 0);
}

static void take(struct envelope *e, struct envelope_rcpt rcpt)
{
    size_t bytes = bytes_of(&rcpt);
    e->bytes += bytes;
    e->room->used_bytes += bytes;
    e->rcpts = mem_grow(e->rcpts, e->count, sizeof(*e->rcpts));
    e->rcpts[e->count++] = rcpt;
}

int envelope_add(struct envelope *e, struct envelope_rcpt rcpt)
{
    char *key = key_of(&rcpt);
    bool is_new = !map_find(&e->keys, str_from(key));
    bool room = e->count < ENVELOPE_GRANTED || e->room->used_bytes + bytes_of(&rcpt) <= ENVELOPES_MAX_BYTES;
    if (is_new && room) {
        map_set(&e->keys, str_from(key), e);
        take(e, rcpt);
    } else {
        envelope_rcpt_fini(&rcpt);
    }
    free(key);
    return is_new && !room ? ERR_LIMIT : 0;
}

void envelope_each_domain(const struct envelope *e, void (*fn)(void *arg, const struct config_domain *domain),
                          void *arg)
{
    for (size_t i = 0; i < e->count; i++) {
        bool told = false;
        for (size_t k = 0; k < i && !told; k++)
            told = e->rcpts[k].domain == e->rcpts[i].domain;
        if (!told)
            fn(arg, e->rcpts[i].domain);
    }
}

struct queue_message_in envelope_message(const struct envelope *e)
{
    return (struct queue_message_in){
        .reverse_path = str_from(e->reverse_path),
        .smtputf8 = e->smtputf8,
        .authenticated = e->authenticated,
        .dsn = {e->ret, str_from(e->envid)},
    };
}

struct queue_recipient_in *envelope_recipients(const struct envelope *e)
{
    struct queue_recipient_in *out = mem_calloc(e->count, sizeof(*out));
    for (size_t i = 0; i < e->count; i++)
        out[i] = (struct queue_recipient_in){
            .address = str_from(e->rcpts[i].address),
            .domain = str_from(e->rcpts[i].domain->name),
            .home = STR_EMPTY,
            .dsn = {e->rcpts[i].notify, str_from(e->rcpts[i].orcpt)},
        };
    return out;
}
