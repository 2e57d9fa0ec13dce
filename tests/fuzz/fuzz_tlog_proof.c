/* A proof that an entry is in a log, and the proof that a witness is sent: what is read is written again as the same bytes, and believed of nobody. */
#include "log/entry_proof.h"
#include "log/witness.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void is_same(const struct buf *text, const uint8_t *bytes, size_t length)
{
        if (text->length != length || memcmp(buf_text(text), bytes, length) != 0)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        OWN(buf) struct buf proof_text, request_text;
        static struct entry_proof proof;
        static struct witness_request request;
        int64_t seen;
        struct verifier log = { "log.example.com/fleet", VERIFIER_LOG, { { 1 } } };
        buf_init(&proof_text, LIMIT_PROOF_BYTES);
        buf_init(&request_text, WITNESS_REQUEST_MAX);
        if (entry_proof_parse((const char *)bytes, length, &proof, NULL) == OK) {
                entry_proof_write(&proof, &proof_text);
                is_same(&proof_text, bytes, length);
                if (entry_proof_verify(&proof, &(struct entry_claim){ "a", 1 }, &(struct entry_policy){ &log, NULL }, &seen, NULL) == OK)
                        abort();
        }
        if (witness_request_parse((const char *)bytes, length, &request, NULL) == OK) {
                witness_request_write(&request, &request_text);
                is_same(&request_text, bytes, length);
        }
        return 0;
}
