#include "loop/sim_random.h"

#include <string.h>

#include "base/check.h"

uint64_t sim_random_mix(uint64_t value)
{
    value += 0x9E3779B97F4A7C15u;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
    return value ^ (value >> 31);
}

void sim_random_init(struct sim_random *r, uint64_t seed)
{
    for (size_t i = 0; i < ARRAY_LEN(r->state); i++)
        r->state[i] = sim_random_mix(seed + i * 0x9E3779B97F4A7C15u);
}

static uint64_t rotate_left(uint64_t value, int bits)
{
    return (value << bits) | (value >> (64 - bits));
}

uint64_t sim_random_next(struct sim_random *r)
{
    uint64_t *s = r->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

/* Values below the remainder of 2^64 by n would make small results likelier. */
uint64_t sim_random_range(struct sim_random *r, uint64_t n)
{
    CHECK(n > 0);
    uint64_t remainder = (0 - n) % n, value;
    do
        value = sim_random_next(r);
    while (value < remainder);
    return value % n;
}

void sim_random_fill(struct sim_random *r, void *out, size_t len)
{
    for (char *at = out; len > 0;) {
        uint64_t value = sim_random_next(r);
        size_t part = len < sizeof(value) ? len : sizeof(value);
        memcpy(at, &value, part);
        at += part;
        len -= part;
    }
}
