#include "imap/view.h"

#include "base/buf.h"
#include "base/mem.h"

void imap_view_init(struct imap_view *v)
{
    *v = (struct imap_view){0};
    map_init(&v->keywords);
    map_init(&v->keyword_names);
}

void imap_view_fini(struct imap_view *v)
{
    for (struct map_entry *e = v->keywords.first; e; e = e->next)
        free(e->value);
    free(v->messages);
    free(v->name);
    map_fini(&v->keywords);
    map_fini(&v->keyword_names);
    imap_view_init(v);
}

static void note_names(struct imap_view *v, struct str keywords)
{
    struct str rest = keywords, one;
    while (rest.len > 0 && str_split(&rest, ' ', &one)) {
        if (map_find(&v->keyword_names, one))
            continue;
        map_set(&v->keyword_names, one, v);
        v->keywords_grew = true;
    }
}

/* One copy of each text: messages of a mailbox share few. */
static struct str intern(struct imap_view *v, struct str keywords)
{
    if (keywords.len == 0)
        return STR_EMPTY;
    char *copy = map_find(&v->keywords, keywords);
    if (!copy) {
        copy = str_dup(keywords);
        map_set(&v->keywords, keywords, copy);
        note_names(v, keywords);
    }
    return str_from(copy);
}

static struct imap_message *append_message(struct imap_view *v)
{
    if (v->count == v->capacity) {
        v->capacity = v->capacity ? v->capacity * 2 : 64;
        v->messages = mem_reallocarray(v->messages, v->capacity, sizeof(v->messages[0]));
    }
    struct imap_message *m = &v->messages[v->count++];
    *m = (struct imap_message){0};
    return m;
}

uint32_t imap_view_last_uid(const struct imap_view *v)
{
    return v->count > 0 ? v->messages[v->count - 1].uid : 0;
}

bool imap_view_is_recent(const struct imap_view *v, const struct imap_message *m)
{
    return m->uid >= v->recent_from && m->uid < v->recent_until;
}

size_t imap_view_recent_count(const struct imap_view *v)
{
    size_t count = 0;
    for (size_t i = v->count; i > 0 && v->messages[i - 1].uid >= v->recent_from; i--)
        count += imap_view_is_recent(v, &v->messages[i - 1]);
    return count;
}

struct imap_message *imap_view_find(const struct imap_view *v, uint32_t uid)
{
    size_t low = 0, high = v->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (v->messages[mid].uid < uid)
            low = mid + 1;
        else
            high = mid;
    }
    return low < v->count && v->messages[low].uid == uid ? &v->messages[low] : NULL;
}

static void apply_one(struct imap_view *v, const struct mail_message *change)
{
    struct imap_message *m = imap_view_find(v, change->uid);
    bool is_new = !m;
    if (is_new && change->uid < imap_view_last_uid(v))
        return; /* was expunged before this session saw it, and told so */
    if (is_new) {
        m = append_message(v);
        m->uid = change->uid;
        m->internal_date = change->internal_date;
        m->size_bytes = change->size_bytes;
        m->body_id = change->body_id;
    }
    bool changed = m->flags != change->flags || !str_eq(m->keywords, change->keywords);
    m->flags = change->flags;
    m->keywords = intern(v, change->keywords);
    m->report = m->report || (changed && !is_new);
}

void imap_view_apply(struct imap_view *v, const struct mail_messages *changes)
{
    for (size_t i = 0; i < changes->count; i++)
        apply_one(v, &changes->items[i]);
    for (size_t i = 0; i < changes->expunged_count; i++) {
        struct imap_message *m = imap_view_find(v, changes->expunged[i]);
        if (!m || m->gone)
            continue;
        m->gone = true;
        v->gone_count++;
    }
    v->modseq = changes->highest_modseq;
    v->uid_next = changes->uid_next;
}

void imap_view_drop_gone(struct imap_view *v, void (*on_drop)(void *arg, size_t sequence), void *arg)
{
    if (v->gone_count == 0)
        return;
    for (size_t sequence = v->count; sequence > 0; sequence--) {
        if (!v->messages[sequence - 1].gone)
            continue;
        if (sequence <= v->told_count) { /* others the client never heard of */
            on_drop(arg, sequence);
            v->told_count--;
        }
    }
    size_t kept = 0;
    for (size_t i = 0; i < v->count; i++)
        if (!v->messages[i].gone)
            v->messages[kept++] = v->messages[i];
    v->count = kept;
    v->gone_count = 0;
}

/* Takes the first of both sorted lists off, and says in which it was. */
static struct str next_keyword(struct str *a, struct str *b, bool *ret_in_a, bool *ret_in_b)
{
    struct str head_a = str_sub(*a, 0, str_find(*a, ' ', 0)), head_b = str_sub(*b, 0, str_find(*b, ' ', 0));
    int order = a->len == 0 ? 1 : b->len == 0 ? -1 : str_cmp(head_a, head_b);
    *ret_in_a = order <= 0;
    *ret_in_b = order >= 0;
    if (*ret_in_a)
        *a = str_sub(*a, head_a.len + 1, SIZE_MAX);
    if (*ret_in_b)
        *b = str_sub(*b, head_b.len + 1, SIZE_MAX);
    return *ret_in_a ? head_a : head_b;
}

static void merge_keywords(struct buf *out, struct str have, struct str given, bool remove)
{
    while (have.len > 0 || given.len > 0) {
        bool in_have, in_given;
        struct str keyword = next_keyword(&have, &given, &in_have, &in_given);
        if (remove && in_given)
            continue;
        if (out->len > 0)
            buf_append_char(out, ' ');
        buf_append_str(out, keyword);
    }
}

void imap_view_expect(struct imap_view *v, struct imap_message *m, enum mail_flags_mode mode, uint32_t flags,
                      struct str keywords)
{
    struct buf merged;
    buf_init(&merged, m->keywords.len + keywords.len + 1);
    switch (mode) {
    case MAIL_FLAGS_SET:
        m->flags = flags;
        buf_append_str(&merged, keywords);
        break;
    case MAIL_FLAGS_ADD:
        m->flags |= flags;
        merge_keywords(&merged, m->keywords, keywords, false);
        break;
    case MAIL_FLAGS_REMOVE:
        m->flags &= ~flags;
        merge_keywords(&merged, m->keywords, keywords, true);
        break;
    }
    m->keywords = intern(v, buf_str(&merged));
    buf_fini(&merged);
}
