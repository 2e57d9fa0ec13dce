#include "log/signed.h"
#include "support/sweep.h"

#define DASH "\xe2\x80\x94 "

static enum err verify(const struct buf *note, const struct witnesses *witnesses)
{
        struct checkpoint checkpoint;
        int64_t seen;
        enum err e = checkpoint_parse(buf_text(note), note->length, &checkpoint, NULL);
        return e ? e : cosignature_verify(&checkpoint, witnesses, &seen, NULL);
}

static struct buf cosigned(const char *by)
{
        struct buf note;
        struct tree_head head = oracle_head(600);
        test_checkpoint(&note, &head);
        for (; *by; by++)
                test_cosign(&note, (uint8_t)(*by - '0'), TEST_TIME);
        return note;
}

/* From tests/interop/log/vectors.py: signed by openssl(1). */
TEST(cosignature, has_always_this_form)
{
        OWN(buf) struct buf note = cosigned("");
        struct secret_key key = test_key(2);
        struct verifier witness;
        size_t before = note.length;
        CHECK(verifier_witness("witness.example.com/w1", &key.public, &witness, NULL) == OK);
        CHECK(cosignature_add(&note, &(struct cosigner){ &witness, &key }, TEST_TIME, NULL) == OK);
        CHECK(strcmp(note.bytes + before, DASH "witness.example.com/w1 "
                     "dF+16AAAAABrSdIARQV2UFoTuasuqHO4nBIrqNWpNRXrGAindRkooUhe9YYeaTccXFzHC3wefq7VSNG3HFvgUAsytwsI3dQfwie9Cg==\n") == 0);
}

TEST(cosignature, counts_when_enough_witnesses_signed)
{
        static const struct { const char *by; size_t count; } cases[] = { { "", 0 }, { "1", 1 }, { "12", 2 }, { "321", 3 }, { "11", 1 }, { "45", 0 }, { "1425", 2 } };
        struct verifier witnesses[] = { test_witness(1), test_witness(2), test_witness(3) };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(buf) struct buf note = cosigned(cases[i].by);
                for (size_t threshold = 0; threshold <= 4; threshold++) {
                        enum err e = verify(&note, &(struct witnesses){ witnesses, 3, threshold, 0, INT64_MAX });
                        CHECK(e == (threshold && threshold <= cases[i].count ? OK : ERR_UNTRUSTED));
                }
        }
}

TEST(cosignature, counts_a_key_once_under_whatever_names)
{
        OWN(buf) struct buf note = cosigned("1");
        struct verifier witnesses[] = { test_witness(1), test_witness(1) };
        struct secret_key key = test_key(11);
        CHECK(verifier_witness("another.example.com", &key.public, &witnesses[1], NULL) == OK);
        CHECK(cosignature_add(&note, &(struct cosigner){ &witnesses[1], &key }, TEST_TIME, NULL) == OK);
        CHECK(verify(&note, &(struct witnesses){ witnesses, 2, 1, 0, INT64_MAX }) == OK);
        CHECK(verify(&note, &(struct witnesses){ witnesses, 2, 2, 0, INT64_MAX }) == ERR_UNTRUSTED);
}

TEST(cosignature, counts_when_it_is_of_the_right_time)
{
        OWN(buf) struct buf note = cosigned("1");
        struct verifier witness = test_witness(1);
        struct checkpoint checkpoint;
        int64_t time;
        CHECK(verify(&note, &(struct witnesses){ &witness, 1, 1, TEST_TIME, TEST_TIME }) == OK);
        CHECK(verify(&note, &(struct witnesses){ &witness, 1, 1, TEST_TIME + 1, INT64_MAX }) == ERR_UNTRUSTED);
        CHECK(verify(&note, &(struct witnesses){ &witness, 1, 1, 0, TEST_TIME - 1 }) == ERR_UNTRUSTED);
        test_cosign(&note, 1, TEST_TIME + 60);
        CHECK(verify(&note, &(struct witnesses){ &witness, 1, 1, TEST_TIME + 1, INT64_MAX }) == OK);
        CHECK(checkpoint_parse(note.bytes, note.length, &checkpoint, NULL) == OK);
        CHECK(cosignature_time(&checkpoint, &witness, &time, NULL) == OK && time == TEST_TIME + 60);
        witness = test_witness(2);
        CHECK(cosignature_time(&checkpoint, &witness, &time, NULL) == ERR_NOT_FOUND);
        witness = test_log();
        CHECK(cosignature_time(&checkpoint, &witness, &time, NULL) == ERR_UNTRUSTED);
}

/* A log's signature is none of a witness with the same key, nor the other way round. */
TEST(cosignature, is_no_log_signature)
{
        OWN(buf) struct buf note = cosigned("");
        struct verifier log = test_log(), witness;
        CHECK(verifier_witness(log.name, &log.key, &witness, NULL) == OK);
        CHECK(verify(&note, &(struct witnesses){ &witness, 1, 1, 0, INT64_MAX }) == ERR_UNTRUSTED);
        CHECK(verify(&note, &(struct witnesses){ &log, 1, 1, 0, INT64_MAX }) == ERR_UNTRUSTED);
}

TEST(cosignature, is_refused_when_a_byte_changed)
{
        OWN(buf) struct buf note = cosigned("12");
        struct verifier witnesses[] = { test_witness(1), test_witness(2) };
        struct witnesses policy = { witnesses, 2, 2, 0, INT64_MAX };
        struct verifier log = test_log();
        for (size_t i = 0; i < note.length; i++) {
                struct checkpoint checkpoint;
                int64_t seen;
                note.bytes[i] ^= 2;
                CHECK(checkpoint_parse(note.bytes, note.length, &checkpoint, NULL) || checkpoint_verify(&checkpoint, &log, NULL) || cosignature_verify(&checkpoint, &policy, &seen, NULL));
                note.bytes[i] ^= 2;
        }
        CHECK(verify(&note, &policy) == OK);
}

/* As many as the threshold less one may lie: about the time, too. */
TEST(cosignature, tells_when_enough_had_seen_it)
{
        static const struct { int64_t times[3]; size_t threshold; int64_t seen; } cases[] = {
                { { 10, 20, 30 }, 1, 10 }, { { 30, 10, 20 }, 2, 20 }, { { 20, 30, 10 }, 3, 30 }, { { 10, 10, 30 }, 2, 10 }, { { 10, 30, 30 }, 2, 30 }, { { 0, 0, 500 }, 3, 500 },
        };
        struct verifier witnesses[] = { test_witness(1), test_witness(2), test_witness(3) };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(buf) struct buf note = cosigned("");
                struct checkpoint checkpoint;
                int64_t seen = -1;
                for (uint8_t w = 0; w < 3; w++)
                        test_cosign(&note, w + 1, cases[i].times[w]);
                CHECK(checkpoint_parse(note.bytes, note.length, &checkpoint, NULL) == OK);
                CHECK(cosignature_verify(&checkpoint, &(struct witnesses){ witnesses, 3, cases[i].threshold, 0, INT64_MAX }, &seen, NULL) == OK && seen == cases[i].seen);
                /* Once more, later: the later one counts. */
                test_cosign(&note, 1, 1000);
                CHECK(checkpoint_parse(note.bytes, note.length, &checkpoint, NULL) == OK);
                CHECK(cosignature_verify(&checkpoint, &(struct witnesses){ witnesses, 3, 3, 0, INT64_MAX }, &seen, NULL) == OK && seen == 1000);
        }
}

TEST(cosignature, is_refused_when_one_of_a_known_witness_is_wrong)
{
        static const char zeros[72] = { 0 };
        struct verifier witness = test_witness(1);
        for (size_t length = 64; length <= 72; length += 8) {
                OWN(buf) struct buf note = cosigned("1");
                CHECK(checkpoint_add_signature(&note, &witness, (struct line){ zeros, length }, NULL) == OK);
                CHECK(verify(&note, &(struct witnesses){ &witness, 1, 1, 0, INT64_MAX }) == ERR_UNTRUSTED);
        }
}

TEST(cosignature, is_put_on_signed_checkpoints_only)
{
        OWN(buf) struct buf text, note = cosigned("");
        struct tree_head head = oracle_head(5);
        struct secret_key key = test_key(11);
        struct verifier witness = test_witness(1), log = test_log();
        buf_init(&text, LIMIT_CHECKPOINT_BYTES);
        checkpoint_write(TEST_ORIGIN, &head, &text);
        CHECK(cosignature_add(&text, &(struct cosigner){ &witness, &key }, TEST_TIME, NULL) == ERR_SYNTAX);
        CHECK(cosignature_add(&note, &(struct cosigner){ &witness, &key }, -1, NULL) == ERR_SYNTAX);
        CHECK(cosignature_add(&note, &(struct cosigner){ &log, &key }, TEST_TIME, NULL) == ERR_SYNTAX);
}

TEST(cosignature, survives_running_out_of_memory)
{
        struct verifier witness = test_witness(1);
        struct secret_key key = test_key(11);
        struct tree_head head = oracle_head(5);
        struct checkpoint checkpoint;
        int64_t seen;
        OWN(buf) struct buf whole;
        test_checkpoint(&whole, &head);
        SWEEP_MEMORY {
                OWN(buf) struct buf note;
                buf_init(&note, LIMIT_CHECKPOINT_BYTES);
                buf_add(&note, whole.bytes, whole.length);
                enum err e = buf_check(&note, NULL);
                if (!e)
                        e = cosignature_add(&note, &(struct cosigner){ &witness, &key }, TEST_TIME, NULL);
                if (!e)
                        e = checkpoint_parse(note.bytes, note.length, &checkpoint, NULL);
                if (!e)
                        e = cosignature_verify(&checkpoint, &(struct witnesses){ &witness, 1, 1, 0, INT64_MAX }, &seen, NULL);
                CHECK(e == OK || e == ERR_NOMEM);
        }
}
