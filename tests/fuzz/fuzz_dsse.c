/* An envelope that nobody whom we trust signed: never opened, and nothing given out of it. */
#include "trust/dsse.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        static const uint8_t random[32] = { 7 };        /* not the key of the seeds, only its name */
        OWN(buf) struct buf envelope, payload;
        struct secret_key key;
        struct vkey vkey;
        const struct vkey *signer = NULL;
        secret_key_make(random, &key);
        buf_init(&envelope, 2 * DSSE_BYTES_MAX);
        buf_init(&payload, DSSE_BYTES_MAX);
        buf_add(&envelope, bytes, length);
        if (vkey_make("lab.acme", &key.public, &vkey, NULL) != OK)
                abort();
        if (dsse_open(&envelope, &(struct dsse_keys){ &vkey, 1 }, &payload, &signer, NULL) == OK || payload.length)
                abort();
        return 0;
}
