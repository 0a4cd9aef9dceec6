#include "base/mem.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/unit.h"

static void size_zero_is_a_pointer(void **state)
{
    (void)state;
    void *ptrs[] = {mem_alloc(0), mem_zalloc(0), mem_calloc(0, 8), mem_realloc(NULL, 0),
                    mem_reallocarray(NULL, 0, 8)};
    for (size_t i = 0; i < ARRAY_LEN(ptrs); i++) {
        assert_non_null(ptrs[i]);
        free(ptrs[i]);
    }
}

static void zeroed(void **state)
{
    (void)state;
    char *ptr = mem_calloc(100, 10);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(ptr[i], 0);
    free(ptr);
}

static void realloc_keeps_the_content(void **state)
{
    (void)state;
    char *ptr = mem_strdup("holdfast");
    ptr = mem_reallocarray(ptr, 1000, 10);
    assert_string_equal(ptr, "holdfast");
    free(ptr);
}

static void copies(void **state)
{
    (void)state;
    assert_null(mem_strdup(NULL));
    char *part = mem_strndup("holdfast", 4), *none = mem_strndup(NULL, 0),
         *text = mem_asprintf("%s-%d", "a", 7);
    assert_string_equal(part, "hold");
    assert_string_equal(none, "");
    assert_string_equal(text, "a-7");
    free(part);
    free(none);
    free(text);
}

/* The status of a child that runs fn, without a core file. */
static int status_of_child(void (*fn)(void))
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        signal(SIGABRT, SIG_DFL);
        close(STDERR_FILENO);
        fn();
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void overflow_count(void)
{
    volatile size_t count = SIZE_MAX / 2;
    free(mem_reallocarray(NULL, count, 4));
}

static void an_array_grows_at_powers_of_two(void **state)
{
    int *items = NULL;
    (void)state;
    for (size_t i = 0; i < 100; i++) {
        int *before = items;
        items = mem_grow(items, i, sizeof(*items));
        assert_true(i == 0 || (i & (i - 1)) == 0 || items == before);
        items[i] = (int)i;
    }
    for (int i = 0; i < 100; i++)
        assert_int_equal(items[i], i);
    free(items);
}

static void nothing_wrong(void)
{
    free(mem_reallocarray(NULL, 2, 4));
}

static void an_overflow_aborts(void **state)
{
    (void)state;
    int status = status_of_child(overflow_count);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_int_equal(status_of_child(nothing_wrong), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(size_zero_is_a_pointer),          cmocka_unit_test(zeroed),
        cmocka_unit_test(realloc_keeps_the_content),       cmocka_unit_test(copies),
        cmocka_unit_test(an_array_grows_at_powers_of_two), cmocka_unit_test(an_overflow_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
