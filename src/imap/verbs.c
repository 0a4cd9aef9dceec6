#include "imap/verbs.h"

static const struct imap_verb verbs[] = {
    {"CAPABILITY", IMAP_ANY_STATE, false, imap_cmd_capability},
    {"NOOP", IMAP_ANY_STATE, false, imap_cmd_noop},
    {"LOGOUT", IMAP_ANY_STATE, false, imap_cmd_logout},
    {"ID", IMAP_ANY_STATE, false, imap_cmd_id},
    {"STARTTLS", IMAP_NOT_AUTHENTICATED, false, imap_cmd_starttls},
    {"LOGIN", IMAP_NOT_AUTHENTICATED, false, imap_cmd_login},
    {"AUTHENTICATE", IMAP_NOT_AUTHENTICATED, false, imap_cmd_authenticate},
    {"ENABLE", IMAP_LOGGED_IN, false, imap_cmd_enable},
    {"NAMESPACE", IMAP_LOGGED_IN, false, imap_cmd_namespace},
    {"SELECT", IMAP_LOGGED_IN, false, imap_cmd_select},
    {"EXAMINE", IMAP_LOGGED_IN, false, imap_cmd_select},
    {"CREATE", IMAP_LOGGED_IN, false, imap_cmd_create},
    {"DELETE", IMAP_LOGGED_IN, false, imap_cmd_delete},
    {"RENAME", IMAP_LOGGED_IN, false, imap_cmd_rename},
    {"SUBSCRIBE", IMAP_LOGGED_IN, false, imap_cmd_subscribe},
    {"UNSUBSCRIBE", IMAP_LOGGED_IN, false, imap_cmd_subscribe},
    {"LIST", IMAP_LOGGED_IN, false, imap_cmd_list},
    {"LSUB", IMAP_LOGGED_IN, false, imap_cmd_list},
    {"STATUS", IMAP_LOGGED_IN, false, imap_cmd_status},
    {"APPEND", IMAP_LOGGED_IN, false, imap_cmd_append},
    {"IDLE", IMAP_LOGGED_IN, false, imap_cmd_idle},
    {"CHECK", IMAP_SELECTED, false, imap_cmd_noop},
    {"CLOSE", IMAP_SELECTED, false, imap_cmd_close},
    {"UNSELECT", IMAP_SELECTED, false, imap_cmd_close},
    {"EXPUNGE", IMAP_SELECTED, false, imap_cmd_expunge},
    {"SEARCH", IMAP_SELECTED, true, imap_cmd_search},
    {"FETCH", IMAP_SELECTED, true, imap_cmd_fetch},
    {"STORE", IMAP_SELECTED, true, imap_cmd_store},
    {"COPY", IMAP_SELECTED, false, imap_cmd_copy},
    {"MOVE", IMAP_SELECTED, false, imap_cmd_copy},
};

/* Those that `UID` may stand before (RFC 3501 6.4.8, RFC 4315 2.1, RFC 6851 3.2). */
static const char *const uid_verbs[] = {"EXPUNGE", "SEARCH", "FETCH", "STORE", "COPY", "MOVE"};

static bool takes_uid(const struct imap_verb *verb)
{
    for (size_t i = 0; i < ARRAY_LEN(uid_verbs); i++)
        if (str_ieq(str_from(verb->name), str_from(uid_verbs[i])))
            return true;
    return false;
}

const struct imap_verb *imap_verb_find(struct str name, bool uid)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (str_ieq(name, str_from(verbs[i].name)))
            return !uid || takes_uid(&verbs[i]) ? &verbs[i] : NULL;
    return NULL;
}

bool imap_command_is(const struct imap_command *cmd, const char *name)
{
    return str_eq(str_from(cmd->verb->name), str_from(name));
}
