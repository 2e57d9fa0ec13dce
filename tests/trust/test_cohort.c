#include "trust/cohort.h"

#include "support/sweep.h"
#include "support/test.h"
#include "trust/ceiling.h"

#include <string.h>

#define TARGET "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define DEVICE "00112233445566778899aabbccddeeff"

/* The bytes of formats.md, 2.1. */
static const char stored[] =
        "{\"_type\":\"cohort\",\"counter\":4,\"expires\":1784433000,\"fallback\":2,\"length\":812,\"prev\":\"" ZEROS "\","
        "\"rules\":[{\"hi\":\"ff\",\"platform\":\"linux-arm64\",\"ring\":\"canary\"},{\"hi\":\"10000000000000000\",\"platform\":\"any\",\"ring\":\"all\"}],"
        "\"salt\":\"" TARGET "\",\"seq\":9,\"sha256\":\"" TARGET "\",\"state\":\"go\",\"stream\":\"edr-rules\",\"tenant\":\"default\"}";

static enum err parse_with(const char *old, const char *new)
{
        char text[2048];
        struct cohort cohort = { 0 };
        const char *at = strstr(stored, old);
        CHECK(at);
        snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - stored), stored, new, at + strlen(old));
        enum err e = cohort_parse(text, strlen(text), &cohort, NULL);
        CHECK(!e || !cohort.seq);
        return e;
}

/* Vectors for those who write a client of their own; SHA-256("cohort/v1" 00 salt 00 device), first 8 bytes. */
TEST(cohort_bucket, is_what_the_published_vectors_say)
{
        CHECK(cohort_bucket(TARGET, DEVICE) == 0x172de05add10dfa2);
        CHECK(cohort_bucket(TARGET, "ffffffffffffffffffffffffffffffff") == 0xc0d7198922aec475);
        CHECK(cohort_bucket(TARGET, "00000000000000000000000000000000") == 0x9523e78e05b5c97b);
        CHECK(cohort_bucket(ZEROS, DEVICE) != cohort_bucket(TARGET, DEVICE));
}

TEST(cohort, is_read_and_written_as_the_same_bytes)
{
        struct cohort cohort = { 0 };
        OWN(buf) struct buf bytes;
        buf_init(&bytes, COHORT_BYTES_MAX);
        CHECK(cohort_parse(stored, strlen(stored), &cohort, NULL) == OK && cohort_write(&cohort, &bytes, NULL) == OK);
        CHECK(strcmp(buf_text(&bytes), stored) == 0);
        CHECK(cohort.state == COHORT_GO && cohort.seq == 9 && cohort.counter == 4 && cohort.fallback == 2 && cohort.length == 812 && cohort.expires == 1784433000);
        CHECK(cohort.rule_count == 2 && cohort.rules[0].hi == 255 && !cohort.rules[0].is_all && cohort.rules[1].is_all);
        CHECK(parse_with("\"go\"", "\"hold\"") == OK && parse_with("\"go\"", "\"withdraw\"") == OK);
}

TEST(cohort, names_the_other_releases_that_nobody_may_run)
{
        static const char end[] = "\"tenant\":\"default\"}", *const bad[] = { "[]", "[0]", "[-1]", "[2,1]", "[3,3]", "[4]", "[\"3\"]", "[3.5]", "3", "[3,null]" };
        char text[2048], new[64];
        struct cohort cohort = { 0 };
        OWN(buf) struct buf bytes;
        buf_init(&bytes, COHORT_BYTES_MAX);
        snprintf(text, sizeof(text), "%.*s\"tenant\":\"default\",\"withdrawn\":[1,3]}", (int)(strstr(stored, end) - stored), stored);
        CHECK(cohort_parse(text, strlen(text), &cohort, NULL) == OK && cohort.withdrawn_count == 2 && cohort.withdrawn[0] == 1 && cohort.withdrawn[1] == 3);
        CHECK(cohort_write(&cohort, &bytes, NULL) == OK && strcmp(buf_text(&bytes), text) == 0);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                snprintf(new, sizeof(new), "\"tenant\":\"default\",\"withdrawn\":%s}", bad[i]);
                CHECK(parse_with(end, new) == ERR_SYNTAX);
        }
        cohort.withdrawn_count = COHORT_WITHDRAWN_MAX + 1;
        CHECK(cohort_write(&cohort, &bytes, NULL) == ERR_LIMIT);
}

#define OLDER(counter) "{\"counter\":" #counter ",\"length\":700,\"sha256\":\"" ZEROS "\"}"

TEST(cohort, names_older_releases_for_those_who_are_kept_back)
{
        static const char before[] = "\"prev\"", *const bad[] = {
                "[]", "[" OLDER(0) "]", "[" OLDER(4) "]", "[" OLDER(5) "]", "[" OLDER(2) "," OLDER(2) "]", "[" OLDER(3) "," OLDER(2) "]", "[3]", "3", "[" OLDER(1) "]",
                "[{\"counter\":3,\"length\":700}]", "[{\"counter\":3,\"length\":700,\"sha256\":\"00\"}]", "[" OLDER(3) ",null]",
        };
        char text[2048];
        struct cohort cohort = { 0 };
        OWN(buf) struct buf bytes;
        buf_init(&bytes, COHORT_BYTES_MAX);
        snprintf(text, sizeof(text), "%.*s\"older\":[" OLDER(2) "," OLDER(3) "],%.*s,\"withdrawn\":[1]}", (int)(strstr(stored, before) - stored), stored,
                 (int)strlen(strstr(stored, before)) - 1, strstr(stored, before));
        CHECK(cohort_parse(text, strlen(text), &cohort, NULL) == OK && cohort.older_count == 2 && cohort.older[0].counter == 2 && cohort.older[1].length == 700);
        CHECK(cohort_write(&cohort, &bytes, NULL) == OK && strcmp(buf_text(&bytes), text) == 0);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                snprintf(text, sizeof(text), "%.*s\"older\":%s,%.*s,\"withdrawn\":[1]}", (int)(strstr(stored, before) - stored), stored, bad[i],
                         (int)strlen(strstr(stored, before)) - 1, strstr(stored, before));
                struct cohort none = { 0 };
                CHECK(cohort_parse(text, strlen(text), &none, NULL) == ERR_SYNTAX);
        }
        cohort.older_count = COHORT_OLDER_MAX + 1;
        CHECK(cohort_write(&cohort, &bytes, NULL) == ERR_LIMIT);
}

TEST(cohort_turn_to, speaks_of_the_older_release_and_forgets_no_withdrawal)
{
        struct cohort cohort = { .state = COHORT_WITHDRAW, .counter = 4, .length = 812, .older_count = 1, .older = { { 3, 700, { 7 } } }, .withdrawn_count = COHORT_WITHDRAWN_MAX };
        for (size_t i = 0; i < COHORT_WITHDRAWN_MAX; i++)
                cohort.withdrawn[i] = i + 100;
        cohort_turn_to(&cohort, 2);
        cohort_turn_to(&cohort, 0);
        CHECK(cohort.counter == 4 && cohort.state == COHORT_WITHDRAW);
        cohort_turn_to(&cohort, 3);
        CHECK(cohort.counter == 3 && cohort.length == 700 && cohort.sha256[0] == 7 && cohort.salt[0] == 7 && cohort.state == COHORT_GO);
        CHECK(cohort.withdrawn_count == COHORT_WITHDRAWN_MAX && cohort.withdrawn[0] == 101 && cohort.withdrawn[COHORT_WITHDRAWN_MAX - 1] == 4);
}

TEST(cohort, refuses_fields_that_are_not_as_they_should_be)
{
        static const struct { const char *old, *new; } changes[] = {
                { "\"cohort\"", "\"Cohort\"" }, { "\"go\"", "\"GO\"" }, { "\"go\"", "\"\"" }, { "\"counter\":4", "\"counter\":-1" },
                { "\"counter\":4", "\"counter\":4.0" }, { "\"counter\":4,", "" }, { "\"counter\":4", "\"counter\":4,\"counter\":5" },
                { "\"counter\":4", "\"counter\":4,\"more\":5" }, { "\"seq\":9", "\"seq\":\"9\"" }, { "\"prev\":\"0", "\"prev\":\"g" },
                { "\"prev\":\"0", "\"prev\":\"" }, { "\"salt\":\"a", "\"salt\":\"b" }, { "\"salt\":\"a", "\"salt\":\"A" }, { "edr-rules", "edr rules" },
                { "default", "" }, { "\"ff\"", "\"0ff\"" }, { "\"ff\"", "\"FF\"" }, { "\"ff\"", "\"\"" }, { "\"ff\"", "\"20000000000000000\"" },
                { "\"ff\"", "\"10000000000000001\"" }, { "\"ff\"", "255" }, { "\"ring\":\"canary\"", "\"ring\":\"a b\"" }, { ",\"ring\":\"canary\"", "" },
                { "\"length\":812", "\"length\":1048577" }, { "\"platform\":\"any\"", "\"platform\":\"\"" }, { "{\"_type\"", "[{\"_type\"" }, { "default\"}", "default\"}x" },
        };
        CHECK(parse_with("4", "4") == OK && parse_with("\"ff\"", "\"0\"") == OK && parse_with("\"ff\"", "\"ffffffffffffffff\"") == OK);
        for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
                CHECK(parse_with(changes[i].old, changes[i].new) == ERR_SYNTAX);
}

TEST(cohort, lets_the_first_rule_that_fits_decide)
{
        struct cohort cohort = { 0 };
        CHECK(cohort_parse(stored, strlen(stored), &cohort, NULL) == OK);
        CHECK(cohort_admits(&cohort, DEVICE, "canary", "linux-amd64") && cohort_admits(&cohort, DEVICE, "other", "linux-arm64"));
        CHECK(!cohort_admits(&cohort, DEVICE, "canary", "linux-arm64"));
        cohort.rules[0].hi = 0x172de05add10dfa2;
        CHECK(!cohort_admits(&cohort, DEVICE, "canary", "linux-arm64"));
        cohort.rules[0].hi++;
        CHECK(cohort_admits(&cohort, DEVICE, "canary", "linux-arm64"));
        cohort.rule_count = 1;
        CHECK(!cohort_admits(&cohort, DEVICE, "all", "linux-arm64"));
        cohort.rule_count = 0;
        CHECK(!cohort_admits(&cohort, DEVICE, "canary", "linux-arm64"));
}

TEST(cohort_rule, has_the_share_that_the_ceiling_means)
{
        static const uint32_t shares[] = { 0, 1, 1000, 500000, 999999, CEILING_ALL_PPM };
        for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
                struct cohort_rule rule;
                struct ceiling ceiling = { 0, 1, { { 0, shares[i] } } };
                cohort_rule_share(&rule, shares[i]);
                CHECK(rule.is_all == (shares[i] == CEILING_ALL_PPM));
                CHECK(rule.is_all ? ceiling_admits(&ceiling, 0, UINT64_MAX, "all") : !ceiling_admits(&ceiling, 0, rule.hi, "all"));
                CHECK(!rule.hi || ceiling_admits(&ceiling, 0, rule.hi - 1, "all"));
        }
}

TEST(cohort, is_not_written_when_it_would_not_be_read)
{
        OWN(buf) struct buf bytes;
        struct cohort cohort = { 0 };
        buf_init(&bytes, 2 * COHORT_BYTES_MAX);
        CHECK(cohort_parse(stored, strlen(stored), &cohort, NULL) == OK);
        cohort.salt[0] ^= 1;
        CHECK(cohort_write(&cohort, &bytes, NULL) == ERR_SYNTAX);
        cohort.salt[0] ^= 1;
        cohort.stream[0] = '-';
        CHECK(cohort_write(&cohort, &bytes, NULL) == ERR_SYNTAX);
        cohort.rule_count = COHORT_RULES_MAX + 1;
        CHECK(cohort_write(&cohort, &bytes, NULL) == ERR_LIMIT);
}

TEST(cohort, with_every_rule_at_its_longest_fits_its_ceiling)
{
        OWN(buf) struct buf bytes;
        struct cohort cohort = { 0 }, again = { 0 };
        buf_init(&bytes, COHORT_BYTES_MAX);
        CHECK(cohort_parse(stored, strlen(stored), &cohort, NULL) == OK);
        cohort.rule_count = COHORT_RULES_MAX;
        for (size_t i = 0; i < COHORT_RULES_MAX; i++) {
                memset(&cohort.rules[i], 0, sizeof(cohort.rules[i]));
                memset(cohort.rules[i].ring, 'r', LIMIT_NAME_BYTES);
                memset(cohort.rules[i].platform, 'p', LIMIT_NAME_BYTES);
                cohort.rules[i].hi = UINT64_MAX;
        }
        CHECK(cohort_write(&cohort, &bytes, NULL) == OK && cohort_parse(buf_text(&bytes), bytes.length, &again, NULL) == OK && again.rule_count == COHORT_RULES_MAX);
}

TEST(cohort, is_whole_or_not_there_when_memory_is_short)
{
        SWEEP_MEMORY {
                OWN(buf) struct buf bytes;
                struct cohort cohort = { 0 };
                buf_init(&bytes, COHORT_BYTES_MAX);
                enum err e = cohort_parse(stored, strlen(stored), &cohort, NULL);
                CHECK(e ? e == ERR_NOMEM && !cohort.seq : cohort.seq == 9);
                if (!e)
                        e = cohort_write(&cohort, &bytes, NULL);
                CHECK(!e || e == ERR_NOMEM);
        }
}
