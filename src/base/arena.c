#include "base/arena.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"

#define ARENA_BLOCK_BYTES 4096

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    max_align_t data[];
};

void arena_init(struct arena *a, size_t cap_bytes)
{
    *a = (struct arena){.cap_bytes = cap_bytes};
}

static void free_blocks(struct arena_block *block)
{
    while (block) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
}

void arena_fini(struct arena *a)
{
    free_blocks(a->blocks);
    arena_init(a, a->cap_bytes);
}

void arena_clear(struct arena *a)
{
    if (a->blocks) {
        free_blocks(a->blocks->next);
        a->blocks->next = NULL;
        a->blocks->used = 0;
    }
    a->used_bytes = 0;
}

static size_t align_up(size_t size)
{
    size_t align = _Alignof(max_align_t);
    return (size + align - 1) & ~(align - 1);
}

static struct arena_block *add_block(struct arena *a, size_t size)
{
    size_t bytes = size > ARENA_BLOCK_BYTES ? size : ARENA_BLOCK_BYTES;
    struct arena_block *block = mem_alloc(sizeof(*block) + bytes);
    block->next = a->blocks;
    block->size = bytes;
    block->used = 0;
    a->blocks = block;
    return block;
}

void *arena_alloc(struct arena *a, size_t size)
{
    if (size > a->cap_bytes || a->used_bytes > a->cap_bytes - size)
        return NULL;
    size_t need = align_up(size ? size : 1);
    struct arena_block *block = a->blocks;
    if (!block || block->size - block->used < need)
        block = add_block(a, need);
    void *ptr = (char *)block->data + block->used;
    block->used += need;
    a->used_bytes += size;
    memset(ptr, 0, size);
    return ptr;
}

char *arena_strdup(struct arena *a, struct str s)
{
    char *copy = arena_alloc(a, s.len + 1);
    if (copy && s.len > 0)
        memcpy(copy, s.ptr, s.len);
    return copy;
}

struct str arena_str(struct arena *a, struct str s)
{
    char *copy = arena_strdup(a, s);
    return (struct str){copy, copy ? s.len : 0};
}
