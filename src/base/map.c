#include "base/map.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"

static uint64_t seed_k0, seed_k1;

void map_seed(const uint8_t seed[16])
{
    memcpy(&seed_k0, seed, 8);
    memcpy(&seed_k1, seed + 8, 8);
}

static inline uint64_t rotate(uint64_t x, int bits)
{
    return (x << bits) | (x >> (64 - bits));
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 (Aumasson and Bernstein), enough against collision floods. */
uint64_t map_hash(struct str key)
{
    uint64_t v[4] = {seed_k0 ^ 0x736f6d6570736575ULL, seed_k1 ^ 0x646f72616e646f6dULL,
                     seed_k0 ^ 0x6c7967656e657261ULL, seed_k1 ^ 0x7465646279746573ULL};
    uint64_t word;
    size_t at = 0;
    for (; at + 8 <= key.len; at += 8) {
        memcpy(&word, key.ptr + at, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    word = (uint64_t)key.len << 56;
    for (int shift = 0; at < key.len; at++, shift += 8)
        word |= (uint64_t)(uint8_t)key.ptr[at] << shift;
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void map_init(struct map *m)
{
    *m = (struct map){0};
}

void map_fini(struct map *m)
{
    for (struct map_entry *e = m->first, *next; e; e = next) {
        next = e->next;
        free(e);
    }
    free(m->buckets);
    map_init(m);
}

static struct map_entry **find_slot(const struct map *m, struct str key, uint64_t hash)
{
    struct map_entry **slot = &m->buckets[hash & (m->bucket_count - 1)];
    while (*slot && ((*slot)->hash != hash || !str_eq((*slot)->key, key)))
        slot = &(*slot)->chain;
    return slot;
}

void *map_find(const struct map *m, struct str key)
{
    if (m->len == 0)
        return NULL;
    struct map_entry *e = *find_slot(m, key, map_hash(key));
    return e ? e->value : NULL;
}

static void grow(struct map *m)
{
    size_t count = m->bucket_count ? 2 * m->bucket_count : 16;
    free(m->buckets);
    m->buckets = mem_calloc(count, sizeof(*m->buckets));
    m->bucket_count = count;
    for (struct map_entry *e = m->first; e; e = e->next) {
        struct map_entry **bucket = &m->buckets[e->hash & (count - 1)];
        e->chain = *bucket;
        *bucket = e;
    }
}

static struct map_entry *entry_new(struct str key, uint64_t hash, void *value)
{
    struct map_entry *e = mem_zalloc(sizeof(*e) + key.len + 1);
    char *text = (char *)(e + 1);
    if (key.len > 0)
        memcpy(text, key.ptr, key.len);
    e->key = (struct str){text, key.len};
    e->hash = hash;
    e->value = value;
    return e;
}

void *map_set(struct map *m, struct str key, void *value)
{
    CHECK(value != NULL);
    if (m->len >= m->bucket_count)
        grow(m);
    uint64_t hash = map_hash(key);
    struct map_entry **slot = find_slot(m, key, hash);
    if (*slot) {
        void *old = (*slot)->value;
        (*slot)->value = value;
        return old;
    }
    struct map_entry *e = entry_new(key, hash, value);
    *slot = e;
    e->prev = m->last;
    if (m->last)
        m->last->next = e;
    else
        m->first = e;
    m->last = e;
    m->len++;
    return NULL;
}

void *map_remove(struct map *m, struct str key)
{
    if (m->len == 0)
        return NULL;
    struct map_entry **slot = find_slot(m, key, map_hash(key));
    struct map_entry *e = *slot;
    if (!e)
        return NULL;
    *slot = e->chain;
    *(e->prev ? &e->prev->next : &m->first) = e->next;
    *(e->next ? &e->next->prev : &m->last) = e->prev;
    m->len--;
    void *value = e->value;
    free(e);
    return value;
}
