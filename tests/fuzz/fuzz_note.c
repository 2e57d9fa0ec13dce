/* A signed note: a further signature leaves it a note of the same text, and one that is made up is not believed. */
#include "trust/note.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        OWN(buf) struct buf more;
        struct note note, again;
        struct vkey vkey = { .name = "fuzzer" };
        buf_init(&more, 4 * LIMIT_NOTE_BYTES);
        if (note_parse((const char *)bytes, length, &note, NULL) != OK || note.signature_count == LIMIT_SIGNATURES)
                return 0;
        buf_add(&more, bytes, length);
        if (note_add_signature(&more, &vkey, (const uint8_t[64]){ 1 }, NULL) || note_parse(buf_text(&more), more.length, &again, NULL))
                abort();
        if (again.signature_count != note.signature_count + 1 || again.text_length != note.text_length || memcmp(again.text, bytes, note.text_length) != 0)
                abort();
        if (note_verify(&again, &(struct note_keys){ &vkey, 1, 1 }, NULL) == OK)
                abort();
        return 0;
}
