#include "agent/back.h"

#include "format/hex.h"
#include "trust/cohort.h"

#include <string.h>

enum { BACK_VERSION = 1 };

struct back_path { char text[sizeof("streams//withdrawn") + SLOT_NAME_BYTES]; };
static struct back_path back_path(const char *stream)
{
        struct back_path path;
        snprintf(path.text, sizeof(path.text), "streams/%s/withdrawn", stream);
        return path;
}

enum err back_keep(struct disk *disk, const char *stream, const struct withdrawal *withdrawal, struct why *why)
{
        const struct back_record record = { { 'F', 'B', 'W', 'D' }, BACK_VERSION, withdrawal->counter, withdrawal->since_s, withdrawal->over_s };
        return disk->ops->replace(disk, back_path(stream).text, &record, sizeof(record), why);
}

bool back_read(struct disk *disk, const char *stream, struct withdrawal *ret_withdrawal)
{
        struct back_record record;
        struct why why;
        OWN(buf) struct buf bytes;
        buf_init(&bytes, 4096);
        if (disk->ops->read(disk, back_path(stream).text, &bytes, &why) || bytes.length != sizeof(record))
                return false;
        memcpy(&record, bytes.bytes, sizeof(record));
        const struct withdrawal withdrawal = { record.counter, record.since_s, record.over_s };
        if (memcmp(record.magic, "FBWD", 4) != 0 || record.version != BACK_VERSION || !withdrawal_is_valid(&withdrawal))
                return false;
        *ret_withdrawal = withdrawal;
        return true;
}

int64_t back_moment_ms(const struct withdrawal *withdrawal, const struct slot_release *release, const char *device, int64_t now_s)
{
        char salt[65];
        hex_encode(release->target, sizeof(release->target), salt);
        return withdrawal_moment_ms(withdrawal, cohort_bucket(salt, device), now_s * 1000);
}
