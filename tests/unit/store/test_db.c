/* Connections of the SQLite engine: versions of a file, statements, failures. */
#include "unit/unit.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/sqlite/db.h"

static const char *const migrations[] = {
    "CREATE TABLE word(text TEXT NOT NULL);",
    "ALTER TABLE word ADD COLUMN length INTEGER NOT NULL DEFAULT 0; UPDATE word SET length = length(text);",
    "CREATE INDEX word_length ON word(length);",
};
static const char *const broken[] = {
    "CREATE TABLE word(text TEXT NOT NULL);",
    "ALTER TABLE word ADD COLUMN length INTEGER; UPDATE nothing SET x = 1;",
};

enum { SQL_ADD, SQL_LENGTHS, SQL_COUNT_OF, SQL_COUNT };
static const char *const statements[] = {
    "INSERT INTO word(text) VALUES(?)",
    "SELECT length FROM word ORDER BY length",
    "SELECT count(*) FROM word WHERE text = ?",
};

#define SCHEMA(list, version)                                                                                \
    {                                                                                                        \
        0x48467473, list, version, statements, SQL_COUNT                                                     \
    }
static const struct sqlite_schema version_1 = SCHEMA(migrations, 1), version_3 = SCHEMA(migrations, 3),
                                  version_broken = SCHEMA(broken, 2);

static char path[64];

static int setup(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "/tmp/holdfast-db-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    unlink(path);
    return 0;
}

static int teardown(void **state)
{
    char name[80];
    const char *const suffixes[] = {"", "-wal", "-shm"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
        unlink(name);
    }
    return 0;
}

static void make_version_1(void)
{
    struct sqlite_db db;
    struct err_buf eb;
    assert_ok(sqlite_open(&db, path, &version_1, SQLITE_TO_WRITE, &eb));
    db_run(&db.db, SQL_ADD, TEXT(STR("hold")));
    db_run(&db.db, SQL_ADD, TEXT(STR("fast!")));
    assert_int_equal(db.rc, SQLITE_OK);
    sqlite_close(&db);
}

static void an_older_file_is_migrated_step_by_step(void **state)
{
    struct sqlite_db db;
    struct err_buf eb;
    (void)state;
    make_version_1();
    assert_ok(sqlite_open(&db, path, &version_3, SQLITE_TO_WRITE, &eb));
    assert_int_equal(sqlite_pragma(&db, "PRAGMA user_version"), 3);
    struct db_row *row = db_query(&db.db, SQL_LENGTHS);
    assert_non_null(row);
    assert_int_equal(db_col_i64(row, 0), 4);
    row = db_next(row);
    assert_int_equal(db_col_i64(row, 0), 5);
    assert_null(db_next(row));
    sqlite_close(&db);
}

static void nobody_else_may_read_it(void **state)
{
    char name[80];
    struct sqlite_db db;
    struct err_buf eb;
    struct stat st;
    const char *const suffixes[] = {"", "-wal", "-shm"};
    (void)state;
    assert_ok(sqlite_open(&db, path, &version_1, SQLITE_TO_WRITE, &eb));
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
        assert_int_equal(stat(name, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    sqlite_close(&db);
}

static void a_migration_that_fails_changes_nothing(void **state)
{
    struct sqlite_db db;
    struct err_buf eb;
    (void)state;
    make_version_1();
    assert_true(sqlite_open(&db, path, &version_broken, SQLITE_TO_WRITE, &eb) < 0);
    assert_non_null(strstr(eb.text, "nothing"));
    assert_null(db.handle);
    assert_ok(sqlite_open(&db, path, &version_1, SQLITE_TO_WRITE, &eb));
    assert_int_equal(db_number(&db.db, SQL_COUNT_OF, -1, TEXT(STR("hold"))), 1);
    sqlite_close(&db);
}

static void only_a_writer_migrates(void **state)
{
    struct sqlite_db db;
    struct err_buf eb;
    (void)state;
    make_version_1();
    assert_err(sqlite_open(&db, path, &version_3, SQLITE_TO_READ, &eb), ERR_VERSION);
    assert_non_null(strstr(eb.text, "older schema version 1"));
    assert_err(sqlite_open(&db, path, &version_3, SQLITE_TO_LOOK, &eb), ERR_VERSION);
    assert_ok(sqlite_open(&db, path, &version_1, SQLITE_TO_LOOK, &eb));
    sqlite_close(&db);
}

static void a_newer_file_is_left_alone(void **state)
{
    struct sqlite_db db;
    struct err_buf eb;
    (void)state;
    assert_ok(sqlite_open(&db, path, &version_3, SQLITE_TO_WRITE, &eb));
    sqlite_close(&db);
    assert_err(sqlite_open(&db, path, &version_1, SQLITE_TO_WRITE, &eb), ERR_VERSION);
    assert_non_null(strstr(eb.text, "schema version 3, this program knows up to 1"));
}

static void what_is_no_database_is_corrupt(void **state)
{
    struct sqlite_db db;
    struct err_buf eb;
    (void)state;
    FILE *f = fopen(path, "w");
    for (int i = 0; i < 1000; i++)
        fputs("this is no database ", f);
    fclose(f);
    assert_err(sqlite_open(&db, path, &version_1, SQLITE_TO_WRITE, &eb), ERR_CORRUPT);
    assert_null(db.handle);
}

static void failures_stick_until_cleared(void **state)
{
    struct sqlite_db db;
    struct err_buf eb;
    (void)state;
    assert_ok(sqlite_open(&db, path, &version_1, SQLITE_TO_WRITE, &eb));
    sqlite_begin(&db);
    db_run(&db.db, SQL_ADD, TEXT(STR("kept out")));
    sqlite_exec(&db, "INSERT INTO word VALUES(NULL)");
    assert_int_equal(db.rc & 0xff, SQLITE_CONSTRAINT);
    db_run(&db.db, SQL_ADD, TEXT(STR("not run")));
    assert_int_equal(db_number(&db.db, SQL_COUNT_OF, -1, TEXT(STR("kept out"))), -1);
    sqlite_commit(&db);
    sqlite_rollback(&db);
    sqlite_clear(&db);
    assert_int_equal(db_number(&db.db, SQL_COUNT_OF, -1, TEXT(STR("kept out"))), 0);
    sqlite_close(&db);
}

static void texts_keep_their_bytes(void **state)
{
    struct sqlite_db db;
    struct err_buf eb;
    (void)state;
    const struct str odd = {"a\0b\xff", 4};
    assert_ok(sqlite_open(&db, path, &version_1, SQLITE_TO_WRITE, &eb));
    db_run(&db.db, SQL_ADD, TEXT(odd));
    assert_int_equal(db_number(&db.db, SQL_COUNT_OF, -1, TEXT(odd)), 1);
    assert_int_equal(db_number(&db.db, SQL_COUNT_OF, -1, TEXT(STR("a"))), 0);
    sqlite_close(&db);
}

#define DB_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DB_TEST(an_older_file_is_migrated_step_by_step),
        DB_TEST(nobody_else_may_read_it),
        DB_TEST(a_migration_that_fails_changes_nothing),
        DB_TEST(only_a_writer_migrates),
        DB_TEST(a_newer_file_is_left_alone),
        DB_TEST(what_is_no_database_is_corrupt),
        DB_TEST(failures_stick_until_cleared),
        DB_TEST(texts_keep_their_bytes),
    };
    return cmocka_run_group_tests_name("store database", tests, NULL, NULL);
}
