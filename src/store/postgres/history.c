#include "store/postgres/history.h"

#include <stdio.h>

#include "base/log.h"
#include "store/postgres/pg_inside.h"
#include "store/postgres/tables.h"

/* More than a mailbox gets between a commit and its copy; of UIDs there are 4,294,967,295 (RFC 9051 2.3.1.1),
 * so where they come to an end its UIDVALIDITY says that they are others. */
#define JUMP_UIDS    "1000000"
#define UIDS_LAST    "4200000000"
#define JUMP_MODSEQS "1099511627776"
/* In a transaction: each is short, whatever there is in all. */
#define JUMP_MAILBOXES "5000"

/* Longer than any two beats of a network that lives are apart. */
#define CLOCK_LEAP_MS 30000

#define TELLS                                                                                                \
    "SELECT count(*) FROM pg_catalog.pg_proc WHERE proname IN ('pg_control_system', 'pg_walfile_name')"
#define SYSTEM "(SELECT system_identifier FROM pg_control_system())"
#define TIMELINE                                                                                             \
    "CAST(CAST('x' || lpad(substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8), 16, '0') AS BIT(64)) AS "    \
    "BIGINT)"

/* 0: the same, 1: it was never noted, 2: another. */
#define COMPARE                                                                                              \
    "SELECT CASE WHEN system_id = 0 THEN 1 WHEN system_id <> " SYSTEM " OR timeline <> " TIMELINE            \
    " THEN 2 ELSE 0 END FROM history WHERE id = 1 FOR UPDATE"

/* Whoever connects goes on where it came to: by their numbers, those after jump_from, the last one jump_end.
 */
#define JUMP_BEGIN                                                                                           \
    "UPDATE history SET jump_from = 0, jump_end = coalesce((SELECT max(id) FROM mailbox), 0) WHERE id = 1"
#define JUMP_RANGE                                                                                           \
    "SELECT jump_from, coalesce((SELECT max(id) FROM (SELECT id FROM mailbox WHERE id > jump_from"           \
    " AND id <= jump_end ORDER BY id LIMIT " JUMP_MAILBOXES ") AS next), jump_end), jump_end FROM history"   \
    " WHERE id = 1 AND jump_from < jump_end FOR UPDATE"
#define JUMP                                                                                                 \
    "UPDATE mailbox SET modseq = modseq + " JUMP_MODSEQS ", uid_validity = CASE WHEN uid_next > " UIDS_LAST  \
    " THEN uid_validity + 1 ELSE uid_validity END, uid_next = CASE WHEN uid_next > " UIDS_LAST               \
    " THEN uid_next ELSE uid_next + " JUMP_UIDS " END WHERE id > %lld AND id <= %lld"

/* By how much the clock is ahead of where it was at the last transaction. */
static void shift_leases(struct pg *pg, int64_t before_ms, int64_t ms)
{
    char sql[160];
    snprintf(sql, sizeof(sql), "UPDATE lease SET expires_ms = expires_ms + (%lld) WHERE expires_ms > %lld",
             (long long)ms, (long long)before_ms);
    pg_exec(pg, sql);
}

/* A renewal may have been told of and lost: each lease that ran, by the clock that was, has its whole time.
 */
static void another_clock(struct pg *pg)
{
    pg_exec(pg,
            "UPDATE lease SET expires_ms = " CLOCK_MS " + ttl_ms WHERE expires_ms > (SELECT at_ms FROM device"
            " WHERE id = 1)");
    pg_exec(pg, "UPDATE device SET changes = changes + 1, at_ms = " CLOCK_MS " WHERE id = 1");
}

void history_note(struct pg *pg, enum part_kind kind)
{
    int64_t tells = pg_number(pg, TELLS, 0);
    int64_t compared = tells >= 2 ? pg_number(pg, COMPARE, 0) : 0;
    if (compared == 0)
        return;
    pg_exec(pg, "UPDATE history SET system_id = " SYSTEM ", timeline = " TIMELINE " WHERE id = 1");
    if (compared == 1)
        return;
    log_event(LOG_WARNING, "the database has another history", LOG_TEXT("part", pg->options.part),
              LOG_TEXT("cause", "a standby was promoted, or a copy restored"));
    if (kind == PART_MAIL)
        pg_exec(pg, JUMP_BEGIN);
    else
        another_clock(pg);
}

bool history_jump(struct pg *pg)
{
    enum { FROM, TO, END };
    char sql[sizeof(JUMP) + 64];
    int64_t range[3] = {0, 0, 0};
    pg_numbers(pg, JUMP_RANGE, range, ARRAY_LEN(range));
    if (pg->failure != PG_WELL || range[END] == 0)
        return false;
    snprintf(sql, sizeof(sql), JUMP, (long long)range[FROM], (long long)range[TO]);
    pg_exec(pg, sql);
    snprintf(sql, sizeof(sql), "UPDATE history SET jump_from = %lld WHERE id = 1", (long long)range[TO]);
    pg_exec(pg, sql);
    log_event(LOG_INFO, "UIDs jump", LOG_TEXT("part", pg->options.part), LOG_I64("mailbox", range[TO]),
              LOG_I64("last", range[END]));
    return range[TO] < range[END];
}

int64_t history_clock(struct pg *pg)
{
    int64_t times[2] = {0, 0};
    pg_numbers(pg,
               "UPDATE device SET changes = changes + 1, before_ms = at_ms, at_ms = " CLOCK_MS " WHERE id = 1"
               " RETURNING at_ms, before_ms",
               times, ARRAY_LEN(times));
    int64_t now_ms = times[0], before_ms = times[1], leap_ms = now_ms - before_ms;
    if (before_ms > 0 && (leap_ms < 0 || leap_ms > CLOCK_LEAP_MS))
        shift_leases(pg, before_ms, leap_ms);
    return now_ms;
}
