#include "simulation/ledger_rig.h"

#include <stdio.h>

int history_begin(void **state)
{
    struct history *h = calloc(1, sizeof(*h));
    struct str recipients[] = {ALICE, BOB};
    h->ledger = ledger_new();
    h->tag = ledger_attempt(h->ledger, recipients, 2);
    snprintf(h->message, sizeof(h->message), "Ledger-Tag: %lld\r\nSubject: x\r\n\r\nbody\r\n",
             (long long)h->tag);
    ledger_content(h->ledger, h->tag, str_from(h->message));
    *state = h;
    return 0;
}

int history_end(void **state)
{
    struct history *h = *state;
    ledger_free(h->ledger);
    free(h);
    return 0;
}

void history_accept(struct history *h)
{
    ledger_answer(h->ledger, h->tag, ALICE, LEDGER_ACCEPTED);
    ledger_answer(h->ledger, h->tag, BOB, LEDGER_ACCEPTED);
}

void history_show_with(struct history *h, struct str recipient, const char *head, const char *message,
                       uint32_t flags)
{
    char text[512];
    snprintf(text, sizeof(text), "%s%s", head, message);
    ledger_shown(h->ledger, recipient, str_from(text), flags);
}

void history_show(struct history *h, struct str recipient)
{
    history_show_with(h, recipient, TRACE, h->message, 0);
}

void history_assert_judged(struct history *h, const char *kind)
{
    struct ledger_counts counts;
    struct buf out;
    buf_init(&out, 4096);
    ledger_check(h->ledger, &out, &counts);
    if (counts.violations != (kind[0] != '\0') || !str_starts(buf_str(&out), str_from(kind)))
        fail_msg("expected \"%s\", judged (%zu): %s", kind, counts.violations, buf_data(&out));
    buf_fini(&out);
}
