/* The product against tests/data/vectors/buckets.json, which was made without it. */
#include "agent/back.h"
#include "format/hex.h"
#include "format/json.h"
#include "support/test.h"
#include "trust/ceiling.h"
#include "trust/cohort.h"
#include "trust/install_rule.h"

#include <stdlib.h>
#include <string.h>

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

enum { SINCE = 1784432200, SECOND = 1000, BEHIND_S_MAX = 300 };      /* formats.md, 2.1: a clock further behind is not believed */

static struct json *read_vectors(void)
{
        static char text[1 << 16];
        struct json *vectors = NULL;
        FILE *file = fopen(VECTORS, "r");
        CHECK(file);
        size_t length = fread(text, 1, sizeof(text), file);
        fclose(file);
        CHECK(json_parse(text, length, sizeof(text) - 1, &vectors, NULL) == OK);
        return vectors;
}

static const char *text_of(const struct json *vector, const char *key)
{
        const char *text = json_text(json_get(vector, key));
        CHECK(text);
        return text;
}

static int64_t number_of(const struct json *vector, const char *key)
{
        int64_t number = json_int(json_get(vector, key), -1);
        CHECK(number >= 0);
        return number;
}

/* A bucket, as hex of up to 16 digits. */
static uint64_t bucket_in(const char *text)
{
        char *end = NULL;
        CHECK(text && text[0] && strlen(text) <= 16);
        uint64_t bucket = strtoull(text, &end, 16);
        CHECK(!*end);
        return bucket;
}

/* A document that admits everybody below `hi`, as a device reads it. */
static void read_rule(const char *salt, const char *hi, struct cohort *ret_cohort)
{
        char text[1024];
        snprintf(text, sizeof(text),
                 "{\"_type\":\"cohort\",\"counter\":4,\"expires\":1784433000,\"fallback\":2,\"length\":812,\"prev\":\"" ZEROS "\",\"rules\":[{\"hi\":\"%s\",\"platform\":\"any\","
                 "\"ring\":\"all\"}],\"salt\":\"%s\",\"seq\":9,\"sha256\":\"%s\",\"state\":\"go\",\"stream\":\"edr-rules\",\"tenant\":\"default\"}", hi, salt, salt);
        CHECK(cohort_parse(text, strlen(text), ret_cohort, NULL) == OK);
}

static void check_rules(const struct json *vector, const char *key, bool is_admitted)
{
        const struct json *list = json_get(vector, key);
        CHECK(json_count(list));
        for (size_t i = 0; i < json_count(list); i++) {
                struct cohort cohort = { 0 };
                read_rule(text_of(vector, "salt"), json_text(json_at(list, i)), &cohort);
                CHECK(cohort_admits(&cohort, text_of(vector, "device"), "default", "linux-amd64") == is_admitted);
        }
}

/* May the device install a release with this target digest, whose ceiling is that share, and whose pace this one? */
static bool may_install(const struct json *vector, const char *target, uint32_t ceiling_ppm, const struct ceiling *pace)
{
        uint8_t digest[32];
        struct release_note note = { .counter = 4, .floor = 1, .platform_count = 1, .platforms = { "any" }, .ceiling = { 0, 1, { { 0, ceiling_ppm } } } };
        const struct json *stream = json_get(vector, "stream");
        snprintf(note.stream, sizeof(note.stream), "%s", stream ? json_text(stream) : "edr-rules");
        CHECK(hex_decode(target, digest, sizeof(digest), NULL) == OK);
        const struct install_facts facts = { .device = text_of(vector, "device"), .stream = note.stream, .platform = "linux-amd64", .ring = "default",
                                             .now = pace ? pace->start : SINCE, .note = &note, .target = digest, .pace = pace };
        enum err e = install_candidate(&facts, NULL);
        CHECK(!e || e == ERR_REFUSED);
        return !e;
}

static bool may_install_at_pace(const struct json *vector, uint32_t ppm)
{
        const struct ceiling pace = { number_of(vector, "seen"), 1, { { 0, ppm } } };
        return may_install(vector, ZEROS, CEILING_ALL_PPM, &pace);
}

/* Through the device's own function, which finds the bucket by itself; it knows the time in seconds. */
static void check_back_of_device(const struct json *vector)
{
        const struct json *list = json_get(vector, "back");
        struct slot_release release = { .counter = 4 };
        CHECK(json_count(list) && hex_decode(text_of(vector, "salt"), release.target, sizeof(release.target), NULL) == OK);
        for (size_t i = 0; i < json_count(list); i++) {
                const struct json *back = json_at(list, i);
                const int64_t over_s = number_of(back, "over_s"), late_s = SINCE + over_s + 1;
                const struct withdrawal withdrawal = { 4, SINCE, over_s };
                CHECK(withdrawal_is_valid(&withdrawal));
                CHECK(back_moment_ms(&withdrawal, &release, text_of(vector, "device"), SINCE) == (int64_t)SINCE * SECOND + number_of(back, "turn_ms"));
                CHECK(back_moment_ms(&withdrawal, &release, text_of(vector, "device"), late_s) == late_s * SECOND + number_of(back, "late_ms"));
        }
}

/* To the millisecond: as its turn comes, just after, and by a clock at the end of what is believed and past it. */
static void check_back_of_bucket(uint64_t bucket, const struct json *back)
{
        const struct withdrawal withdrawal = { 4, SINCE, number_of(back, "over_s") };
        const int64_t turn_ms = number_of(back, "turn_ms"), late_ms = number_of(back, "late_ms"), since_ms = (int64_t)SINCE * SECOND, at_ms = since_ms + turn_ms;
        const int64_t behind_ms = since_ms - BEHIND_S_MAX * SECOND;
        CHECK(withdrawal_is_valid(&withdrawal) && withdrawal_turn_ms(bucket, withdrawal.over_s) == turn_ms);
        CHECK(withdrawal_moment_ms(&withdrawal, bucket, since_ms) == at_ms && withdrawal_moment_ms(&withdrawal, bucket, at_ms) == at_ms);
        CHECK(withdrawal_moment_ms(&withdrawal, bucket, at_ms + 1) == at_ms + 1 + late_ms);
        CHECK(withdrawal_moment_ms(&withdrawal, bucket, behind_ms) == (withdrawal.over_s ? at_ms : behind_ms));
        CHECK(withdrawal_moment_ms(&withdrawal, bucket, behind_ms - 1) == behind_ms - 1 + late_ms);
}

static void check_share(const struct json *vector, const char *key, bool is_admitted)
{
        const struct json *list = json_get(vector, key);
        const struct ceiling ceiling = { 0, 1, { { 0, (uint32_t)number_of(vector, "ppm") } } };
        CHECK(list && json_type(list) == JSON_ARRAY);
        for (size_t i = 0; i < json_count(list); i++)
                CHECK(ceiling_admits(&ceiling, 0, bucket_in(json_text(json_at(list, i))), "default") == is_admitted);
}

TEST(buckets, of_a_release_are_the_published_ones)
{
        OWN(json) struct json *vectors = read_vectors();
        const struct json *list = json_get(vectors, "cohort");
        CHECK(json_count(list) >= 16);
        for (size_t i = 0; i < json_count(list); i++) {
                const struct json *vector = json_at(list, i);
                const uint32_t ppm = (uint32_t)number_of(vector, "ppm");
                CHECK(cohort_bucket(text_of(vector, "salt"), text_of(vector, "device")) == bucket_in(text_of(vector, "bucket")));
                check_rules(vector, "admits", true);
                check_rules(vector, "refuses", false);
                CHECK(may_install(vector, text_of(vector, "salt"), ppm, NULL) && !may_install(vector, text_of(vector, "salt"), ppm - 1, NULL));
                check_back_of_device(vector);
        }
}

TEST(buckets, of_a_pace_are_the_published_ones)
{
        OWN(json) struct json *vectors = read_vectors();
        const struct json *list = json_get(vectors, "pace");
        CHECK(json_count(list) >= 16);
        for (size_t i = 0; i < json_count(list); i++) {
                const struct json *vector = json_at(list, i);
                const uint32_t ppm = (uint32_t)number_of(vector, "ppm");
                CHECK(cohort_bucket(text_of(vector, "salt"), text_of(vector, "device")) == bucket_in(text_of(vector, "bucket")));
                CHECK(number_of(vector, "week") == number_of(vector, "seen") / PACE_WEEK_S);
                CHECK(may_install_at_pace(vector, ppm) && !may_install_at_pace(vector, ppm - 1));
        }
}

TEST(buckets, below_a_share_are_the_published_ones)
{
        OWN(json) struct json *vectors = read_vectors();
        const struct json *list = json_get(vectors, "share");
        CHECK(json_count(list) >= 8);
        for (size_t i = 0; i < json_count(list); i++) {
                const struct json *vector = json_at(list, i);
                const struct ceiling ceiling = { 0, 1, { { 0, (uint32_t)number_of(vector, "ppm") } } };
                struct cohort cohort = { 0 };
                struct cohort_rule rule = { 0 };
                CHECK(json_count(json_get(vector, "admits")) + json_count(json_get(vector, "refuses")) >= 2);
                check_share(vector, "admits", true);
                check_share(vector, "refuses", false);
                read_rule(ZEROS, text_of(vector, "hi"), &cohort);
                cohort_rule_share(&rule, ceiling.steps[0].ppm);
                CHECK(rule.hi == cohort.rules[0].hi && rule.is_all == cohort.rules[0].is_all);
                /* One without `early` says what is wrong. */
                CHECK(ceiling_admits(&ceiling, 0, UINT64_MAX, "early") == json_bool(json_get(vector, "early"), !ceiling.steps[0].ppm));
        }
}

TEST(buckets, go_back_at_the_published_turns)
{
        OWN(json) struct json *vectors = read_vectors();
        const struct json *list = json_get(vectors, "turn");
        CHECK(json_count(list) >= 32);
        for (size_t i = 0; i < json_count(list); i++) {
                const struct json *back = json_get(json_at(list, i), "back");
                CHECK(json_count(back));
                for (size_t j = 0; j < json_count(back); j++)
                        check_back_of_bucket(bucket_in(text_of(json_at(list, i), "bucket")), json_at(back, j));
        }
}
