/* The slot record with a checksum that is right: what a disk does not do, and a program with a fault might. */
#include "agent/slot.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct memory { struct disk disk; struct slot_record record; };

static uint32_t crc32_of(const uint8_t *at, size_t length)
{
        uint32_t crc = ~0u;
        for (; length--; at++) {
                crc ^= *at;
                for (int bit = 0; bit < 8; bit++)
                        crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
        }
        return ~crc;
}

static enum err memory_read(struct disk *disk, const char *path, struct buf *into, struct why *why)
{
        (void)path;
        buf_add(into, &((struct memory *)disk)->record, sizeof(struct slot_record));
        return buf_check(into, why);
}

static enum err memory_replace(struct disk *disk, const char *path, const void *bytes, size_t length, struct why *why)
{
        (void)disk, (void)path, (void)bytes, (void)length, (void)why;
        return OK;
}

static enum err memory_open(struct disk *disk, const char *path, int *ret_file, uint64_t *ret_length, struct why *why)
{
        (void)disk, (void)path, (void)ret_file, (void)ret_length, (void)why;
        return ERR_NOT_FOUND;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        static const struct disk_ops ops = { .read = memory_read, .replace = memory_replace, .open = memory_open };
        static struct memory memory;
        memory = (struct memory){ .disk.ops = &ops };
        memcpy(&memory.record, bytes, length < sizeof(memory.record) ? length : sizeof(memory.record));
        memory.record.crc = crc32_of((const uint8_t *)&memory.record + 8, sizeof(memory.record) - 8);
        OWN(slots) struct slots *slots = NULL;
        if (slots_open_all(&memory.disk, &slots, NULL))
                return 0;
        slots_boot(slots, SLOT_START_GUARD, 1);
        if (slots_is_owed(slots) || slots_stop(slots, NULL))
                abort();
        return 0;
}
