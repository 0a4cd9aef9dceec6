#include "relay/spool_choice.h"

#include "base/err.h"

struct spool_choice spool_choose(int shared, bool has_spool, int spool)
{
    if (shared != ERR_UNAVAILABLE || !has_spool)
        return (struct spool_choice){false, shared};
    return (struct spool_choice){spool == 0, spool};
}
