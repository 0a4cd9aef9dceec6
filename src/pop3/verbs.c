#include "pop3/command.h"

static const struct pop3_verb verbs[] = {
    {"CAPA", POP3_AUTHORIZATION | POP3_TRANSACTION, pop3_cmd_capa},
    {"QUIT", POP3_AUTHORIZATION | POP3_TRANSACTION, pop3_cmd_quit},
    {"USER", POP3_AUTHORIZATION, pop3_cmd_user},
    {"PASS", POP3_AUTHORIZATION, pop3_cmd_pass},
    {"AUTH", POP3_AUTHORIZATION, pop3_cmd_auth},
    {"STLS", POP3_AUTHORIZATION, pop3_cmd_stls},
    {"STAT", POP3_TRANSACTION, pop3_cmd_stat},
    {"LIST", POP3_TRANSACTION, pop3_cmd_list},
    {"UIDL", POP3_TRANSACTION, pop3_cmd_uidl},
    {"RETR", POP3_TRANSACTION, pop3_cmd_retr},
    {"TOP", POP3_TRANSACTION, pop3_cmd_top},
    {"DELE", POP3_TRANSACTION, pop3_cmd_dele},
    {"RSET", POP3_TRANSACTION, pop3_cmd_rset},
    {"NOOP", POP3_TRANSACTION, pop3_cmd_noop},
};

const struct pop3_verb *pop3_verb_find(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (str_ieq(name, str_from(verbs[i].name)))
            return &verbs[i];
    return NULL;
}
