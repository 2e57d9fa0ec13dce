/* requests.h - what a log asks of a witness, for tests. */
#pragma once

#include "log/signed.h"
#include "log/witness.h"

static inline struct buf test_request(const struct tree_head *head, uint64_t old_size, const struct tree_proof *proof)
{
        OWN(buf) struct buf note;
        struct buf text;
        struct witness_request request = { .old_size = old_size, .proof = *proof };
        test_checkpoint(&note, head);
        request.note = (struct line){ note.bytes, note.length };
        buf_init(&text, WITNESS_REQUEST_MAX);
        witness_request_write(&request, &text);
        CHECK(buf_check(&text, NULL) == OK);
        return text;
}
