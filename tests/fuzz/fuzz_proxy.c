/* The PROXY protocol's header under any bytes: the first byte chooses how they are cut, which changes
 * nothing. */
#include <stdint.h>

#include "net/proxy_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    int rc;
    size_t used;
    struct proxy_said said;
};

static struct outcome play(struct str bytes, size_t piece)
{
    struct outcome o = {.rc = 0};
    struct proxy_header h = {.len = 0};
    while (o.rc == 0 && o.used < bytes.len) {
        struct str part = str_sub(bytes, o.used, piece);
        size_t used;
        o.rc = proxy_header_read(&h, part.ptr, part.len, &used, &o.said);
        CHECK(used <= part.len && (o.rc != 0 || used == part.len));
        o.used += used;
    }
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct str bytes = {(const char *)data + 1, size - 1};
    struct outcome whole = play(bytes, bytes.len), cut = play(bytes, 1 + data[0] % 40);
    CHECK(whole.rc == cut.rc && whole.used == cut.used);
    if (whole.rc != 1)
        return 0;
    CHECK(whole.said.has_client == cut.said.has_client);
    CHECK(!whole.said.has_client ||
          (addr_eq(&whole.said.client, &cut.said.client) && addr_eq(&whole.said.local, &cut.said.local)));
    CHECK(!whole.said.has_client || whole.said.client.u.sa.sa_family == AF_INET ||
          whole.said.client.u.sa.sa_family == AF_INET6);
    return 0;
}
