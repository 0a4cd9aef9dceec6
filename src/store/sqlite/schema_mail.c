/* The mail's file, version by version. */
#include "store/sql/mail_sql.h"
#include "store/sqlite/body_tables.h"
#include "store/sqlite/tx.h"

static const char *const migrations[] = {
    BODY_TABLES
    "CREATE TABLE instance(id INTEGER PRIMARY KEY, server TEXT NOT NULL UNIQUE, epoch INTEGER NOT NULL);"
    "CREATE TABLE user(id INTEGER PRIMARY KEY, address TEXT NOT NULL UNIQUE, uid_validity INTEGER NOT NULL);"
    /* Without a user: deleted, its messages are being removed. */
    "CREATE TABLE mailbox(id INTEGER PRIMARY KEY AUTOINCREMENT, user_id INTEGER, name TEXT NOT NULL,"
    " uid_validity INTEGER NOT NULL, uid_next INTEGER NOT NULL, modseq INTEGER NOT NULL,"
    " recent_from INTEGER NOT NULL, messages INTEGER NOT NULL, unseen INTEGER NOT NULL,"
    " subscribed INTEGER NOT NULL, selectable INTEGER NOT NULL, UNIQUE(user_id, name));"
    "CREATE TABLE message(mailbox_id INTEGER NOT NULL, uid INTEGER NOT NULL, modseq INTEGER NOT NULL,"
    " flags INTEGER NOT NULL, keywords TEXT NOT NULL, date_ms INTEGER NOT NULL, size_bytes INTEGER NOT NULL,"
    " body_id INTEGER NOT NULL, PRIMARY KEY(mailbox_id, uid)) WITHOUT ROWID;"
    "CREATE INDEX message_modseq ON message(mailbox_id, modseq);"
    "CREATE TABLE expunged(mailbox_id INTEGER NOT NULL, modseq INTEGER NOT NULL, uid INTEGER NOT NULL,"
    " PRIMARY KEY(mailbox_id, modseq, uid)) WITHOUT ROWID;"
    "CREATE TABLE delivered(user_id INTEGER NOT NULL, custody_id BLOB NOT NULL,"
    " PRIMARY KEY(user_id, custody_id)) WITHOUT ROWID;",
};

static const char *const statements[] = {BODY_SQL_LIST(SQL_TEXT) MAIL_SQL_LIST(SQL_TEXT)};

const struct sqlite_schema sqlite_mail_schema = {0x48466d61 /* HFma */, migrations, ARRAY_LEN(migrations),
                                                 statements, SQL_MAIL_COUNT};
