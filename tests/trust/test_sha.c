#include "format/hex.h"
#include "support/test.h"
#include "trust/sha.h"

#include <string.h>

TEST(sha256, is_that_of_fips_180)
{
        static const struct { const char *text, *digest; } known[] = {
                { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
                { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
                { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
        };
        for (size_t i = 0; i < 3; i++) {
                uint8_t digest[32];
                char hex[65];
                sha256(known[i].text, strlen(known[i].text), digest);
                hex_encode(digest, sizeof(digest), hex);
                CHECK(strcmp(hex, known[i].digest) == 0);
        }
}

TEST(sha256, in_parts_is_the_same)
{
        char bytes[1000];
        uint8_t whole[32], parts[32];
        memset(bytes, 'x', sizeof(bytes));
        sha256(bytes, sizeof(bytes), whole);
        for (size_t step = 1; step < 200; step += 7) {
                struct sha256 sha;
                sha256_init(&sha);
                for (size_t at = 0; at < sizeof(bytes); at += step)
                        sha256_update(&sha, bytes + at, at + step > sizeof(bytes) ? sizeof(bytes) - at : step);
                sha256_update(&sha, NULL, 0);
                sha256_final(&sha, parts);
                CHECK(memcmp(whole, parts, 32) == 0);
        }
}

TEST(sha512, is_that_of_fips_180)
{
        static const struct { const char *text, *digest; } known[] = {
                { "", "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e" },
                { "abc", "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
        };
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
                struct sha512 sha;
                uint8_t digest[64];
                char hex[129];
                sha512_init(&sha);
                sha512_update(&sha, known[i].text, strlen(known[i].text));
                sha512_update(&sha, NULL, 0);
                sha512_final(&sha, digest);
                hex_encode(digest, sizeof(digest), hex);
                CHECK(strcmp(hex, known[i].digest) == 0);
        }
}
