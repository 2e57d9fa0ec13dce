#include "log/signed.h"
#include "support/sweep.h"

#define DASH "\xe2\x80\x94 "
#define ROOT "6KgEr1lnie1PU5QuKUz+RNW+1McUDH8PX6UsDBIiMtY="

static enum err verify(const char *bytes, size_t length)
{
        struct checkpoint checkpoint;
        struct verifier log = test_log();
        enum err e = checkpoint_parse(bytes, length, &checkpoint, NULL);
        return e ? e : checkpoint_verify(&checkpoint, &log, NULL);
}

/* From tests/interop/log/vectors.py: the tree of 600 entries, signed by openssl(1). */
TEST(checkpoint, has_always_this_form)
{
        OWN(buf) struct buf note;
        struct tree_head head = oracle_head(600);
        test_checkpoint(&note, &head);
        CHECK(strcmp(note.bytes, TEST_ORIGIN "\n600\n" ROOT "\n\n" DASH TEST_ORIGIN
                     " zJ5zEF0ldLQQH2OYsWVWV+nPIA9O22uwTGlOFnGBX0o9J7EkRDOOItyBedjcSUdUbkhMp1d12NN5RNM9xDlNKfe3PQE=\n") == 0);
        CHECK(verify(note.bytes, note.length) == OK);
}

TEST(checkpoint, is_refused_when_a_byte_changed)
{
        OWN(buf) struct buf note;
        struct tree_head head = oracle_head(600);
        test_checkpoint(&note, &head);
        for (size_t i = 0; i < note.length; i++)
                for (int bit = 0; bit < 8; bit++) {
                        note.bytes[i] ^= (char)(1 << bit);
                        CHECK(verify(note.bytes, note.length) != OK);
                        note.bytes[i] ^= (char)(1 << bit);
                }
        for (size_t length = 0; length < note.length; length++)
                CHECK(verify(note.bytes, length) == ERR_SYNTAX || verify(note.bytes, length) == ERR_LIMIT);
}

TEST(checkpoint, keeps_its_extensions_and_passes_over_other_signatures)
{
        OWN(buf) struct buf note;
        struct checkpoint checkpoint;
        struct secret_key key = test_key(1);
        buf_init(&note, LIMIT_CHECKPOINT_BYTES);
        buf_add_text(&note, TEST_ORIGIN "\n5\n" ROOT "\nmore of it\nand more\n");
        CHECK(checkpoint_sign(&note, &key, NULL) == OK);
        buf_add_text(&note, DASH "stranger AAAAAAA=\n" DASH TEST_ORIGIN " AAAAAAAA\n" DASH "quantum ");
        for (int i = 0; i < 4000 / 3; i++)
                buf_add_text(&note, "AAAA");
        buf_add_text(&note, "\n");
        CHECK(verify(note.bytes, note.length) == OK);
        CHECK(checkpoint_parse(note.bytes, note.length, &checkpoint, NULL) == OK && checkpoint.signature_count == 4 && checkpoint.head.size == 5);
        CHECK(checkpoint.extensions.length == strlen("more of it\nand more\n") && memcmp(checkpoint.extensions.text, "more", 4) == 0);
        CHECK(strcmp(checkpoint.origin, TEST_ORIGIN) == 0);
}

/* Also when another line of the key is good: a note of which a known signature is wrong is broken. */
TEST(checkpoint, is_refused_when_one_signature_of_the_log_is_wrong)
{
        OWN(buf) struct buf note = { 0 };
        struct tree_head head = oracle_head(5);
        struct verifier log = test_log();
        static const char zeros[72] = { 0 };
        static const size_t lengths[] = { 1, 63, 64, 65, 72 };
        for (int i = 0; i < 5; i++) {
                buf_done(&note);
                test_checkpoint(&note, &head);
                CHECK(verify(note.bytes, note.length) == OK);
                CHECK(checkpoint_add_signature(&note, &log, (struct line){ zeros, lengths[i] }, NULL) == OK);
                CHECK(verify(note.bytes, note.length) == ERR_UNTRUSTED);
        }
}

TEST(checkpoint, is_of_the_log_that_its_origin_names)
{
        OWN(buf) struct buf note;
        struct tree_head head = oracle_head(5);
        struct checkpoint checkpoint;
        struct verifier log = test_log(), other;
        struct secret_key key = test_key(2);
        test_checkpoint(&note, &head);
        CHECK(checkpoint_parse(note.bytes, note.length, &checkpoint, NULL) == OK && checkpoint_verify(&checkpoint, &log, NULL) == OK);
        CHECK(verifier_log("log.example.com/other", &log.key, &other, NULL) == OK && checkpoint_verify(&checkpoint, &other, NULL) == ERR_UNTRUSTED);
        CHECK(verifier_log(TEST_ORIGIN, &key.public, &other, NULL) == OK && checkpoint_verify(&checkpoint, &other, NULL) == ERR_UNTRUSTED);
        CHECK(verifier_witness(TEST_ORIGIN, &log.key, &other, NULL) == OK && checkpoint_verify(&checkpoint, &other, NULL) == ERR_UNTRUSTED);
}

TEST(checkpoint, refuses_text_that_is_none)
{
        static const char *const bad[] = {
                "", "\n5\n" ROOT "\n", "a\n", "a\n5\n", "a\n05\n" ROOT "\n", "a\n-5\n" ROOT "\n", "a\n5 \n" ROOT "\n", "a\n\n5\n" ROOT "\n", "a\n5\n\n" ROOT "\n",
                "a\n5\n" ROOT, "a\n5\n" ROOT "A\n", "a\n5\nAAAA\n", "a\n5\n" ROOT "\n\nb\n", "a\n5\n" ROOT "\nb", "a\t\n5\n" ROOT "\n", "a\n5\n" ROOT "\r\n", "a\xff\n5\n" ROOT "\n",
                "a\n281474976710656\n" ROOT "\n", "a\n9223372036854775808\n" ROOT "\n",
        };
        struct checkpoint checkpoint;
        struct secret_key key = test_key(1);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                OWN(buf) struct buf note;
                buf_init(&note, LIMIT_CHECKPOINT_BYTES);
                buf_add_text(&note, bad[i]);
                CHECK(checkpoint_parse_text(buf_text(&note), note.length, &checkpoint, NULL) != OK);
                CHECK(checkpoint_sign(&note, &key, NULL) != OK && note.length == strlen(bad[i]));
        }
        CHECK(checkpoint_parse_text("a\n0\n" ROOT "\n", strlen("a\n0\n" ROOT "\n"), &checkpoint, NULL) == OK);
}

TEST(checkpoint, refuses_signature_lines_that_are_none)
{
        static const char *const bad[] = { "", "\n", "x\n", DASH "\n", DASH "a\n", DASH "a \n", DASH "a AAAA\n", DASH "a AAAAAA==\n", DASH "a AAAAAAB=\n", DASH "a+b AAAAAAA=\n", DASH " AAAAAAA=\n",
                                           "- a AAAAAAA=\n", DASH "a AAAAAAA= \n", DASH "a AAAAAAA=", DASH "a\xc2\xa0x AAAAAAA=\n", DASH "a  AAAAAAA=\n" };
        struct checkpoint checkpoint;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                char text[256];
                int length = snprintf(text, sizeof(text), "a\n5\n" ROOT "\n\n%s", bad[i]);
                CHECK(checkpoint_parse(text, (size_t)length, &checkpoint, NULL) == ERR_SYNTAX);
        }
}

TEST(checkpoint, has_a_ceiling_of_signatures_and_bytes)
{
        OWN(buf) struct buf note, large;
        struct checkpoint checkpoint;
        struct tree_head head = oracle_head(5);
        test_checkpoint(&note, &head);
        for (int i = 1; i < LIMIT_SIGNATURES; i++)
                buf_add_text(&note, DASH "stranger AAAAAAA=\n");
        CHECK(verify(note.bytes, note.length) == OK);
        buf_add_text(&note, DASH "stranger AAAAAAA=\n");
        CHECK(checkpoint_parse(note.bytes, note.length, &checkpoint, NULL) == ERR_LIMIT);
        test_checkpoint(&large, &head);
        large.length_max *= 2;
        buf_add_text(&large, DASH "stranger ");
        while (large.length <= LIMIT_CHECKPOINT_BYTES)
                buf_add_text(&large, "AAAA");
        CHECK(checkpoint_parse(large.bytes, large.length, &checkpoint, NULL) == ERR_LIMIT);
}

TEST(checkpoint, survives_running_out_of_memory)
{
        struct tree_head head = oracle_head(5);
        SWEEP_MEMORY {
                OWN(buf) struct buf note;
                struct secret_key key = test_key(1);
                buf_init(&note, LIMIT_CHECKPOINT_BYTES);
                checkpoint_write(TEST_ORIGIN, &head, &note);
                enum err e = buf_check(&note, NULL);
                if (!e)
                        e = checkpoint_sign(&note, &key, NULL);
                CHECK(e == ERR_NOMEM || verify(note.bytes, note.length) == OK);
        }
}
