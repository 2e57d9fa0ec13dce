#include "delta/form.h"

#include "support/test.h"

#include <string.h>

static const struct delta_form plain = { .note_length = 300, .count = 3, .packed = { 10, 1, DELTA_PACKED_MAX } };
enum { PLAIN_BYTES = 10 + 1 + DELTA_PACKED_MAX };

static enum err read_back(const struct buf *bytes, uint64_t file_length, struct delta_form *form)
{
        return delta_form_read(buf_text(bytes), bytes->length, file_length, form, NULL);
}

TEST(delta_form, is_read_as_it_was_written)
{
        OWN(buf) struct buf bytes;
        struct delta_form form;
        size_t length = 0;
        buf_init(&bytes, DELTA_FORM_BYTES_MAX);
        delta_form_write(&plain, &bytes);
        CHECK(bytes.length == DELTA_HEAD_BYTES + 12 && delta_form_length(bytes.bytes, &length, NULL) == OK && length == bytes.length);
        CHECK(read_back(&bytes, bytes.length + PLAIN_BYTES, &form) == OK && form.note_length == 300 && form.count == 3);
        CHECK(form.packed[0] == 10 && form.packed[1] == 1 && form.packed[2] == DELTA_PACKED_MAX);
}

TEST(delta_form, is_the_same_on_every_machine)
{
        static const char expected[] = "FBdelta1\x2c\x01\0\0\x01\0\0\0\x04\x03\x02\x00";
        OWN(buf) struct buf bytes;
        buf_init(&bytes, DELTA_FORM_BYTES_MAX);
        delta_form_write(&(struct delta_form){ .note_length = 300, .count = 1, .packed = { 0x20304 } }, &bytes);
        CHECK(bytes.length == sizeof(expected) - 1 && memcmp(bytes.bytes, expected, bytes.length) == 0);
}

TEST(delta_form, has_to_add_up_to_the_file)
{
        OWN(buf) struct buf bytes;
        struct delta_form form;
        buf_init(&bytes, DELTA_FORM_BYTES_MAX);
        delta_form_write(&plain, &bytes);
        CHECK(read_back(&bytes, bytes.length + PLAIN_BYTES - 1, &form) == ERR_SYNTAX && read_back(&bytes, bytes.length + PLAIN_BYTES + 1, &form) == ERR_SYNTAX);
        CHECK(read_back(&bytes, 0, &form) == ERR_SYNTAX && read_back(&bytes, UINT64_MAX, &form) == ERR_SYNTAX);
        for (size_t length = 0; length < bytes.length; length++)
                CHECK(delta_form_read(bytes.bytes, length, bytes.length + PLAIN_BYTES, &form, NULL) == ERR_SYNTAX);
}

/* One word of it at a time: note, segments, a segment's length. */
TEST(delta_form, has_ceilings)
{
        static const struct { uint32_t note, count, packed; enum err e; } cases[] = {
                { 1, 1, 1, OK }, { LIMIT_NOTE_BYTES, 1, 1, OK }, { 0, 1, 1, ERR_LIMIT }, { LIMIT_NOTE_BYTES + 1, 1, 1, ERR_LIMIT }, { UINT32_MAX, 1, 1, ERR_LIMIT },
                { 1, 0, 1, ERR_LIMIT }, { 1, 1, 0, ERR_LIMIT }, { 1, 1, DELTA_PACKED_MAX, OK }, { 1, 1, DELTA_PACKED_MAX + 1, ERR_LIMIT }, { 1, 1, UINT32_MAX, ERR_LIMIT },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(buf) struct buf bytes;
                struct delta_form form;
                buf_init(&bytes, DELTA_FORM_BYTES_MAX);
                delta_form_write(&(struct delta_form){ .note_length = cases[i].note, .count = cases[i].count, .packed = { cases[i].packed } }, &bytes);
                CHECK(read_back(&bytes, bytes.length + cases[i].packed, &form) == cases[i].e);
        }
        OWN(buf) struct buf many;
        size_t length;
        buf_init(&many, DELTA_FORM_BYTES_MAX);
        delta_form_write(&(struct delta_form){ .note_length = 1, .count = 1, .packed = { 1 } }, &many);
        memcpy(many.bytes + 12, "\xff\xff\xff\xff", 4);
        CHECK(delta_form_length(many.bytes, &length, NULL) == ERR_LIMIT);
        many.bytes[0] = 'f';
        CHECK(delta_form_length(many.bytes, &length, NULL) == ERR_SYNTAX);
}
