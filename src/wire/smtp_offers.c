#include "wire/smtp_offers.h"

#include "base/err.h"

/* 0 is no limit that anything could be sent under. */
static void take_number(struct str text, uint64_t *ret_value)
{
    uint64_t value;
    if (str_to_u64(text, UINT64_MAX, &value) == 0 && value > 0)
        *ret_value = value;
}

static void take_limits(struct smtp_offers *o, struct str args)
{
    struct str limit, name;
    while (str_split(&args, ' ', &limit)) {
        str_split(&limit, '=', &name);
        if (!limit.ptr)
            continue;
        if (str_ieq(name, STR("RCPTMAX")))
            take_number(limit, &o->recipients_max);
        if (str_ieq(name, STR("MAILMAX")))
            take_number(limit, &o->messages_max);
        if (str_ieq(name, STR("RCPTDOMAINMAX")))
            take_number(limit, &o->domains_max);
    }
}

void smtp_offers_take(struct smtp_offers *o, struct str line)
{
    struct str rest = line, keyword;
    str_split(&rest, ' ', &keyword);
    struct str args = rest.ptr ? str_trim(rest) : STR_EMPTY;
    if (str_ieq(keyword, STR("8BITMIME"))) {
        o->eight_bit_mime = true;
    } else if (str_ieq(keyword, STR("SMTPUTF8"))) {
        o->smtputf8 = true;
    } else if (str_ieq(keyword, STR("SIZE"))) {
        o->size = true;
        take_number(args, &o->size_max_bytes);
    } else if (str_ieq(keyword, STR("LIMITS"))) {
        take_limits(o, args);
    }
}

void smtp_offers_seen(struct smtp_offers *known, const struct smtp_offers *seen)
{
    if (known->tls && !seen->tls)
        return;
    *known = *seen;
    known->known = true;
}
