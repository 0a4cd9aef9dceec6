#include "store/front.h"

void watchers_init(struct watchers *l)
{
    *l = (struct watchers){0};
    list_init(&l->head);
}

void watchers_fini(struct watchers *l)
{
    if (l->gone)
        *l->gone = true;
    LIST_FOREACH (it, &l->head) {
        LIST_ENTRY(it, struct watcher, node)->list = NULL;
        list_remove(it);
    }
}

bool watchers_empty(const struct watchers *l)
{
    return list_empty(&l->head);
}

void watchers_add(struct watchers *l, struct watcher *w)
{
    w->list = l;
    list_append(&l->head, &w->node);
}

void watchers_remove(struct watcher *w)
{
    if (w->list && w->list->next == &w->node)
        w->list->next = w->node.next;
    list_remove(&w->node);
    w->list = NULL;
}

bool watchers_tell(struct watchers *l, int64_t key)
{
    bool gone = false;
    l->gone = &gone; // cppcheck-suppress autoVariables ; cleared below
    l->next = l->head.next;
    while (!gone && l->next != &l->head) {
        struct watcher *w = LIST_ENTRY(l->next, struct watcher, node);
        l->next = w->node.next;
        if (w->key == key)
            w->on_change(w->arg);
    }
    if (gone)
        return false;
    l->next = NULL;
    l->gone = NULL;
    return true;
}
