#include "config/findings.h"
#include "config/postgres_url.h"
#include "config/rules.h"

void rules_check_store(struct build *b)
{
    const struct config *c = b->config;
    const struct tree_section *store = tree_first(b->root, "store");
    struct err_buf eb;
    if (!store)
        return;
    if (c->store_engine == STORE_POSTGRESQL && postgres_url_check(c->store_url, &eb) < 0)
        findings_add(b->findings, tree_line(store, "url"), "store: url %s", eb.text);
    if (c->store_engine != STORE_POSTGRESQL && c->store_url[0] && c->store_password_file[0])
        findings_add(b->findings, tree_line(store, "password_file"),
                     "store: password_file is for a url of postgresql: only; remove it");
}
