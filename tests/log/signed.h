/* signed.h - checkpoints for tests: of the log `log.example.com/fleet`, whose key is number 1; witness N has key 10 + N. */
#pragma once

#include "log/cosignature.h"
#include "log/logs.h"
#include "trust/keys.h"

#define TEST_ORIGIN "log.example.com/fleet"
enum { TEST_TIME = 1800000000 };

static inline struct verifier test_log(void)
{
        struct verifier log;
        struct secret_key key = test_key(1);
        CHECK(verifier_log(TEST_ORIGIN, &key.public, &log, NULL) == OK);
        return log;
}

static inline struct verifier test_witness(uint8_t number)
{
        struct verifier witness;
        struct secret_key key = test_key((uint8_t)(10 + number));
        char name[32];
        snprintf(name, sizeof(name), "witness.example.com/w%u", number);
        CHECK(verifier_witness(name, &key.public, &witness, NULL) == OK);
        return witness;
}

static inline void test_checkpoint(struct buf *note, const struct tree_head *head)
{
        struct secret_key key = test_key(1);
        buf_init(note, LIMIT_CHECKPOINT_BYTES);
        checkpoint_write(TEST_ORIGIN, head, note);
        CHECK(checkpoint_sign(note, &key, NULL) == OK);
}

static inline void test_cosign(struct buf *note, uint8_t number, int64_t time)
{
        struct secret_key key = test_key((uint8_t)(10 + number));
        struct verifier witness = test_witness(number);
        CHECK(cosignature_add(note, &(struct cosigner){ &witness, &key }, time, NULL) == OK);
}
