#include "agent/trusted_time.h"

#include <string.h>

enum { TIME_VERSION = 1, KEEP_EVERY_S = 3600 };      /* a write an hour spares flash; metadata that is signed offline lives for weeks */

static const char path[] = "trust/time";

void trusted_time_init(struct trusted_time *time)
{
        *time = (struct trusted_time){ .build_s = FIREBREAK_BUILD_TIME };
}

int64_t trusted_time_s(const struct trusted_time *time, int64_t clock_s)
{
        int64_t now_s = clock_s < time->build_s ? time->build_s : clock_s;
        return now_s < time->verified_s ? time->verified_s : now_s;
}

bool trusted_time_verified(struct trusted_time *time, int64_t now_s)
{
        if (time->verified_s < now_s)
                time->verified_s = now_s;
        return time->verified_s - time->kept_s >= KEEP_EVERY_S;
}

void trusted_time_read(struct trusted_time *time, struct disk *disk)
{
        struct time_record record;
        struct why why;
        OWN(buf) struct buf bytes;
        buf_init(&bytes, 4096);
        if (disk->ops->read(disk, path, &bytes, &why) || bytes.length != sizeof(record))
                return;
        memcpy(&record, bytes.bytes, sizeof(record));
        if (memcmp(record.magic, "FBTT", 4) == 0 && record.version == TIME_VERSION && record.verified_s >= 0)
                time->verified_s = time->kept_s = record.verified_s;
}

enum err trusted_time_keep(struct trusted_time *time, struct disk *disk, struct why *why)
{
        const struct time_record record = { { 'F', 'B', 'T', 'T' }, TIME_VERSION, time->verified_s };
        enum err e = disk->ops->replace(disk, path, &record, sizeof(record), why);
        if (!e)
                time->kept_s = time->verified_s;
        return e;
}
