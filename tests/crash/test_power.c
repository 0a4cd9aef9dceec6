/* The power-loss rig: a worker's disk loses power in each sync of its work, and
 * again while the next one recovers; each time all that was acknowledged must
 * be there, and nothing may be torn. The rig must see it when a store does not
 * sync. */
#include "unit/unit.h"

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "crash/disk.h"

#define CANNOT_BE_OPENED 255 /* of a check: cmocka's, where the store's rig asserts */

static const char *worker;
static unsigned long long stride = 1; /* of the places where power can be lost, only each Nth */

/* How many losses were planned, and how many came only when all work was done:
 * batches differ from run to run, so some syncs may not come. */
static int planned, late;

struct run {
    char dir[64]; /* the first worker's store, then image 1, 2 */
    char image[2][96];
    char store[96];
    char ledger[96];
};

struct plan {
    unsigned long long generation, seed, sync, write, fail;
    const char *flags;
};

struct totals {
    unsigned long long syncs, writes, injected;
};

static int remove_one(const char *path, const struct stat *sb, int type, struct FTW *ftw)
{
    (void)sb, (void)type, (void)ftw;
    return remove(path);
}

static void run_begin(struct run *r)
{
    snprintf(r->dir, sizeof(r->dir), "/tmp/holdfast-power-XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    snprintf(r->store, sizeof(r->store), "%s/store", r->dir);
    snprintf(r->ledger, sizeof(r->ledger), "%s/ledger", r->dir);
    for (int i = 0; i < 2; i++) {
        snprintf(r->image[i], sizeof(r->image[i]), "%s/image%d", r->dir, i);
        assert_int_equal(mkdir(r->image[i], 0700), 0);
    }
}

static void run_end(struct run *r)
{
    nftw(r->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Files that a worker did not come to open are as they were. */
static void copy_databases(const char *from, const char *to)
{
    char *command =
        mem_asprintf("cp '%s'/*.db '%s'/*.db-wal '%s'/*.db-segment-* '%s' 2>/dev/null", from, from, from, to);
    int status = system(command);
    (void)status; /* there may be none */
    free(command);
}

/* The exit status; *ret_totals when it came to its end. */
static int work(const struct run *r, const char *store, const char *image, struct plan p,
                struct totals *ret_totals)
{
    char *command =
        mem_asprintf("exec '%s' write '%s' '%s' '%s' %llu %llu %llu %llu %llu '%s' 2>>'%s/log'", worker,
                     store, r->ledger, image, p.generation, p.seed, p.sync, p.write, p.fail, p.flags, r->dir);
    struct totals t = {0};
    FILE *out = popen(command, "r");
    assert_non_null(out);
    int got = fscanf(out, "%llu %llu %llu", &t.syncs, &t.writes, &t.injected);
    int status = pclose(out);
    free(command);
    if (got == 3 && ret_totals)
        *ret_totals = t;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* What workers said: a sanitizer's report is there. */
static void show_log(const struct run *r)
{
    char *command = mem_asprintf("cat '%s/log' >&2", r->dir);
    int status = system(command);
    (void)status; /* there may be none */
    free(command);
}

/* False: it says that it does not hold, or cannot be opened. A check that ends in another way, by a signal or
 * by a sanitizer, has found nothing out. */
static bool holds(const struct run *r, const char *store)
{
    char *command = mem_asprintf("exec '%s' check '%s' '%s' 2>>'%s/log'", worker, store, r->ledger, r->dir);
    int status = system(command);
    free(command);
    bool judged = WIFEXITED(status) && (WEXITSTATUS(status) <= 1 || WEXITSTATUS(status) == CANNOT_BE_OPENED);
    if (!judged)
        show_log(r);
    assert_true(judged);
    return WEXITSTATUS(status) == 0;
}

static void fail_at(const struct run *r, const struct plan *p, const char *what)
{
    show_log(r);
    fail_msg("%s: seed %llu sync %llu write %llu fail %llu flags %s", what, p->seed, p->sync, p->write,
             p->fail, p->flags);
}

/* Power is lost as planned, then once more in the second sync or so of the next
 * worker, whose image is checked as well. */
static void lose_twice(struct plan p)
{
    struct run r;
    run_begin(&r);
    int status = work(&r, r.store, r.image[0], p, NULL);
    planned++;
    if (status != DISK_POWER_LOST)
        fail_at(&r, &p, "the power was not lost");
    struct plan again = {
        .generation = p.generation + 1, .seed = p.seed + 77, .sync = 1 + p.seed % 6, .flags = "l"};
    copy_databases(r.image[0], r.image[1]);
    status = work(&r, r.image[0], r.image[1], again, NULL);
    if (status != DISK_POWER_LOST)
        fail_at(&r, &p, "the power was not lost again");
    if (!holds(&r, r.image[1]))
        fail_at(&r, &p, "after two losses");
    run_end(&r);
}

/* Whether all is there after it. */
static bool survives(const struct run *r, struct plan p)
{
    struct totals t = {0};
    int status = work(r, r->store, r->image[0], p, &t);
    if (status != DISK_POWER_LOST)
        fail_at(r, &p, "the power was not lost");
    planned++;
    late += p.fail ? t.injected == 0 : t.syncs > 0;
    return holds(r, r->image[0]);
}

static void lose_once(struct plan p)
{
    struct run r;
    run_begin(&r);
    if (!survives(&r, p))
        fail_at(&r, &p, p.fail ? "after a failed sync" : "after one loss");
    run_end(&r);
}

static int count_begin(void **state)
{
    (void)state;
    planned = late = 0;
    return 0;
}

static int count_end(void **state)
{
    (void)state;
    return planned > 0 && late * 4 <= planned ? 0 : -1;
}

static struct totals measure(const char *flags)
{
    struct run r;
    struct totals t = {0};
    struct plan p = {.seed = 1, .flags = flags};
    run_begin(&r);
    assert_int_equal(work(&r, r.store, r.image[0], p, &t), 0);
    assert_true(holds(&r, r.store));
    run_end(&r);
    assert_true(t.syncs > 10);
    return t;
}

static void power_is_lost_at_every_sync(void **state)
{
    (void)state;
    struct totals t = measure("");
    for (unsigned long long sync = 1; sync <= t.syncs; sync += stride)
        lose_once((struct plan){.seed = sync * 31, .sync = sync, .flags = "l"});
}

static void power_is_lost_again_during_recovery(void **state)
{
    (void)state;
    struct totals t = measure("");
    for (unsigned long long sync = 2; sync + 4 <= t.syncs; sync += 3 * stride)
        lose_twice((struct plan){.seed = sync * 17 + 5, .sync = sync, .flags = "l"});
}

static void power_is_lost_around_a_checkpoint(void **state)
{
    (void)state;
    for (unsigned long long i = 1; i <= 10; i += stride)
        lose_once((struct plan){.seed = i * 13 + 3, .sync = i, .flags = "hocl"});
    struct totals t = measure("h");
    for (unsigned long long i = 1; i < 8; i += stride)
        lose_once((struct plan){.seed = i * 19 + 3, .write = t.writes * (i + 8) / 17, .flags = "hl"});
}

static void a_failed_sync_then_power_is_lost(void **state)
{
    (void)state;
    struct totals t = measure("o");
    for (unsigned long long i = 0; i < 2 * (t.syncs - 2); i += stride)
        lose_once((struct plan){.seed = i * 7 + 1, .fail = 1 + i / 2, .flags = "ol"});
}

#define FIND_TRIES_MAX 60 /* one in six shows it on an idle machine */

/* Whether a loss of power shows what these flags leave out. Which message is lost depends on how the writes
 * of the threads fall, so it is tried at other places until it shows. */
static bool is_found_out(const struct totals *t, const char *flags)
{
    bool survived = true;
    for (unsigned long long i = 1; survived && i <= FIND_TRIES_MAX; i++) {
        struct run r;
        run_begin(&r);
        survived =
            survives(&r, (struct plan){.seed = i, .write = t->writes * (1 + i % 6) / 8, .flags = flags});
        run_end(&r);
    }
    return !survived;
}

static void a_store_that_does_not_sync_is_found_out(void **state)
{
    (void)state;
    struct totals t = measure("");
    assert_true(is_found_out(&t, "nl"));
}

/* What is in the log of SQLite by then came behind the journal, which is not there. */
static void a_journal_that_is_not_synced_is_found_out(void **state)
{
    (void)state;
    struct totals t = measure("");
    assert_true(is_found_out(&t, "jl"));
}

#define POWER_TEST(fn) cmocka_unit_test_setup_teardown(fn, count_begin, count_end)

/* test_power WORKER [STRIDE] */
int main(int argc, char **argv)
{
    uint64_t places = 1;
    const struct CMUnitTest tests[] = {
        POWER_TEST(power_is_lost_at_every_sync),
        POWER_TEST(power_is_lost_again_during_recovery),
        POWER_TEST(power_is_lost_around_a_checkpoint),
        POWER_TEST(a_failed_sync_then_power_is_lost),
        POWER_TEST(a_store_that_does_not_sync_is_found_out),
        POWER_TEST(a_journal_that_is_not_synced_is_found_out),
    };
    if (argc != 2 && (argc != 3 || str_to_u64(str_from(argv[2]), 100, &places) < 0 || places == 0))
        return 2;
    worker = argv[1];
    stride = places;
    return cmocka_run_group_tests_name("power loss", tests, NULL, NULL);
}
