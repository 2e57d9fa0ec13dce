/* back.h - what a device was told of the withdrawal of what it runs, and when it goes back for it.
 *
 * One small file a stream, so that a restart without network neither forgets the withdrawal nor hastens it, and `status` can say
 * when. It speaks of one release and counts for nothing while another one runs; who lacks it hears it from the server again. */
#pragma once

#include "agent/slot_record.h"
#include "base/err.h"
#include "platform/disk.h"
#include "trust/withdrawal.h"

/* On disk (streams/NAME/withdrawn), and therefore frozen. */
struct back_record {
        char magic[4];                   /* "FBWD" */
        uint32_t version;
        uint64_t counter;
        int64_t since_s, over_s;
};
_Static_assert(sizeof(struct back_record) == 32, "on-disk format");

MUST_CHECK enum err back_keep(struct disk *disk, const char *stream, const struct withdrawal *withdrawal, struct why *why);
/* False: nothing is kept, or nothing that makes sense. */
bool back_read(struct disk *disk, const char *stream, struct withdrawal *ret_withdrawal);

/* Of a device, by its id as text, whose clock says `now_s`; unix milliseconds. */
int64_t back_moment_ms(const struct withdrawal *withdrawal, const struct slot_release *release, const char *device, int64_t now_s);
