/* A checkpoint: its three lines are written again as the same bytes, a further signature leaves it the same, and one made up is not believed. */
#include "log/cosignature.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        int64_t seen;
        OWN(buf) struct buf text, more;
        static struct checkpoint checkpoint, again;
        struct verifier witness = { "fuzzer", VERIFIER_WITNESS, { { 1 } } };
        char zeros[72] = { 0 };
        buf_init(&text, LIMIT_CHECKPOINT_BYTES);
        buf_init(&more, 2 * LIMIT_CHECKPOINT_BYTES);
        if (checkpoint_parse((const char *)bytes, length, &checkpoint, NULL) != OK || checkpoint.signature_count == LIMIT_SIGNATURES)
                return 0;
        checkpoint_write(checkpoint.origin, &checkpoint.head, &text);
        if (text.length + checkpoint.extensions.length != checkpoint.text.length || memcmp(text.bytes, bytes, text.length) != 0)
                abort();
        buf_add(&more, bytes, length);
        if (checkpoint_add_signature(&more, &witness, (struct line){ zeros, sizeof(zeros) }, NULL))
                abort();
        if (more.length <= LIMIT_CHECKPOINT_BYTES && (checkpoint_parse(more.bytes, more.length, &again, NULL) || again.signature_count != checkpoint.signature_count + 1))
                abort();
        if (more.length <= LIMIT_CHECKPOINT_BYTES && cosignature_verify(&again, &(struct witnesses){ &witness, 1, 1, 0, INT64_MAX }, &seen, NULL) == OK)
                abort();
        return 0;
}
