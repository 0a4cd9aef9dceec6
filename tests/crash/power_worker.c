/* power_worker write FOLDER LEDGER IMAGE GENERATION SEED SYNC WRITE FAIL FLAGS
 * power_worker check FOLDER LEDGER */
#include "crash/power.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "crash/disk.h"

#define APPLY_ROUNDS 160

struct work {
    struct rig *rig;
    struct queue *queue;
    struct mail *mail;
    uint64_t base; /* numbers of this generation are above */
    int ledger;
    bool heavy;                     /* enough for a checkpoint */
    const struct disk_plan *opened; /* the plan from when all is open; NULL: goes on */
};

/* ---- content ---- */

size_t message_size(uint64_t id)
{
    if (id % 10 == 9)
        return 3000000 + id;
    return id % 10 == 5 ? 200000 + id : 100 + id * 997 % 9000;
}

unsigned message_recipients(uint64_t id)
{
    return 1 + id % 3;
}

char *message_content(uint64_t id)
{
    size_t size = message_size(id);
    uint64_t x = id * 0x9e3779b97f4a7c15ULL + 1;
    char *content = mem_alloc(size + 1);
    for (size_t i = 0; i < size; i++) {
        x = x * 6364136223846793005ULL + 1442695040888963407ULL;
        content[i] = (char)('!' + (x >> 40) % 90);
    }
    content[size] = '\0';
    return content;
}

/* ---- the ledger ---- */

static void note(struct work *w, const char *what, uint64_t id)
{
    char line[64];
    int len = snprintf(line, sizeof(line), "%s %llu\n", what, (unsigned long long)id);
    if (write(w->ledger, line, (size_t)len) != len)
        _exit(1);
}

/* After a failed sync: waits until the file is healthy again; what was refused
 * must never be seen from then on. */
static int settle_refusal(struct work *w, int err, const char *refused, uint64_t id)
{
    if (err != ERR_SYNC)
        return err;
    RIG_UNTIL(w->rig, queue_health(w->queue) == 0 && mail_health(w->mail) == 0);
    note(w, refused, id);
    return err;
}

/* ---- the work ---- */

struct waiting {
    struct work *work;
    uint64_t id;
    int err;
    bool done;
};

static void on_accept(void *arg, int err, int64_t message_id)
{
    struct waiting *a = arg;
    (void)message_id;
    a->err = err;
    a->done = true;
    if (err == 0)
        note(a->work, "accept", a->id);
    loop_stop(a->work->rig->loop);
}

/* Begins it; false while the store takes nothing. */
static bool accept_start(struct work *w, uint64_t id, struct waiting *a)
{
    static const struct queue_recipient_in to[] = {{STR("a@example.test"), STR("example.test"), STR_EMPTY},
                                                   {STR("b@example.test"), STR("example.test"), STR_EMPTY},
                                                   {STR("c@other.test"), STR("other.test"), STR_EMPTY}};
    struct queue_message_in in = {.custody_id = id_of(id),
                                  .reverse_path = STR("sender@example.net"),
                                  .helo = STR("client"),
                                  .client = STR("127.0.0.1"),
                                  .received_at = {(int64_t)id}};
    struct body_writer *writer = queue_body_begin(w->queue);
    if (!writer)
        return false;
    char *content = message_content(id);
    *a = (struct waiting){.work = w, .id = id};
    body_append(writer, content, message_size(id));
    queue_accept(w->queue, writer, &in, to, message_recipients(id), on_accept, a);
    free(content);
    return true;
}

static void accept_many(struct work *w, uint64_t first, size_t count)
{
    struct waiting waiting[16];
    for (size_t i = 0; i < count; i++)
        RIG_UNTIL(w->rig, accept_start(w, first + i, &waiting[i]));
    for (size_t i = 0; i < count; i++) {
        rig_wait(w->rig, &waiting[i].done);
        settle_refusal(w, waiting[i].err, "refused", first + i);
    }
}

static int64_t delivery_of(struct work *w, uint64_t id)
{
    struct custody_id custody = id_of(id);
    struct queue_filter f = {.custody_id = &custody, .limit = 1};
    struct answer a = list_rows(w->rig, w->queue, &f);
    return a.count > 0 ? ((const struct queue_delivery *)a.items)[0].id : 0;
}

static void settle_one(struct work *w, uint64_t id)
{
    int64_t delivery = delivery_of(w, id);
    int err = settle(w->rig, w->queue, delivery, QUEUE_OUTCOME_DELIVERED, 0);
    if (delivery != 0 && settle_refusal(w, err, "sync-error", id) == 0)
        note(w, "settle", id);
}

static void deliver_one(struct work *w, uint64_t id)
{
    const char *to[] = {READER, NULL};
    char *content = message_content(id);
    int err = deliver(w->rig, w->mail, id, content, to);
    if (settle_refusal(w, err, "mail-refused", id) == 0)
        note(w, "mail", id);
    free(content);
}

static struct mail_messages inbox(struct work *w, int64_t *box)
{
    struct mail_messages messages;
    *box = mailbox(w->rig, w->mail, READER, "INBOX", NULL).id;
    assert_ok(changes(w->rig, w->mail, *box, 0, &messages).err);
    return messages;
}

static void flag_and_expunge(struct work *w, uint64_t id)
{
    int64_t box;
    struct mail_messages messages = inbox(w, &box);
    struct answer flagged = {.rig = w->rig}, gone = {.rig = w->rig};
    if (messages.count < 2)
        return;
    const struct mail_message *last = &messages.items[messages.count - 1], *other = last - 1;
    mail_flags_store(w->mail, box, &last->uid, 1, MAIL_FLAGS_ADD, MAIL_SEEN, STR("word"), on_plain, &flagged);
    rig_wait(w->rig, &flagged.done);
    if (settle_refusal(w, flagged.err, "sync-error", id) == 0)
        note(w, "flag", last->uid);
    mail_expunge(w->mail, box, &other->uid, 1, true, on_plain, &gone);
    rig_wait(w->rig, &gone.done);
    if (settle_refusal(w, gone.err, "sync-error", id) == 0)
        note(w, "expunge", other->uid);
}

static void put_record(struct work *w, uint64_t id)
{
    char key[32];
    snprintf(key, sizeof(key), "%llu", (unsigned long long)id);
    int err = record_put(w->rig, w->rig->network, "record", key, key, NETWORK_ANY_VERSION, NULL);
    if (err == 0)
        note(w, "record", id);
}

static void open_all(struct work *w)
{
    int err = ERR_SYNC;
    int64_t epoch = 0;
    RIG_UNTIL(w->rig, (w->queue = own(w->rig, w->rig->store, QUEUE_NAME, "east1", epoch, &err, &epoch)));
    RIG_UNTIL(w->rig,
              (w->mail = begin_mail(w->rig, w->rig->store, SERVER_NAME, (int64_t)w->base + ++epoch, &err),
               err == 0));
}

/* Rows until the log of the queue is copied into its file, and some more. */
static void apply_many(struct work *w, uint64_t first)
{
    for (uint64_t i = 0; i < APPLY_ROUNDS; i++) {
        uint64_t id = first + 10 * (i / 4) + i % 4; /* small ones */
        accept_many(w, id, 1);
        settle_one(w, id);
    }
}

static void work(struct work *w)
{
    uint64_t id = w->base;
    open_all(w);
    if (w->opened)
        disk_set_plan(w->opened);
    put_record(w, id + 1);
    accept_many(w, id + 1, 1);
    accept_many(w, id + 2, 1);
    deliver_one(w, id + 1);
    accept_many(w, id + 15, 1); /* its first pieces are in the log before the sync of the last */
    accept_many(w, id + 3, 6);
    settle_one(w, id + 1);
    deliver_one(w, id + 2);
    deliver_one(w, id + 3);
    flag_and_expunge(w, id);
    if (w->heavy) {
        accept_many(w, id + 9, 1);
        accept_many(w, id + 19, 1);
        settle_one(w, id + 9);
        apply_many(w, id + 100);
    }
    settle_one(w, id + 2);
    accept_many(w, id + 11, 3);
    put_record(w, id + 2);
}

/* ---- main ---- */

static int run_write(char **argv)
{
    struct disk_plan plan = {.image_dir = argv[2],
                             .seed = strtoull(argv[4], NULL, 10),
                             .crash_at_sync = strtoull(argv[5], NULL, 10),
                             .crash_at_write = strtoull(argv[6], NULL, 10)};
    struct disk_plan opened = plan;
    struct work w = {.base = strtoull(argv[3], NULL, 10) * 1000};
    plan.never_sync = strchr(argv[8], 'n') != NULL;
    plan.never_sync_journal = strchr(argv[8], 'j') != NULL;
    opened.fail_sync_at = strtoull(argv[7], NULL, 10);
    if (strchr(argv[8], 'c')) {
        opened.crash_at_checkpoint = plan.crash_at_sync;
        plan.crash_at_sync = opened.crash_at_sync = 0;
    }
    w.opened = strchr(argv[8], 'o') ? &opened : NULL;
    w.heavy = strchr(argv[8], 'h') != NULL;
    w.ledger = open(argv[1], O_WRONLY | O_APPEND | O_CREAT, 0600);
    disk_install();
    disk_set_plan(&plan);
    w.rig = rig_on_folder(argv[0]);
    work(&w);
    printf("%llu %llu %llu\n", (unsigned long long)disk_syncs(), (unsigned long long)disk_writes(),
           (unsigned long long)disk_injected());
    fflush(stdout);
    if (strchr(argv[8], 'l'))
        disk_lose_power(); /* at the end of all work */
    rig_free(w.rig);
    return 0;
}

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = mem_zalloc(1 << 20);
    if (f) {
        text[fread(text, 1, (1 << 20) - 1, f)] = '\0';
        fclose(f);
    }
    return text;
}

int main(int argc, char **argv)
{
    if (argc == 11 && strcmp(argv[1], "write") == 0)
        return run_write(argv + 2);
    if (argc != 4)
        return 2;
    char *ledger = read_file(argv[3]);
    struct rig *r = rig_on_folder(argv[2]);
    bool holds = power_check(r, ledger);
    rig_free(r);
    free(ledger);
    return holds ? 0 : 1;
}
