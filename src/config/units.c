#include "config/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

struct unit {
    const char *suffix;
    int64_t factor;
};

static const struct unit durations[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
static const struct unit sizes[] = {
    {"B", 1}, {"KiB", 1024}, {"MiB", 1024 * 1024}, {"GiB", 1024 * 1024 * 1024}};

static int parse_with_unit(struct str text, const struct unit *units, size_t count, int64_t *ret_value)
{
    size_t digits = 0;
    while (digits < text.len && ascii_isdigit(text.ptr[digits]))
        digits++;
    struct str suffix = str_sub(text, digits, SIZE_MAX);
    for (size_t i = 0; i < count; i++) {
        uint64_t number;
        if (!str_eq(suffix, str_from(units[i].suffix)))
            continue;
        int err = str_to_u64(str_sub(text, 0, digits), (uint64_t)(INT64_MAX / units[i].factor), &number);
        if (err < 0)
            return err;
        *ret_value = (int64_t)number * units[i].factor;
        return 0;
    }
    return ERR_SYNTAX;
}

int units_parse_duration(struct str text, int64_t *ret_ms)
{
    return parse_with_unit(text, durations, ARRAY_LEN(durations), ret_ms);
}

int units_parse_rate(struct str text, struct rate *ret_rate)
{
    struct rate rate;
    uint64_t count;
    size_t slash = str_find(text, '/', 0);
    if (str_eq(text, STR("none"))) {
        *ret_rate = (struct rate){0, 0};
        return 0;
    }
    if (slash == SIZE_MAX)
        return ERR_SYNTAX;
    int err = str_to_u64(str_sub(text, 0, slash), RATE_COUNT_MAX, &count);
    if (err == 0)
        err = units_parse_duration(str_sub(text, slash + 1, text.len), &rate.per_ms);
    if (err < 0)
        return err;
    if (count == 0 || rate.per_ms < RATE_PER_MIN_MS || rate.per_ms > RATE_PER_MAX_MS)
        return ERR_LIMIT;
    rate.count = (int64_t)count;
    *ret_rate = rate;
    return 0;
}

int units_parse_size(struct str text, int64_t *ret_bytes)
{
    return parse_with_unit(text, sizes, ARRAY_LEN(sizes), ret_bytes);
}

void units_format_size(int64_t bytes, char *out, size_t size)
{
    size_t i = ARRAY_LEN(sizes) - 1;
    while (i > 0 && (bytes == 0 || bytes % sizes[i].factor != 0))
        i--;
    snprintf(out, size, "%" PRId64 "%s", bytes / sizes[i].factor, sizes[i].suffix);
}

static bool is_label(struct str label)
{
    if (label.len == 0 || label.len > 63 || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++)
        if (!ascii_isalnum(label.ptr[i]) && label.ptr[i] != '-')
            return false;
    return true;
}

static bool is_number(struct str label)
{
    for (size_t i = 0; i < label.len; i++)
        if (!ascii_isdigit(label.ptr[i]))
            return false;
    return true;
}

bool units_is_hostname(struct str text)
{
    struct str label = STR_EMPTY;
    if (text.len == 0 || text.len > 253)
        return false;
    while (str_split(&text, '.', &label))
        if (!is_label(label))
            return false;
    return !is_number(label);
}

bool units_is_name(struct str text)
{
    if (text.len == 0 || text.len > 63 || text.ptr[0] == '.' || text.ptr[0] == '-')
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!ascii_isalnum(text.ptr[i]) && !memchr("-_.", text.ptr[i], 3))
            return false;
    return true;
}

bool units_is_user(struct str text)
{
    if (text.len == 0 || text.len > 32 || ascii_isdigit(text.ptr[0]) || text.ptr[0] == '-')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!(c >= 'a' && c <= 'z') && !ascii_isdigit(c) && c != '_' && c != '-')
            return false;
    }
    return true;
}
