#include "log/hash_lines.h"
#include "support/test.h"

#include <string.h>

static struct line of(const char *text)
{
        return (struct line){ text, strlen(text) };
}

TEST(hash_lines, are_hashes)
{
        static const char *const bad[] = { "", "AAAA\n\n", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n\n", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
                                           "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n\n", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= \n\n", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n\n" };
        struct tree_proof proof;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                struct line rest = of(bad[i]);
                CHECK(hash_lines_read(&rest, &proof, NULL) == ERR_SYNTAX);
        }
        struct line rest = of("\nmore");
        CHECK(hash_lines_read(&rest, &proof, NULL) == OK && proof.count == 0 && rest.length == 4);
}

TEST(hash_lines, come_back_and_have_a_ceiling)
{
        OWN(buf) struct buf text;
        struct tree_proof proof = { .count = LIMIT_PROOF_HASHES }, again;
        buf_init(&text, LIMIT_PROOF_BYTES);
        for (int i = 0; i < LIMIT_PROOF_HASHES; i++)
                proof.hashes[i].bytes[0] = (uint8_t)i;
        hash_lines_write(&text, &proof);
        struct line rest = { buf_text(&text), text.length };
        CHECK(hash_lines_read(&rest, &again, NULL) == OK && again.count == proof.count && memcmp(again.hashes, proof.hashes, sizeof(proof.hashes)) == 0);
        buf_clear(&text);
        hash_line_write(&text, &proof.hashes[0]);
        hash_lines_write(&text, &proof);
        rest = (struct line){ buf_text(&text), text.length };
        CHECK(hash_lines_read(&rest, &again, NULL) == ERR_LIMIT);
}
