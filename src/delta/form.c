#include "delta/form.h"

#include <inttypes.h>
#include <string.h>

static const char magic[8] = "FBdelta1";

static uint32_t number_at(const char *bytes)
{
        const unsigned char *at = (const unsigned char *)bytes;
        return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void add_number(struct buf *into, uint32_t number)
{
        const unsigned char bytes[4] = { (unsigned char)number, (unsigned char)(number >> 8), (unsigned char)(number >> 16), (unsigned char)(number >> 24) };
        buf_add(into, bytes, sizeof(bytes));
}

enum err delta_form_length(const char head[DELTA_HEAD_BYTES], size_t *ret_length, struct why *why)
{
        if (memcmp(head, magic, sizeof(magic)) != 0)
                return FAIL(why, ERR_SYNTAX, "not a delta");
        const uint32_t note = number_at(head + 8), count = number_at(head + 12);
        if (!note || note > LIMIT_NOTE_BYTES || !count || count > DELTA_COUNT_MAX)
                return FAIL(why, ERR_LIMIT, "a delta of %" PRIu32 " segments with a note of %" PRIu32 " bytes", count, note);
        *ret_length = DELTA_HEAD_BYTES + 4 * (size_t)count;
        return OK;
}

enum err delta_form_read(const char *bytes, size_t length, uint64_t file_length, struct delta_form *ret_form, struct why *why)
{
        size_t wanted = 0;
        enum err e = length < DELTA_HEAD_BYTES ? FAIL(why, ERR_SYNTAX, "a delta that is cut off") : delta_form_length(bytes, &wanted, why);
        if (!e && length != wanted)
                e = FAIL(why, ERR_SYNTAX, "a delta that is cut off");
        if (e)
                return e;
        uint64_t sum = length;
        ret_form->note_length = number_at(bytes + 8);
        ret_form->count = number_at(bytes + 12);
        for (size_t i = 0; i < ret_form->count; i++) {
                ret_form->packed[i] = number_at(bytes + DELTA_HEAD_BYTES + 4 * i);
                if (!ret_form->packed[i] || ret_form->packed[i] > DELTA_PACKED_MAX)
                        return FAIL(why, ERR_LIMIT, "a segment of %" PRIu32 " bytes in a delta", ret_form->packed[i]);
                sum += ret_form->packed[i];
        }
        return sum == file_length ? OK : FAIL(why, ERR_SYNTAX, "a delta of %" PRIu64 " bytes whose parts are %" PRIu64, file_length, sum);
}

void delta_form_write(const struct delta_form *form, struct buf *into)
{
        buf_add(into, magic, sizeof(magic));
        add_number(into, form->note_length);
        add_number(into, (uint32_t)form->count);
        for (size_t i = 0; i < form->count; i++)
                add_number(into, form->packed[i]);
}
