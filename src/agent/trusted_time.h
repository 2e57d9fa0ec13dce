/* trusted_time.h - the time that a device goes by: the latest of its clock, the build, and when it last found the server's word fresh.
 *
 * The last of these never goes back, also across restarts, so that a clock which does revives nothing that had expired by then. It is our
 * own clock at that moment: what the server signs decides whether it is remembered, not how late it is. So neither a server whose keys
 * were stolen nor a clock that leaps ahead for a while moves it; only both together can. */
#pragma once

#include "base/err.h"
#include "platform/disk.h"

#include <stdbool.h>

struct trusted_time { int64_t build_s, verified_s, kept_s; bool is_unread; };      /* unix seconds; kept: on disk */

void trusted_time_init(struct trusted_time *time);
int64_t trusted_time_s(const struct trusted_time *time, int64_t clock_s);
/* At `now_s`, trusted time, what the server signed was fresh. True: worth to be kept. */
bool trusted_time_verified(struct trusted_time *time, int64_t now_s);

/* On disk (trust/time), and therefore frozen. */
struct time_record {
        char magic[4];                   /* "FBTT" */
        uint32_t version;
        int64_t verified_s;
};
_Static_assert(sizeof(struct time_record) == 16, "on-disk format");
/* None, or none that makes sense: a new device's. An error: the disk does not say, also when asked again; it is_unread until it does. */
MUST_CHECK enum err trusted_time_read(struct trusted_time *time, struct disk *disk, struct why *why);
/* Never earlier than what is on disk: what is unread is read first, and an error when it cannot be. */
MUST_CHECK enum err trusted_time_keep(struct trusted_time *time, struct disk *disk, struct why *why);
