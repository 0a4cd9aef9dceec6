/* The mail's part, version by version. Instances of several servers write: each transaction locks its
 * instance's row, and those of the mailboxes that it changes. */
#include "store/postgres/tables.h"
#include "store/sql/mail_sql.h"

static const char *const migrations[] = {
    MARK_TABLE BODY_TABLES
    "CREATE TABLE instance(id " SERIAL ", server " TEXT_T " UNIQUE, epoch " NUMBER ");"
    "CREATE TABLE \"user\"(id " SERIAL ", address " TEXT_T " UNIQUE, uid_validity " NUMBER ");"
    /* Without a user: deleted, its messages are being removed. */
    "CREATE TABLE mailbox(id " SERIAL ", user_id BIGINT, name " TEXT_T ", uid_validity " NUMBER
    ", uid_next " NUMBER ", modseq " NUMBER ", recent_from " NUMBER ", messages " NUMBER ", unseen " NUMBER
    ", subscribed " NUMBER ", selectable " NUMBER ", UNIQUE(user_id, name)) WITH (fillfactor = 70);"
    "CREATE INDEX mailbox_given_up ON mailbox(id) WHERE user_id IS NULL;"
    "CREATE TABLE message(mailbox_id " NUMBER ", uid " NUMBER ", modseq " NUMBER ", flags " NUMBER
    ", keywords " TEXT_T ", date_ms " NUMBER ", size_bytes " NUMBER ", body_id " NUMBER
    ", PRIMARY KEY(mailbox_id, uid));"
    "CREATE INDEX message_modseq ON message(mailbox_id, modseq);"
    "CREATE TABLE expunged(mailbox_id " NUMBER ", modseq " NUMBER ", uid " NUMBER
    ", PRIMARY KEY(mailbox_id, modseq, uid));"
    "CREATE TABLE delivered(user_id " NUMBER
    ", custody_id BYTEA NOT NULL, PRIMARY KEY(custody_id, user_id));",
    HISTORY_TABLE,
    "ALTER TABLE history ADD COLUMN jump_from BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE history ADD COLUMN jump_end BIGINT NOT NULL DEFAULT 0;",
};

static const char *const statements[] = {BODY_SQL_LIST(SQL_TEXT) MAIL_SQL_LIST(SQL_TEXT)};
static const char *const otherwise[SQL_MAIL_COUNT] = {
    [SQL_DELIVERED_USERS] =
        "SELECT u.address FROM delivered d JOIN \"user\" u ON u.id = d.user_id WHERE d.custody_id = ?",
};
static const bool locks[SQL_MAIL_COUNT] = {
    [SQL_BODY_GET] = true,          [SQL_INSTANCE_GET] = true, [SQL_INSTANCE_EPOCH] = true,
    [SQL_USER_VALIDITY_GET] = true, [SQL_BOX_GET] = true,      [SQL_BOX_FIND] = true,
    [SQL_INBOX_FIND] = true};

const struct pg_schema pg_mail_schema = {migrations, ARRAY_LEN(migrations), statements, otherwise,
                                         locks,      SQL_MAIL_COUNT};
