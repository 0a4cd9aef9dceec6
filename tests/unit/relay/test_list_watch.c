#include "relay/list_watch.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_look.h"
#include "loop/sim.h"
#include "unit/unit.h"

static char list_path[] = "/tmp/holdfast-list-watch-XXXXXX";

static struct config_domain domains[] = {
    {.name = "any.test", .recipients = RECIPIENTS_ANY},
    {.name = "list.test", .recipients = RECIPIENTS_LIST, .recipients_file = list_path},
};
static const struct config config = {.domains = domains, .domain_count = 2};

struct world {
    struct sim_world *sim;
    struct loop *loop;
    struct recipients recipients;
    struct list_watch *watch;
};

/* The file's times may be as coarse as a tick of the kernel: each content has a size of its own. */
static void write_list(const char *text)
{
    FILE *file = fopen(list_path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int setup(void **state)
{
    static struct world w;
    w.sim = sim_world_new(1);
    w.loop = sim_loop_new(w.sim, "relay", "relay");
    write_list("bob@list.test\n");
    w.watch = list_watch_new(w.loop, &config, &w.recipients);
    assert_ok(recipients_init(&w.recipients, &config, NULL));
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    list_watch_free(w->watch);
    recipients_fini(&w->recipients);
    sim_loop_free(w->loop);
    sim_world_free(w->sim);
    return 0;
}

static void pass_looks(struct world *w, int count)
{
    sim_run_until(w->sim, mono_add_ms(sim_now(w->sim), count * FILE_LOOK_MS));
}

static bool takes(const struct world *w, const char *local_part)
{
    const struct config_domain *domain;
    return recipients_check(&w->recipients, str_from(local_part), STR("list.test"), &domain) ==
           RECIPIENT_OURS;
}

static void a_changed_file_is_read_when_it_is_at_rest(void **state)
{
    struct world *w = *state;
    write_list("bob@list.test\ncarol@list.test\n");
    pass_looks(w, 1);
    assert_false(takes(w, "carol"));
    write_list("bob@list.test\ncarol@list.test\ndave@list.test\n"); /* it is being written */
    pass_looks(w, 1);
    assert_false(takes(w, "carol"));
    pass_looks(w, 1);
    assert_true(takes(w, "carol") && takes(w, "dave"));
}

static void what_is_broken_empty_or_gone_leaves_the_old_list(void **state)
{
    struct world *w = *state;
    write_list("carol@list.test\nno address\n");
    pass_looks(w, 3);
    assert_true(takes(w, "bob") && !takes(w, "carol"));
    write_list("# nobody\n");
    pass_looks(w, 3);
    assert_true(takes(w, "bob"));
    unlink(list_path);
    pass_looks(w, 3);
    assert_true(takes(w, "bob"));
    write_list("carol@list.test\n");
    pass_looks(w, 3);
    assert_true(takes(w, "carol") && !takes(w, "bob"));
}

int main(void)
{
    int fd = mkstemp(list_path);
    if (fd < 0)
        return 1;
    close(fd);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_changed_file_is_read_when_it_is_at_rest, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_broken_empty_or_gone_leaves_the_old_list, setup, teardown),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(list_path);
    return failed;
}
