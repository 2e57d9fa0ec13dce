/* The text of an anchor of either kind, signed here as its first root key: read past the signature, it is written as the same bytes. */
#include "trust/anchor.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        static const uint8_t random[32] = { 1 };        /* the key of the seeds: root and its public key from these bytes */
        OWN(buf) struct buf note, text;
        struct secret_key key;
        struct anchor anchor;
        struct director_anchor director;
        secret_key_make(random, &key);
        buf_init(&note, 2 * LIMIT_NOTE_BYTES);
        buf_init(&text, 2 * LIMIT_NOTE_BYTES);
        buf_add(&note, bytes, note_signed_length((const char *)bytes, length));
        if (note_sign(&note, "root", &key, NULL) != OK)
                return 0;
        enum err e = OK;
        if (anchor_open(buf_text(&note), note.length, &anchor, NULL) == OK)
                e = anchor_write(&anchor, &text, NULL);
        else if (director_anchor_open(buf_text(&note), note.length, &director, NULL) == OK)
                e = director_anchor_write(&director, &text, NULL);
        else
                return 0;
        if (e || text.length > length || memcmp(buf_text(&text), bytes, text.length) != 0)
                abort();
        return 0;
}
