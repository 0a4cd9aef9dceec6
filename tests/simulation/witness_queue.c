/* What the witness sees of mail that goes to servers that are not ours, and of reports to senders: final
 * dots, what queues record of their outcome, reports that queues accept. Stands before functions of the
 * program and the memory store at link time. */
#include "base/mem.h"
#include "simulation/mutants.h"
#include "simulation/senders.h"
#include "simulation/witness.h"
#include "smtp/client.h"
#include "store/memory/device.h"
#include "store/queue_op.h"

/* What a relay's session is sending. */
struct sending {
    struct list node;
    const struct smtp_client *client;
    struct ledger_piece *pieces; /* their texts are owned, too */
    size_t count;
};

static struct list sendings;
static const struct smtp_client *flushing; /* its final dot may be given now; NULL: nobody's */

/* ---- pieces ---- */

/* False: it is no matter of this ledger's: mail to a server of ours, which shows nothing twice. */
static bool make_piece(const struct world *w, struct str reverse_path, struct str envid, struct str recipient,
                       const struct custody_id *id, char id_text[CUSTODY_ID_TEXT_MAX],
                       struct ledger_piece *ret_piece)
{
    int64_t tag = senders_tag_of(reverse_path, envid);
    custody_id_format(id, id_text);
    *ret_piece = (struct ledger_piece){tag, recipient, tag > 0 ? STR_EMPTY : str_from(id_text)};
    return w && w->strangers && (tag == 0 || layout_is_external(w->layout));
}

/* ---- dots ---- */

static void drop(struct sending *s)
{
    for (size_t i = 0; i < s->count; i++) {
        free((void *)(uintptr_t)s->pieces[i].recipient.ptr);
        free((void *)(uintptr_t)s->pieces[i].report.ptr);
    }
    free(s->pieces);
    list_remove(&s->node);
    free(s);
}

static struct sending *find(const struct smtp_client *c)
{
    LIST_FOREACH (it, &sendings)
        if (LIST_ENTRY(it, struct sending, node)->client == c)
            return LIST_ENTRY(it, struct sending, node);
    return NULL;
}

void witness_queue_begin(void)
{
    list_init(&sendings);
    flushing = NULL;
}

void witness_queue_end(void)
{
    LIST_FOREACH (it, &sendings)
        drop(LIST_ENTRY(it, struct sending, node));
}

static void add_piece(struct sending *s, const struct ledger_piece *piece)
{
    s->pieces[s->count++] = (struct ledger_piece){piece->tag,
                                                  {str_dup(piece->recipient), piece->recipient.len},
                                                  {str_dup(piece->report), piece->report.len}};
}

static void begin_sending(const struct smtp_client *c, const struct smtp_client_message *m)
{
    const struct world *w = witness_world();
    char id[CUSTODY_ID_TEXT_MAX];
    struct ledger_piece piece;
    struct sending *s = find(c);
    if (s)
        drop(s);
    if (!w || !m->custody_id || m->question)
        return;
    s = mem_zalloc(sizeof(*s));
    s->client = c;
    s->pieces = mem_calloc(m->recipient_count, sizeof(*s->pieces));
    list_append(&sendings, &s->node);
    for (size_t i = 0; i < m->recipient_count; i++)
        if (make_piece(w, m->reverse_path, m->dsn.envid, m->recipients[i], m->custody_id, id, &piece))
            add_piece(s, &piece);
}

void __real_smtp_client_send(struct smtp_client *c, const struct smtp_client_message *message);
void __wrap_smtp_client_send(struct smtp_client *c, const struct smtp_client_message *message);

void __wrap_smtp_client_send(struct smtp_client *c, const struct smtp_client_message *message)
{
    begin_sending(c, message);
    __real_smtp_client_send(c, message);
}

void __real_smtp_client_flushed(struct smtp_client *c);
void __wrap_smtp_client_flushed(struct smtp_client *c);

/* From inside it the relay says whether the dot may be given (witness_dot). */
void __wrap_smtp_client_flushed(struct smtp_client *c)
{
    flushing = c;
    __real_smtp_client_flushed(c);
    flushing = NULL;
}

void witness_queue_dot(void)
{
    const struct sending *s = flushing ? find(flushing) : NULL;
    flushing = NULL;
    for (size_t i = 0; s && i < s->count; i++)
        ledger_dot(witness_world()->ledger, &s->pieces[i]);
}

/* ---- outcomes ---- */

/* A server's words begin with its code. */
static enum ledger_outcome outcome_of(const struct queue_result *r)
{
    bool answered = r->reply.len >= 3 && ascii_isdigit(r->reply.ptr[0]) && ascii_isdigit(r->reply.ptr[1]) &&
                    ascii_isdigit(r->reply.ptr[2]);
    return r->outcome == QUEUE_OUTCOME_DELIVERED ? LEDGER_TAKEN
           : answered                            ? LEDGER_TURNED_OFF
                                                 : LEDGER_UNANSWERED;
}

void witness_settled(const struct memory_tx *tx, const struct store_op *op)
{
    const struct op_queue_settle *o = (const struct op_queue_settle *)op;
    struct world *w = witness_world();
    for (size_t i = 0; i < o->count; i++) {
        const struct memory_delivery *d = table_get(&tx->queue->deliveries, o->results[i].delivery_id);
        char id[CUSTODY_ID_TEXT_MAX];
        struct ledger_piece piece;
        if (d && make_piece(w, d->row.reverse_path, d->row.envelope.envid, d->row.recipient,
                            &d->row.custody_id, id, &piece))
            ledger_outcome(w->ledger, &piece, outcome_of(&o->results[i]));
    }
}

/* ---- reports ---- */

static enum ledger_report kind_of(enum queue_owes owes)
{
    return owes == QUEUE_OWES_FAILED    ? LEDGER_FAILED
           : owes == QUEUE_OWES_DELAYED ? LEDGER_DELAYED
                                        : LEDGER_SUCCEEDED;
}

int __real_memory_queue_report(struct memory_tx *tx, struct store_op *op);
int __wrap_memory_queue_report(struct memory_tx *tx, struct store_op *op);

int __wrap_memory_queue_report(struct memory_tx *tx, struct store_op *op)
{
    const struct op_queue_report *o = (const struct op_queue_report *)op;
    struct world *w = witness_world();
    char id[CUSTODY_ID_TEXT_MAX];
    int rc = __real_memory_queue_report(tx, op);
    custody_id_format(&o->message.custody_id, id);
    for (size_t i = 0; rc == 0 && w && i < o->count; i++) {
        const struct memory_delivery *d = table_get(&tx->queue->deliveries, o->ids[i]);
        ledger_reported(w->ledger, str_from(id), senders_tag_of(d->row.reverse_path, d->row.envelope.envid),
                        d->row.recipient, kind_of(o->kind));
    }
    if (rc == 0)
        mutant_reported(tx, op);
    return rc;
}
