#include "log/entry_proof.h"
#include "log/prover.h"
#include "log/signed.h"

enum { SIZE = 300, INDEX = 270 };

/* The proof of entry 270 of 300, by a log with two witnesses. */
static struct buf make(const char *extra)
{
        OWN(memory_store) struct memory *memory = memory_new();
        OWN(buf) struct buf note;
        struct tile_store store = memory_store(memory);
        struct tree_head head = { 0 };
        struct entry_proof proof = { .index = INDEX, .extra_length = strlen(extra) };
        struct buf text;
        memcpy(proof.extra, extra, strlen(extra));
        test_grow(memory, &head, SIZE);
        CHECK(prover_inclusion(&store, &head, INDEX, &proof.path, NULL) == OK);
        test_checkpoint(&note, &head);
        test_cosign(&note, 1, TEST_TIME);
        test_cosign(&note, 2, TEST_TIME);
        proof.checkpoint = (struct line){ note.bytes, note.length };
        buf_init(&text, LIMIT_PROOF_BYTES);
        entry_proof_write(&proof, &text);
        CHECK(buf_check(&text, NULL) == OK);
        return text;
}

static enum err verify(const char *bytes, size_t length, const char *entry, size_t threshold)
{
        struct entry_proof proof;
        struct verifier log = test_log(), known[] = { test_witness(1), test_witness(2), test_witness(3) };
        struct witnesses witnesses = { known, 3, threshold, 0, INT64_MAX };
        struct entry_policy policy = { &log, threshold ? &witnesses : NULL };
        int64_t seen = -1;
        enum err e = entry_proof_parse(bytes, length, &proof, NULL);
        if (!e)
                e = entry_proof_verify(&proof, &(struct entry_claim){ entry, strlen(entry) }, &policy, &seen, NULL);
        CHECK(e ? seen == -1 : seen == (threshold ? TEST_TIME : 0));
        return e;
}

TEST(entry_proof, holds_for_its_entry_by_those_who_signed)
{
        OWN(buf) struct buf text = make("");
        CHECK(verify(text.bytes, text.length, "entry 270", 0) == OK && verify(text.bytes, text.length, "entry 270", 2) == OK);
        CHECK(verify(text.bytes, text.length, "entry 270", 3) == ERR_UNTRUSTED);
        CHECK(verify(text.bytes, text.length, "entry 271", 2) == ERR_UNTRUSTED && verify(text.bytes, text.length, "", 2) == ERR_UNTRUSTED);
}

TEST(entry_proof, has_the_form_of_the_standard)
{
        OWN(buf) struct buf text = make("\1\2\3");
        struct entry_proof proof;
        CHECK(strncmp(text.bytes, "c2sp.org/tlog-proof@v1\nextra AQID\nindex 270\n", 44) == 0);
        CHECK(strstr(text.bytes, "=\n\n" TEST_ORIGIN "\n300\n"));
        CHECK(entry_proof_parse(text.bytes, text.length, &proof, NULL) == OK);
        CHECK(proof.extra_length == 3 && memcmp(proof.extra, "\1\2\3", 3) == 0 && proof.index == 270);
        CHECK(verify(text.bytes, text.length, "entry 270", 2) == OK);
}

TEST(entry_proof, is_refused_when_a_byte_changed)
{
        OWN(buf) struct buf text = make("");
        for (size_t i = 0; i < text.length; i++) {
                text.bytes[i] ^= 1;
                CHECK(verify(text.bytes, text.length, "entry 270", 2) != OK);
                text.bytes[i] ^= 1;
        }
        for (size_t length = 0; length < text.length; length++)
                CHECK(verify(text.bytes, length, "entry 270", 2) != OK);
        CHECK(verify(text.bytes, text.length, "entry 270", 2) == OK);
}

TEST(entry_proof, refuses_text_that_is_none)
{
#define HEAD "c2sp.org/tlog-proof@v1\n"
        static const char *const bad[] = {
                "", "c2sp.org/tlog-proof@v1", HEAD, "c2sp.org/tlog-proof@v2\nindex 1\n\nx\n", " " HEAD "index 1\n\nx\n", HEAD "\nindex 1\n\nx\n", HEAD "index 1\n", HEAD "index 1\n\n", HEAD "index 01\n\nx\n",
                HEAD "index\n\nx\n", HEAD "index -1\n\nx\n", HEAD "extra AQID\n\nx\n", HEAD "extra \nindex 1\n\nx\n", HEAD "extra AQI\nindex 1\n\nx\n", HEAD "extra AQID\nextra AQID\nindex 1\n\nx\n",
                HEAD "index 1\nextra AQID\n\nx\n", HEAD "index 1\nAAAA\n\nx\n", HEAD "index 1\r\n\nx\n", HEAD "extra\nindex 1\n\nx\n",
        };
        struct entry_proof proof;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(entry_proof_parse(bad[i], strlen(bad[i]), &proof, NULL) == ERR_SYNTAX);
        CHECK(entry_proof_parse(HEAD "index 1\n\nx\n", strlen(HEAD "index 1\n\nx\n"), &proof, NULL) == OK);
}

TEST(entry_proof, has_ceilings)
{
        static char large[LIMIT_PROOF_BYTES + 1];
        OWN(buf) struct buf text;
        struct entry_proof proof;
        buf_init(&text, LIMIT_PROOF_BYTES);
        CHECK(entry_proof_parse(large, sizeof(large), &proof, NULL) == ERR_LIMIT);
        buf_add_text(&text, HEAD "extra ");
        for (int i = 0; i <= LIMIT_PROOF_EXTRA_BYTES / 3; i++)
                buf_add_text(&text, "AAAA");
        buf_add_text(&text, "\nindex 1\n\nx\n");
        CHECK(entry_proof_parse(text.bytes, text.length, &proof, NULL) == ERR_LIMIT);
}
