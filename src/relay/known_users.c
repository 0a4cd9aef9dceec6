#include "relay/known_users.h"

#define REVISION_NONE (-1)

void known_users_init(struct known_users *k, struct network *n, struct recipients *recipients)
{
    *k = (struct known_users){.network = n, .recipients = recipients, .revision = REVISION_NONE};
}

void known_users_fini(struct known_users *k)
{
    if (k->op)
        store_op_forget(k->op);
    k->op = NULL;
}

static void on_users(void *arg, int err, const struct network_record *records, size_t count)
{
    struct known_users *k = arg;
    k->op = NULL;
    if (err) {
        k->revision = REVISION_NONE; /* the next view asks again */
        return;
    }
    recipients_directory_begin(k->recipients);
    for (size_t i = 0; i < count; i++)
        recipients_directory_add(k->recipients, records[i].key);
    recipients_directory_end(k->recipients);
}

void known_users_on_view(struct known_users *k, const struct view *v)
{
    if (k->op || k->revision == v->users_revision)
        return;
    k->revision = v->users_revision;
    k->op = network_read(k->network, STR("user"), (struct str){NULL, 0}, on_users, k);
}
