/* Inside the SQL engines: the statements of the mail's file. */
#ifndef HOLDFAST_STORE_SQL_MAIL_SQL_H
#define HOLDFAST_STORE_SQL_MAIL_SQL_H

#include "store/sql/body_sql.h"

#define BOXES                                                                                                \
    "SELECT b.id, b.user_id, b.name, b.uid_validity, b.uid_next, b.modseq, b.recent_from, b.messages,"       \
    " b.unseen, b.subscribed, b.selectable FROM mailbox b "
#define BOX_COLUMNS BOXES "WHERE "

#define MESSAGE_COLUMNS                                                                                      \
    "SELECT uid, flags, keywords, modseq, date_ms, size_bytes, body_id FROM message WHERE "

#define MAIL_SQL_LIST(X)                                                                                     \
    X(INSTANCE_GET, "SELECT id, epoch FROM instance WHERE server = ?")                                       \
    X(INSTANCE_EPOCH, "SELECT epoch FROM instance WHERE id = ?")                                             \
    X(INSTANCE_ADD, "INSERT INTO instance(server, epoch) VALUES(?, ?) RETURNING id")                         \
    X(INSTANCE_PUT, "UPDATE instance SET epoch = ?2 WHERE id = ?1")                                          \
    X(USER_FIND, "SELECT id FROM \"user\" WHERE address = ?")                                                \
    X(USER_ADD, "INSERT INTO \"user\"(address, uid_validity) VALUES(?, 0) RETURNING id")                     \
    X(USER_VALIDITY_GET, "SELECT uid_validity FROM \"user\" WHERE id = ?")                                   \
    X(USER_VALIDITY_PUT, "UPDATE \"user\" SET uid_validity = ?2 WHERE id = ?1")                              \
    X(BOX_GET, BOX_COLUMNS "id = ? AND user_id IS NOT NULL")                                                 \
    X(BOX_FIND, BOX_COLUMNS "user_id = ? AND name = ?")                                                      \
    X(INBOX_FIND, BOXES "JOIN \"user\" u ON u.id = b.user_id WHERE u.address = ? AND b.name = 'INBOX'")      \
    X(BOX_LIST, BOX_COLUMNS "user_id = ? ORDER BY name")                                                     \
    X(BOX_COUNT, "SELECT count(*) FROM mailbox WHERE user_id = ?")                                           \
    /* '0' follows '/': all names below ?2. */                                                               \
    X(BOX_CHILD,                                                                                             \
      "SELECT 1 FROM mailbox WHERE user_id = ?1 AND name > ?2 || '/' AND name < ?2 || '0' LIMIT 1")          \
    X(BOX_ADD,                                                                                               \
      "INSERT INTO mailbox(user_id, name, uid_validity, uid_next, modseq, recent_from, messages, unseen,"    \
      " subscribed, selectable) VALUES(?, ?, ?, 1, 1, 1, 0, 0, 0, 1) RETURNING id")                          \
    X(BOX_RENAME, "UPDATE mailbox SET name = ?3 || substr(name, length(?2) + 1) WHERE user_id = ?1"          \
                  " AND (name = ?2 OR (name > ?2 || '/' AND name < ?2 || '0'))")                             \
    X(BOX_SUBSCRIBE, "UPDATE mailbox SET subscribed = ?2 WHERE id = ?1")                                     \
    X(BOX_SELECTABLE, "UPDATE mailbox SET selectable = 1 WHERE id = ?")                                      \
    X(BOX_UNSELECTABLE, "UPDATE mailbox SET selectable = 0 WHERE id = ?")                                    \
    X(BOX_STATE, "UPDATE mailbox SET uid_next = ?2, modseq = ?3, messages = ?4, unseen = ?5 WHERE id = ?1")  \
    X(BOX_RECENT, "UPDATE mailbox SET recent_from = ?2 WHERE id = ?1")                                       \
    X(BOX_GIVE_UP, "UPDATE mailbox SET user_id = NULL, name = '' WHERE id = ?")                              \
    X(BOX_REMOVE, "DELETE FROM mailbox WHERE id = ?")                                                        \
    X(BOX_GIVEN_UP, "SELECT id FROM mailbox WHERE user_id IS NULL LIMIT 1")                                  \
    X(MESSAGE_ADD,                                                                                           \
      "INSERT INTO message(mailbox_id, uid, modseq, flags, keywords, date_ms, size_bytes, body_id)"          \
      " VALUES(?, ?, ?, ?, ?, ?, ?, ?)")                                                                     \
    X(MESSAGE_GET, MESSAGE_COLUMNS "mailbox_id = ? AND uid = ?")                                             \
    X(MESSAGE_FROM, MESSAGE_COLUMNS "mailbox_id = ? AND uid >= ? ORDER BY uid LIMIT 1")                      \
    X(MESSAGE_ALL, MESSAGE_COLUMNS "mailbox_id = ? ORDER BY uid")                                            \
    X(MESSAGE_SINCE, MESSAGE_COLUMNS "mailbox_id = ? AND modseq > ? ORDER BY uid")                           \
    X(MESSAGE_RECENT, "SELECT count(*) FROM message WHERE mailbox_id = ? AND uid >= ?")                      \
    X(MESSAGE_FLAG,                                                                                          \
      "UPDATE message SET modseq = ?3, flags = ?4, keywords = ?5 WHERE mailbox_id = ?1 AND uid = ?2")        \
    X(MESSAGE_REMOVE, "DELETE FROM message WHERE mailbox_id = ? AND uid = ?")                                \
    X(EXPUNGED_ADD, "INSERT INTO expunged(mailbox_id, modseq, uid) VALUES(?, ?, ?)")                         \
    X(EXPUNGED_SINCE, "SELECT uid FROM expunged WHERE mailbox_id = ? AND modseq > ? ORDER BY uid")           \
    X(EXPUNGED_REMOVE, "DELETE FROM expunged WHERE mailbox_id = ?")                                          \
    X(DELIVERED_ADD, "INSERT INTO delivered(user_id, custody_id) VALUES(?, ?) ON CONFLICT DO NOTHING"        \
                     " RETURNING user_id")                                                                   \
    X(DELIVERED_FIND, "SELECT 1 FROM delivered WHERE user_id = ? AND custody_id = ?")                        \
    X(DELIVERED_USERS,                                                                                       \
      "SELECT u.address FROM \"user\" u CROSS JOIN delivered d ON d.user_id = u.id AND d.custody_id = ?")

enum mail_sql { MAIL_SQL_FIRST = SQL_BODY_COUNT - 1, MAIL_SQL_LIST(SQL_ENUM) SQL_MAIL_COUNT };

#endif
