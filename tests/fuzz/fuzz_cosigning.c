/* What a witness answers, its status by the first byte: nobody but the witness with that key adds to what was gathered, and the note stays one. */
#include "cli/cosigning.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        static const int statuses[] = { 200, 409, 422, 302 };
        static struct log_trust trust = { .witnesses = { .threshold = 1, .count = 1, .keys = { { "witness.example.com/w1", VERIFIER_WITNESS, { { 1 } } } } } };
        static struct checkpoint checkpoint;
        OWN(buf) struct buf note, body;
        OWN(cosigning) struct cosigning cosigning = { 0 };
        struct cosigning_hearing hearing;
        struct secret_key key;
        secret_key_make((const uint8_t[32]){ 1 }, &key);
        buf_init(&note, LIMIT_CHECKPOINT_BYTES);
        buf_init(&body, LIMIT_WITNESS_ANSWER_BYTES);
        checkpoint_write("log.example.com/fleet", &(struct tree_head){ .size = 5 }, &note);
        if (!length || verifier_log("log.example.com/fleet", &key.public, &trust.log, NULL) || checkpoint_sign(&note, &key, NULL) || cosigning_begin(&cosigning, &trust, &note, NULL))
                return 0;
        buf_add(&body, bytes + 1, length - 1);
        if (cosigning_hear(&cosigning, &(struct cosigning_answer){ statuses[bytes[0] % 4], &body, 1800000000 }, &hearing, NULL) || hearing.word == COSIGNING_GIVEN || cosigning.gathered || hearing.last_size > (hearing.word == COSIGNING_OTHER_SIZE ? 5u : INT64_MAX))
                abort();
        if (cosigning.note.length != note.length || checkpoint_parse(buf_text(&cosigning.note), cosigning.note.length, &checkpoint, NULL))
                abort();
        return 0;
}
