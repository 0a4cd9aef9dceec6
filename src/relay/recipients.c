#include "relay/recipients.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "smtp/idn.h"
#include "wire/smtp_path.h"

#define LIST_LINE_MAX    1024 /* an address has at most 320 octets (RFC 5321 4.5.3.1) */
#define LIST_KEY_MAX     (LIST_LINE_MAX + IDN_NAME_MAX + 2)
#define LIST_ENTRIES_MAX 10000000 /* a bound; the largest providers' directories are shared out by domain */

static char mark; /* what a set's keys map to */

/* The key of local-part@domain, as RCPT could name it: the domain by its A-labels. False: it is none. */
static bool key_of(struct str entry, char key[LIST_KEY_MAX])
{
    char path[LIST_LINE_MAX + 2], domain[IDN_NAME_MAX + 1];
    struct smtp_path parsed;
    snprintf(path, sizeof(path), "<%.*s>", STR_ARG(entry));
    struct str text = str_from(path);
    if (smtp_path_parse(&text, SMTP_PATH_FORWARD, true, &parsed) != 0 || text.len > 0 ||
        parsed.domain.len == 0 || idn_to_ascii(parsed.domain, domain) != 0)
        return false;
    snprintf(key, LIST_KEY_MAX, "%.*s@%s", STR_ARG(parsed.local_part), domain);
    ascii_lower_inplace(key, strlen(key));
    return true;
}

static int list_add(struct map *list, char *line, const char *path, int number, struct err_buf *eb)
{
    char key[LIST_KEY_MAX];
    struct str entry = str_trim(str_from(line));
    while (entry.len && (entry.ptr[entry.len - 1] == '\n' || entry.ptr[entry.len - 1] == '\r'))
        entry.len--;
    entry = str_trim(entry);
    if (entry.len == 0 || entry.ptr[0] == '#')
        return 0;
    if (!key_of(entry, key))
        return err_set(eb, ERR_SYNTAX, "%s:%d: '%.*s' is not an address: write local-part@domain, one a line",
                       path, number, STR_ARG(entry));
    if (list->len >= LIST_ENTRIES_MAX)
        return err_set(eb, ERR_LIMIT, "%s:%d: more than %d recipients", path, number, LIST_ENTRIES_MAX);
    map_set(list, str_from(key), &mark);
    return 0;
}

static int list_read(struct map *list, const char *path, struct err_buf *eb)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return err_set(eb, err_from_errno(errno), "%s: cannot read the recipients' list: %s", path,
                       strerror(errno));
    char line[LIST_LINE_MAX];
    int rc = 0;
    for (int number = 1; rc == 0 && fgets(line, sizeof(line), file); number++)
        rc = list_add(list, line, path, number, eb);
    if (rc == 0 && ferror(file))
        rc = err_set(eb, ERR_IO, "%s: reading failed: %s", path, strerror(errno));
    fclose(file);
    return rc;
}

static void free_list(struct map *list)
{
    if (!list)
        return;
    map_fini(list);
    free(list);
}

static int new_list(const char *path, struct map **ret_list, struct err_buf *eb)
{
    struct map *list = mem_zalloc(sizeof(*list));
    map_init(list);
    int rc = list_read(list, path, eb);
    if (rc < 0)
        free_list(list);
    else
        *ret_list = list;
    return rc;
}

int recipients_check_file(const char *path, struct err_buf *eb)
{
    struct map *list;
    int rc = new_list(path, &list, eb);
    if (rc == 0)
        free_list(list);
    return rc;
}

static void free_lists(struct map *lists)
{
    for (struct map_entry *e = lists->first; e; e = e->next)
        free_list(e->value);
    map_fini(lists);
}

static int read_lists(const struct config *config, struct map *lists, struct err_buf *eb)
{
    for (size_t i = 0; i < config->domain_count; i++) {
        const struct config_domain *domain = &config->domains[i];
        if (domain->recipients != RECIPIENTS_LIST)
            continue;
        struct map *list;
        int rc = new_list(domain->recipients_file, &list, eb);
        if (rc < 0)
            return rc;
        map_set(lists, str_from(domain->name), list);
    }
    return 0;
}

int recipients_reload(struct recipients *r, struct err_buf *eb)
{
    struct map lists;
    map_init(&lists);
    int rc = read_lists(r->config, &lists, eb);
    if (rc < 0) {
        free_lists(&lists);
        return rc;
    }
    free_lists(&r->lists);
    r->lists = lists;
    return 0;
}

int recipients_reload_list(struct recipients *r, const struct config_domain *domain, size_t *ret_count,
                           struct err_buf *eb)
{
    const struct map *old = map_find(&r->lists, str_from(domain->name));
    struct map *list;
    int rc = new_list(domain->recipients_file, &list, eb);
    if (rc < 0)
        return rc;
    if (list->len == 0 && old && old->len > 0) {
        free_list(list);
        return err_set(eb, ERR_INVALID, "%s: there is no address in it", domain->recipients_file);
    }
    *ret_count = list->len;
    free_list(map_set(&r->lists, str_from(domain->name), list));
    return 0;
}

int recipients_init(struct recipients *r, const struct config *config, struct err_buf *eb)
{
    *r = (struct recipients){.config = config};
    map_init(&r->directory);
    map_init(&r->lists);
    return recipients_reload(r, eb);
}

void recipients_fini(struct recipients *r)
{
    free_lists(&r->lists);
    map_fini(&r->directory);
}

void recipients_directory_begin(struct recipients *r)
{
    map_fini(&r->directory);
}

void recipients_directory_add(struct recipients *r, struct str address)
{
    map_set(&r->directory, address, &mark);
}

void recipients_directory_end(struct recipients *r)
{
    r->directory_known = true;
}

/* local_part@domain in lower case, without a +detail when plain is set. */
static struct str make_address(char *out, size_t size, struct str local_part, struct str domain, bool plain)
{
    size_t plus = str_find(local_part, '+', 1);
    if (plain && plus != SIZE_MAX)
        local_part.len = plus;
    int len = snprintf(out, size, "%.*s@%.*s", STR_ARG(local_part), STR_ARG(domain));
    if (len < 0 || (size_t)len >= size)
        return STR_EMPTY;
    ascii_lower_inplace(out, (size_t)len);
    return (struct str){out, (size_t)len};
}

static bool in_set(const struct map *set, struct str local_part, struct str domain)
{
    char text[LIST_LINE_MAX];
    return map_find(set, make_address(text, sizeof(text), local_part, domain, true));
}

static bool in_set_exactly(const struct map *set, struct str local_part, struct str domain)
{
    char text[LIST_LINE_MAX];
    return map_find(set, make_address(text, sizeof(text), local_part, domain, false));
}

/* The part that another server may take for an address of its own: a percent, a path of UUCP, or what was
 * quoted. */
static bool is_routed(struct str local_part)
{
    for (size_t i = 0; i < local_part.len; i++)
        if (memchr("@%!", local_part.ptr[i], 3))
            return true;
    return false;
}

static const struct map *set_of(const struct recipients *r, const struct config_domain *domain)
{
    if (domain->recipients == RECIPIENTS_DIRECTORY)
        return &r->directory;
    return domain->recipients == RECIPIENTS_LIST ? map_find(&r->lists, str_from(domain->name)) : NULL;
}

static enum recipient_answer answer_for(const struct recipients *r, const struct config_domain *domain,
                                        struct str local_part, struct str name)
{
    const struct map *set = set_of(r, domain);
    if (domain->recipients == RECIPIENTS_DIRECTORY && !r->directory_known)
        return RECIPIENT_NOT_NOW;
    if (set && in_set_exactly(set, local_part, name))
        return RECIPIENT_OURS;
    if (domain->routed == ROUTED_REFUSE && is_routed(local_part))
        return RECIPIENT_ROUTED;
    if (set && in_set(set, local_part, name))
        return RECIPIENT_OURS;
    if (domain->recipients == RECIPIENTS_LIST)
        return RECIPIENT_UNKNOWN;
    return domain->recipients == RECIPIENTS_ANY ? RECIPIENT_OURS : RECIPIENT_ASK;
}

enum recipient_answer recipients_check(const struct recipients *r, struct str local_part, struct str domain,
                                       const struct config_domain **ret_domain)
{
    bool postmaster = str_ieq(local_part, STR("postmaster"));
    const struct config_domain *found = config_domain_find(r->config, domain);
    if (postmaster && domain.len == 0 && r->config->domain_count > 0)
        found = &r->config->domains[0];
    if (!found)
        return RECIPIENT_NOT_OURS;
    enum recipient_answer answer = postmaster ? RECIPIENT_OURS : answer_for(r, found, local_part, domain);
    if (answer == RECIPIENT_OURS || answer == RECIPIENT_ASK)
        *ret_domain = found;
    return answer;
}

bool recipients_has_domain_of(const struct recipients *r, struct str address)
{
    char domain[IDN_NAME_MAX + 1];
    size_t at = address.len;
    while (at > 0 && address.ptr[at - 1] != '@')
        at--;
    return idn_to_ascii(str_sub(address, at, address.len), domain) == 0 &&
           config_domain_find(r->config, str_from(domain)) != NULL;
}

struct smtp_reply recipients_refusal(enum recipient_answer answer)
{
    switch (answer) {
    case RECIPIENT_NOT_OURS:
        return SMTP_REPLY(550, 5, 7, 1, "Relaying denied: not a domain of this network");
    case RECIPIENT_ROUTED:
        return SMTP_REPLY(550, 5, 7, 1, "Relaying denied: an address within an address");
    case RECIPIENT_NOT_NOW:
        return SMTP_REPLY(451, 4, 3, 0, "The directory of users is not available now, try again later");
    default:
        return SMTP_REPLY(550, 5, 1, 1, "No such user here");
    }
}
