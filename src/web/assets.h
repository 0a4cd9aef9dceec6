/* The page's files, from web/ of the source tree, put into the program when it
 * is built (embed.py makes the table). Read-only; any thread. */
#ifndef HOLDFAST_WEB_ASSETS_H
#define HOLDFAST_WEB_ASSETS_H

#include <stddef.h>

#include "base/str.h"

struct asset {
    const char *path; /* of the URL: "/app.js" */
    const char *type; /* media type */
    struct str body;
};

extern const struct asset web_assets[];
extern const size_t web_asset_count;

#endif
