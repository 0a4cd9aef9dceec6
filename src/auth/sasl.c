#include "auth/sasl.h"

#include <sodium.h>
#include <string.h>

static const struct {
    const char *name;
    enum sasl_mechanism mechanism;
    enum sasl_stage first;
} mechanisms[] = {
    {"PLAIN", SASL_PLAIN, SASL_WANTS_MESSAGE},
    {"LOGIN", SASL_LOGIN, SASL_WANTS_USER},
};

static bool is_field(struct str field, size_t max)
{
    return field.len > 0 && field.len <= max && !memchr(field.ptr, '\0', field.len);
}

static int take_user(struct sasl *s, struct str user)
{
    if (!is_field(user, SASL_USER_MAX_BYTES))
        return ERR_SYNTAX;
    memcpy(s->user_text, user.ptr, user.len);
    ascii_lower_inplace(s->user_text, user.len);
    s->user_len = user.len;
    return 0;
}

static int take_password(struct sasl *s, struct str password)
{
    if (!is_field(password, PASSWORD_MAX_BYTES))
        return ERR_SYNTAX;
    memcpy(s->password_text, password.ptr, password.len);
    s->password_len = password.len;
    return 0;
}

/* [authzid] NUL authcid NUL passwd */
static int take_message(struct sasl *s, struct str message)
{
    struct str authzid, authcid, rest = message;
    if (!str_split(&rest, '\0', &authzid) || !str_split(&rest, '\0', &authcid) || !rest.ptr)
        return ERR_SYNTAX;
    int err = take_user(s, authcid);
    if (err == 0)
        err = take_password(s, rest);
    if (err < 0)
        return err;
    return authzid.len == 0 || str_ieq(authzid, authcid) ? 0 : ERR_DENIED;
}

static struct str challenge_of(const struct sasl *s)
{
    switch (s->stage) {
    case SASL_WANTS_USER:
        return STR("Username:");
    case SASL_WANTS_PASSWORD:
        return STR("Password:");
    case SASL_WANTS_MESSAGE:
    case SASL_FINISHED:
        break;
    }
    return STR_EMPTY;
}

/* Takes the response; the stage after it, or an error. */
static int advance(struct sasl *s, struct str response)
{
    int err;
    switch (s->stage) {
    case SASL_WANTS_MESSAGE:
        err = take_message(s, response);
        break;
    case SASL_WANTS_USER:
        err = take_user(s, response);
        s->stage = SASL_WANTS_PASSWORD;
        return err;
    case SASL_WANTS_PASSWORD:
        err = take_password(s, response);
        break;
    case SASL_FINISHED:
    default:
        return ERR_SYNTAX;
    }
    if (err == 0)
        s->stage = SASL_FINISHED;
    return err;
}

int sasl_respond(struct sasl *s, struct str response, struct str *ret_challenge)
{
    int err = advance(s, response);
    if (err < 0) {
        sasl_fini(s);
        return err;
    }
    *ret_challenge = challenge_of(s);
    return 0;
}

int sasl_start(struct sasl *s, struct str mechanism, const struct str *initial, struct str *ret_challenge)
{
    memset(s, 0, sizeof(*s));
    for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++) {
        if (!str_ieq(mechanism, str_from(mechanisms[i].name)))
            continue;
        s->mechanism = mechanisms[i].mechanism;
        s->stage = mechanisms[i].first;
        if (initial)
            return sasl_respond(s, *initial, ret_challenge);
        *ret_challenge = challenge_of(s);
        return 0;
    }
    return ERR_UNSUPPORTED;
}

bool sasl_finished(const struct sasl *s)
{
    return s->stage == SASL_FINISHED && s->password_len > 0;
}

struct str sasl_user(const struct sasl *s)
{
    return (struct str){s->user_text, s->user_len};
}

struct str sasl_password(const struct sasl *s)
{
    return (struct str){s->password_text, s->password_len};
}

void sasl_fini(struct sasl *s)
{
    sodium_memzero(s->password_text, sizeof(s->password_text));
    s->password_len = 0;
    s->stage = SASL_FINISHED;
}
