#include "format/hex.h"
#include "support/test.h"
#include "trust/tuf_digest.h"

#include <string.h>

TEST(tuf_digest, is_both_of_fips_180)
{
        static const struct { const char *text, *sha256, *sha512; } known[] = {
                { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                  "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e" },
                { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
        };
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
                struct tuf_digest digest;
                char hex[129];
                tuf_digest_of(known[i].text, strlen(known[i].text), &digest);
                hex_encode(digest.sha256, sizeof(digest.sha256), hex);
                CHECK(digest.has_sha256 && strcmp(hex, known[i].sha256) == 0);
                hex_encode(digest.sha512, sizeof(digest.sha512), hex);
                CHECK(digest.has_sha512 && strcmp(hex, known[i].sha512) == 0);
        }
}

TEST(tuf_digest, piece_by_piece_is_the_same)
{
        char bytes[1000];
        struct tuf_digest whole;
        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = (char)i;
        tuf_digest_of(bytes, sizeof(bytes), &whole);
        for (size_t step = 1; step < 300; step += 7) {
                struct tuf_digester digester;
                struct tuf_digest parts;
                tuf_digester_init(&digester);
                for (size_t at = 0; at < sizeof(bytes); at += step)
                        tuf_digester_update(&digester, bytes + at, at + step > sizeof(bytes) ? sizeof(bytes) - at : step);
                tuf_digester_update(&digester, NULL, 0);
                tuf_digester_final(&digester, &parts);
                CHECK(parts.has_sha256 && memcmp(parts.sha256, whole.sha256, sizeof(whole.sha256)) == 0);
                CHECK(parts.has_sha512 && memcmp(parts.sha512, whole.sha512, sizeof(whole.sha512)) == 0);
        }
}

/* 'o': the right one, 'x': another, 0: said to be none, though its bytes are right. */
struct kinds { char sha256, sha512; };
static struct tuf_digest digest_of(struct kinds kinds)
{
        struct tuf_digest digest;
        tuf_digest_of("abc", 3, &digest);
        digest.has_sha256 = kinds.sha256;
        digest.has_sha512 = kinds.sha512;
        digest.sha256[31] ^= kinds.sha256 == 'x';
        digest.sha512[63] ^= kinds.sha512 == 'x';
        return digest;
}

TEST(tuf_digest, fits_when_all_that_is_wanted_is_there_and_the_same)
{
        static const struct { struct kinds wanted, is; bool fits; } cases[] = {
                { { 0, 0 }, { 'o', 'o' }, true }, { { 0, 0 }, { 'x', 'x' }, true }, { { 0, 0 }, { 0, 0 }, true },
                { { 'o', 0 }, { 'o', 'o' }, true }, { { 'o', 0 }, { 'o', 0 }, true }, { { 'o', 0 }, { 'o', 'x' }, true },
                { { 'o', 0 }, { 'x', 'o' }, false }, { { 'o', 0 }, { 0, 'o' }, false }, { { 'x', 0 }, { 'o', 'o' }, false },
                { { 0, 'o' }, { 'o', 'o' }, true }, { { 0, 'o' }, { 0, 'o' }, true }, { { 0, 'o' }, { 'x', 'o' }, true },
                { { 0, 'o' }, { 'o', 'x' }, false }, { { 0, 'o' }, { 'o', 0 }, false }, { { 0, 'x' }, { 'o', 'o' }, false },
                { { 'o', 'o' }, { 'o', 'o' }, true }, { { 'o', 'o' }, { 'x', 'o' }, false }, { { 'o', 'o' }, { 'o', 'x' }, false },
                { { 'o', 'o' }, { 'o', 0 }, false }, { { 'o', 'o' }, { 0, 'o' }, false }, { { 'x', 'o' }, { 'o', 'o' }, false }, { { 'o', 'x' }, { 'o', 'o' }, false },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct tuf_digest wanted = digest_of(cases[i].wanted), is = digest_of(cases[i].is);
                CHECK(tuf_digest_fits(&wanted, &is) == cases[i].fits);
        }
}

TEST(tuf_digest, differs_whichever_byte_does)
{
        struct tuf_digest wanted, is;
        tuf_digest_of("abc", 3, &wanted);
        for (size_t i = 0; i < sizeof(is.sha256) + sizeof(is.sha512); i++) {
                is = wanted;
                *(i < sizeof(is.sha256) ? &is.sha256[i] : &is.sha512[i - sizeof(is.sha256)]) ^= 1;
                CHECK(!tuf_digest_fits(&wanted, &is));
        }
}
