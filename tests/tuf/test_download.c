#include "tuf/download.h"

#include "support/sweep.h"
#include "support/test.h"

#include <string.h>

#define ABC_256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define ABC_512 "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"

static bool is_at(const char *name, const struct tuf_digest *consistent, const char *path)
{
        OWN(buf) struct buf into;
        buf_init(&into, 2000);
        return download_path(name, consistent, &into, NULL) == OK && strcmp(buf_text(&into), path) == 0;
}

TEST(download, path_is_the_name_escaped)
{
        static const struct { const char *name, *path; } cases[] = {
                { "a", "a" }, { "a/b/c.txt", "a/b/c.txt" }, { "AZaz09_-.~", "AZaz09_-.~" }, { "a b", "a%20b" }, { "a#b/c?d", "a%23b/c%3Fd" }, { "100%", "100%25" },
                { "%2e%2e", "%252e%252e" },
                { "\xc3\xa4/\xff", "%C3%A4/%FF" }, { "a\\b:c", "a%5Cb%3Ac" }, { "\x01\x7f+&", "%01%7F%2B%26" }, { "...", "..." }, { ".a/..b/c..", ".a/..b/c.." },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                CHECK(is_at(cases[i].name, NULL, cases[i].path));
}

TEST(download, path_has_the_digest_before_its_last_part)
{
        struct tuf_digest both, only_512;
        tuf_digest_of("abc", 3, &both);
        only_512 = both;
        only_512.has_sha256 = false;
        CHECK(is_at("a", &both, ABC_256 ".a") && is_at("a/b/c d", &both, "a/b/" ABC_256 ".c%20d"));
        CHECK(is_at("a", &only_512, ABC_512 ".a") && is_at("a/b/c d", &only_512, "a/b/" ABC_512 ".c%20d"));
        both.has_sha512 = false;
        CHECK(is_at("a", &both, ABC_256 ".a"));
}

TEST(download, refuses_a_path_that_leads_out)
{
        static const char *const bad[] = { "", "/", "/a", "a/", "a//b", "//a", ".", "..", "./a", "../a", "a/..", "a/.", "a/../b", "a/./b", "a/b/../../../c" };
        struct tuf_digest digest;
        tuf_digest_of("abc", 3, &digest);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                OWN(buf) struct buf into;
                buf_init(&into, 2000);
                CHECK(download_path(bad[i], NULL, &into, NULL) == ERR_REFUSED && download_path(bad[i], &digest, &into, NULL) == ERR_REFUSED);
        }
}

TEST(download, says_when_a_path_is_too_long_or_memory_is_short)
{
        OWN(buf) struct buf into;
        buf_init(&into, 5);
        CHECK(download_path("abcd/", NULL, &into, NULL) == ERR_REFUSED);
        buf_clear(&into);
        CHECK(download_path("ab/de", NULL, &into, NULL) == OK);
        buf_clear(&into);
        CHECK(download_path("ab/d e", NULL, &into, NULL) == ERR_LIMIT);
        SWEEP_MEMORY {
                OWN(buf) struct buf swept;
                buf_init(&swept, 2000);
                enum err e = download_path("a/b c", NULL, &swept, NULL);
                CHECK(e == ERR_NOMEM || (e == OK && strcmp(buf_text(&swept), "a/b%20c") == 0));
        }
}
