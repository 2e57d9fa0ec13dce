/* vouched.h - a publisher with a log, witnesses, a pace and emergency keys, and what they say of a release. Keys: those of trust/keys.h and log/signed.h. */
#pragma once

#include "log/entry_proof.h"
#include "log/logged.h"
#include "log/signed.h"
#include "trust/anchor.h"
#include "trust/approval.h"

#define VOUCHED_DEVICE "00112233445566778899aabbccddeeff"
enum { VOUCHED_ROOT = 8, VOUCHED_CONTENT = 2, VOUCHED_LAB = 3, VOUCHED_EMERGENCY = 4, VOUCHED_CUSTOMER = 6 };        /* emergency: 4 and 5, customers: 6 and 7 */

/* 2 of 3 witnesses; from when they saw it on 1 of a million, all after an hour. */
static inline struct anchor vouched_anchor(void)
{
        struct anchor anchor = { .version = 1, .root = { 1, 1, { test_vkey("root", VOUCHED_ROOT) } }, .content = { 1, 1, { test_vkey("content", VOUCHED_CONTENT) } },
                                 .lab = { 1, 1, { test_vkey("lab", VOUCHED_LAB) } }, .has_log = true, .log = test_log(),
                                 .pace = { .count = 2, .steps = { { 0, 1 }, { 3600, CEILING_ALL_PPM } } },
                                 .emergency = { 2, 2, { test_vkey("em-a", VOUCHED_EMERGENCY), test_vkey("em-b", VOUCHED_EMERGENCY + 1) } } };
        anchor.witnesses = (struct anchor_witnesses){ 2, 3, { test_witness(1), test_witness(2), test_witness(3) } };
        return anchor;
}

/* That a log of one entry has it; cosigned by the witnesses that `by` names, all at `seen`. */
static inline void vouched_proof(const struct logged *logged, const char *by, int64_t seen, struct buf *into)
{
        OWN(buf) struct buf entry, note;
        struct tree_head head = { .size = 1 };
        buf_init(&entry, LOGGED_BYTES_MAX);
        logged_write(logged, &entry);
        tree_leaf(entry.bytes, entry.length, &head.root);
        test_checkpoint(&note, &head);
        for (; *by; by++)
                test_cosign(&note, (uint8_t)(*by - '0'), seen);
        struct entry_proof proof = { .checkpoint = { note.bytes, note.length } };
        buf_clear(into);
        entry_proof_write(&proof, into);
        CHECK(buf_check(into, NULL) == OK);
}

/* Signed by `count` keys from `key` on. */
static inline void vouched_approval(enum approval_kind kind, const uint8_t *target, uint8_t key, unsigned count, struct buf *into)
{
        static const char *const names[] = { [VOUCHED_EMERGENCY] = "em-a", "em-b", "acme", "bolt", "other" };
        struct approval approval = { .kind = kind, .by = test_vkey(names[key], key) };
        memcpy(approval.release, target, sizeof(approval.release));
        buf_clear(into);
        approval_write(&approval, into);
        for (unsigned i = 0; i < count; i++)
                test_sign(into, names[key + i], (uint8_t)(key + i));
}
