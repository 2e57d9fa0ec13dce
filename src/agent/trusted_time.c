#include "agent/trusted_time.h"

#include <string.h>

enum { READS = 3, RECORD_BYTES_MAX = 4096 };          /* a disk that failed once may not fail again */
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

static bool is_sound(const struct time_record *record)
{
        return memcmp(record->magic, "FBTT", 4) == 0 && record->version == TIME_VERSION && record->verified_s >= 0;
}

enum err trusted_time_read(struct trusted_time *time, struct disk *disk, struct why *why)
{
        struct time_record record;
        OWN(buf) struct buf bytes;
        buf_init(&bytes, RECORD_BYTES_MAX);
        enum err e = ERR_IO;
        for (unsigned tries = 0; e == ERR_IO && tries < READS; tries++) {
                buf_clear(&bytes);
                e = disk->ops->read(disk, path, &bytes, why);
        }
        time->is_unread = e && e != ERR_NOT_FOUND && e != ERR_LIMIT;
        if (time->is_unread)
                return DURING(why, e, "reading the time that was kept");
        if (e || bytes.length != sizeof(record))
                return OK;
        memcpy(&record, bytes.bytes, sizeof(record));
        if (!is_sound(&record))
                return OK;
        time->kept_s = record.verified_s;
        if (time->verified_s < record.verified_s)
                time->verified_s = record.verified_s;
        return OK;
}

enum err trusted_time_keep(struct trusted_time *time, struct disk *disk, struct why *why)
{
        enum err e = time->is_unread ? trusted_time_read(time, disk, why) : OK;
        if (e || time->verified_s <= time->kept_s)
                return e;
        const struct time_record record = { { 'F', 'B', 'T', 'T' }, TIME_VERSION, time->verified_s };
        e = disk->ops->replace(disk, path, &record, sizeof(record), why);
        if (!e)
                time->kept_s = time->verified_s;
        return e;
}
