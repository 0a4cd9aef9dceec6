/* When a file that has changed is to be read again. */
#include "base/file_look.h"

#include <stdio.h>
#include <unistd.h>

#include "unit/unit.h"

static void a_file_is_read_once_for_each_change(void **state)
{
    struct file_state s = {.read = {.there = true, .inode = 1}, .last = {.there = true, .inode = 1}};
    struct file_look first = {.there = true, .inode = 1}, second = {.there = true, .inode = 2}, gone = {0};
    (void)state;
    assert_false(file_state_look(&s, &first));
    assert_false(file_state_look(&s, &second));
    assert_true(file_state_look(&s, &second));
    assert_false(file_state_look(&s, &second));
    assert_false(file_state_look(&s, &gone));
    assert_false(file_state_look(&s, &second)); /* it was moved away and back */
    assert_false(file_state_look(&s, &second));
    assert_false(file_state_look(&s, &gone));
    assert_true(file_state_look(&s, &gone));
    assert_false(file_state_look(&s, &gone));
}

static void a_look_tells_a_file_from_its_successor(void **state)
{
    char path[] = "/tmp/holdfast-file-look-XXXXXX", next[] = "/tmp/holdfast-file-look-XXXXXX";
    int fd = mkstemp(path), next_fd = mkstemp(next);
    (void)state;
    struct file_look first = file_look_at(path), again = file_look_at(path);
    assert_true(first.there && file_look_same(&first, &again));
    assert_int_equal(rename(next, path), 0);
    again = file_look_at(path);
    assert_false(file_look_same(&first, &again));
    unlink(path);
    assert_false(file_look_at(path).there);
    close(fd);
    close(next_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_once_for_each_change),
        cmocka_unit_test(a_look_tells_a_file_from_its_successor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
