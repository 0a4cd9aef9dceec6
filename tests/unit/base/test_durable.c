#include "base/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "unit/unit.h"

static int setup(void **state)
{
    char *folder = mem_strdup("/tmp/holdfast-durable-XXXXXX");
    *state = folder;
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
    rmdir(*state);
    free(*state);
    return 0;
}

static void folders_and_what_is_in_them(void **state)
{
    const char *folder = *state;
    char *below = mem_asprintf("%s/below", folder), *with_slash = mem_asprintf("%s/below/", folder);
    assert_err(durable_sync(below), ERR_NOT_FOUND);
    assert_int_equal(mkdir(below, 0700), 0);
    assert_ok(durable_sync(below));
    assert_ok(durable_sync_folder_of(below));
    assert_ok(durable_sync_folder_of(with_slash));
    rmdir(below);
    assert_err(durable_sync(below), ERR_NOT_FOUND);
    assert_ok(durable_sync_folder_of(below)); /* what is in it need not be there any more */
    free(below);
    free(with_slash);
}

static void a_name_alone_is_in_this_folder(void **state)
{
    (void)state;
    assert_ok(durable_sync_folder_of("name"));
    assert_ok(durable_sync_folder_of("/name"));
}

static void what_cannot_be_synced(void **state)
{
    (void)state;
    assert_err(durable_sync("/proc/self/status"), ERR_SYNC);
    assert_int_equal(errno, EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(folders_and_what_is_in_them, setup, teardown),
        cmocka_unit_test(a_name_alone_is_in_this_folder),
        cmocka_unit_test(what_cannot_be_synced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
