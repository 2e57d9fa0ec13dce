#include "agent/before.h"

#include "agent/slot_record.h"
#include "base/crc32.h"

#include <stddef.h>
#include <string.h>

enum { BEFORE_VERSION = 1 };

struct before_path { char text[sizeof("streams//before") + SLOT_NAME_BYTES]; };
static struct before_path before_path(const char *stream)
{
        struct before_path path;
        snprintf(path.text, sizeof(path.text), "streams/%s/before", stream);
        return path;
}

static void mix(uint32_t *sum, const char *text)
{
        *sum = *sum * 31 + crc32_of(text, strlen(text));
}

uint32_t before_probes(const struct agent_stream_config *stream)
{
        uint32_t sum = 1;
        for (size_t i = 0; i < stream->probes.count; i++) {
                const struct agent_probe *probe = agent_config_probe(stream, i);
                mix(&sum, agent_probe_kind_name(probe->kind));
                mix(&sum, probe->unit ? probe->unit : "");
                for (size_t k = 0; k < probe->files.count; k++)
                        mix(&sum, probe->files.items[k]);
        }
        return sum;
}

bool before_is_word(const char *text)
{
        return strlen(text) < BEFORE_WORD_BYTES && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(text);
}

static uint32_t record_crc(const struct before_record *record)
{
        const size_t skip = offsetof(struct before_record, version);
        return crc32_of((const uint8_t *)record + skip, sizeof(*record) - skip);
}

enum err before_keep(struct disk *disk, const char *stream, const struct before *before, struct why *why)
{
        struct before_record record = { { 'F', 'B', 'B', 'F' }, 0, BEFORE_VERSION, *before };
        record.crc = record_crc(&record);
        return disk->ops->replace(disk, before_path(stream).text, &record, sizeof(record), why);
}

static bool is_sound(const struct before *before)
{
        for (size_t i = 0; i < AGENT_PROBES_MAX; i++)
                if (!memchr(before->words[i], 0, BEFORE_WORD_BYTES) || !before_is_word(before->words[i]))
                        return false;
        return true;
}

bool before_read(struct disk *disk, const char *stream, struct before *ret_before)
{
        struct before_record record;
        struct why why;
        OWN(buf) struct buf bytes;
        buf_init(&bytes, 4096);
        if (disk->ops->read(disk, before_path(stream).text, &bytes, &why) || bytes.length != sizeof(record))
                return false;
        memcpy(&record, bytes.bytes, sizeof(record));
        if (memcmp(record.magic, "FBBF", 4) != 0 || record.crc != record_crc(&record) || record.version != BEFORE_VERSION || !is_sound(&record.before))
                return false;
        *ret_before = record.before;
        return true;
}
