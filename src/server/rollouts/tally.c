#include "server/rollouts/tally.h"

#include "base/buf.h"
#include "base/mem.h"

#include <string.h>

struct entry {
        size_t at, length;                       /* in the keys */
        uint32_t counts[TALLY_COUNTS];
};

struct tally {
        struct buf keys;
        struct entry *entries;
        uint32_t *slots;                         /* a number + 1; 0: free */
        uint32_t most, size, room, slot_mask;    /* room: entries there is memory for */
};

void tally_free(struct tally *tally)
{
        if (!tally)
                return;
        buf_done(&tally->keys);
        mem_free(tally->entries);
        mem_free(tally->slots);
        mem_free(tally);
}

enum err tally_new(uint32_t most, struct tally **ret_tally, struct why *why)
{
        enum { KEY_BYTES_MAX = 256, SLOTS_LEAST = 16 };
        OWN(tally) struct tally *tally = mem_new(1, sizeof(*tally));
        uint32_t slots = SLOTS_LEAST;
        while (slots < 2 * most)
                slots *= 2;
        if (!tally || !(tally->slots = mem_new(slots, sizeof(*tally->slots))))
                return FAIL(why, ERR_NOMEM, "out of memory for a tally");
        buf_init(&tally->keys, (size_t)most * KEY_BYTES_MAX);
        tally->most = most;
        tally->slot_mask = slots - 1;
        *ret_tally = GIVE(tally);
        return OK;
}

/* FNV-1a. */
static uint32_t hash_of(const void *bytes, size_t length)
{
        uint64_t hash = UINT64_C(0xCBF29CE484222325);
        for (size_t i = 0; i < length; i++)
                hash = (hash ^ ((const uint8_t *)bytes)[i]) * UINT64_C(0x100000001B3);
        return (uint32_t)(hash ^ hash >> 32);
}

/* Where it is, or would be. */
static uint32_t find_slot(const struct tally *tally, const void *bytes, size_t length)
{
        uint32_t slot = hash_of(bytes, length) & tally->slot_mask;
        for (; tally->slots[slot]; slot = (slot + 1) & tally->slot_mask) {
                const struct entry *entry = &tally->entries[tally->slots[slot] - 1];
                if (entry->length == length && memcmp(tally->keys.bytes + entry->at, bytes, length) == 0)
                        break;
        }
        return slot;
}

static enum err make_room(struct tally *tally, struct why *why)
{
        if (tally->size < tally->room)
                return OK;
        uint32_t room = tally->room ? 2 * tally->room : 64;
        struct entry *entries = mem_resize(tally->entries, room * sizeof(*entries));
        if (!entries)
                return FAIL(why, ERR_NOMEM, "out of memory for a tally");
        tally->entries = entries;
        tally->room = room;
        return OK;
}

enum err tally_number(struct tally *tally, const void *bytes, size_t length, uint32_t *ret_number, struct why *why)
{
        uint32_t slot = find_slot(tally, bytes, length);
        *ret_number = tally->slots[slot] ? tally->slots[slot] - 1 : tally_none;
        if (*ret_number != tally_none || tally->size == tally->most)
                return OK;
        enum err e = make_room(tally, why);
        if (e)
                return e;
        struct entry entry = { .at = tally->keys.length, .length = length };
        buf_add(&tally->keys, bytes, length);
        buf_add(&tally->keys, "", 1);
        e = buf_check(&tally->keys, why);
        if (e)
                return e;
        *ret_number = tally->size++;
        tally->entries[*ret_number] = entry;
        tally->slots[slot] = tally->size;
        return OK;
}

uint32_t tally_size(const struct tally *tally) { return tally->size; }
const void *tally_bytes(const struct tally *tally, uint32_t number) { return tally->keys.bytes + tally->entries[number].at; }
uint32_t *tally_counts(const struct tally *tally, uint32_t number) { return tally->entries[number].counts; }
