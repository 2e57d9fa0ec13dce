#include "agent/source.h"

#include "support/test.h"

#include <string.h>

static const uint8_t one[32] = { 1 }, two[32] = { 2 };

static bool hear(struct sources *sources, const uint8_t sha256[32], unsigned source, enum source_end end, int64_t now_ms)
{
        return sources_heard(sources, &(struct source_heard){ sha256, source, end, 0, end == SOURCE_FAILED || end == SOURCE_LACKS ? 0 : 10 }, now_ms);
}

/* Behind what was there. */
static bool hear_more(struct sources *sources, unsigned source, enum source_end end)
{
        return sources_heard(sources, &(struct source_heard){ one, source, end, 10, 10 }, 0);
}

TEST(source, is_a_mirror_for_what_is_addressed_by_its_hash_and_for_nothing_else)
{
        static const char *const others[] = {
                "/v1/artifacts/", "/v1/artifacts/zz", "/v1/notes/0100000000000000000000000000000000000000000000000000000000000000", "/v1/tuf/director/timestamp.json", "/v1/lease", "",
                "/v1/artifacts/0100000000000000000000000000000000000000000000000000000000000000/x", "/v1/artifacts/01000000000000000000000000000000000000000000000000000000000000000",
                "//v1/artifacts/0100000000000000000000000000000000000000000000000000000000000000",
        };
        uint8_t sha256[32];
        CHECK(source_is_content("/v1/artifacts/0100000000000000000000000000000000000000000000000000000000000000", sha256) && memcmp(sha256, one, 32) == 0);
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
                CHECK(!source_is_content(others[i], sha256));
}

TEST(source, is_the_server_where_no_mirror_is_configured)
{
        struct sources sources;
        sources_init(&sources, 0);
        CHECK(sources_pick(&sources, one, 0) == SOURCE_SERVER && !hear(&sources, one, SOURCE_SERVER, SOURCE_FAILED, 0) && sources_pick(&sources, one, 0) == SOURCE_SERVER);
        CHECK(!sources_have_news(&sources));
}

TEST(source, that_fails_is_put_aside_longer_each_time_until_it_does_well)
{
        struct sources sources;
        struct source_news news;
        int64_t now_ms = 0, pause_ms = SOURCE_ASIDE_MS;
        sources_init(&sources, 2);
        CHECK(sources_pick(&sources, one, now_ms) == 1);
        for (unsigned i = 0; i < 9; i++) {
                CHECK(hear(&sources, one, 1, SOURCE_FAILED, now_ms) && sources_pick(&sources, one, now_ms) == 2 && sources_pick(&sources, two, now_ms) == 2);
                CHECK(sources_have_news(&sources) && sources_news(&sources, now_ms, &news) && news.source == 1 && !news.has_lied && news.aside_ms == pause_ms);
                CHECK(!sources_have_news(&sources) && !sources_news(&sources, now_ms, &news));
                CHECK(!hear(&sources, one, 2, SOURCE_DID_WELL, now_ms));
                now_ms += pause_ms;
                CHECK(sources_pick(&sources, one, now_ms - 1) == 2 && sources_pick(&sources, one, now_ms) == 1);
                pause_ms = pause_ms * 2 < SOURCE_ASIDE_MAX_MS ? pause_ms * 2 : SOURCE_ASIDE_MAX_MS;
        }
        CHECK(!hear(&sources, one, 1, SOURCE_DID_WELL, now_ms) && hear(&sources, two, 1, SOURCE_FAILED, now_ms));
        CHECK(sources_news(&sources, now_ms, &news) && news.aside_ms == SOURCE_ASIDE_MS && sources.each[1].failures == 10);
}

TEST(source, all_fail_and_the_server_is_asked_itself)
{
        struct sources sources;
        sources_init(&sources, LIMIT_MIRRORS);
        for (unsigned i = 1; i <= LIMIT_MIRRORS; i++)
                CHECK(sources_pick(&sources, one, 0) == i && hear(&sources, one, i, SOURCE_FAILED, 0));
        CHECK(sources_pick(&sources, one, 0) == SOURCE_SERVER && !hear(&sources, one, SOURCE_SERVER, SOURCE_FAILED, 0));
        CHECK(sources_pick(&sources, one, 0) == SOURCE_SERVER);
}

TEST(source, that_lied_is_put_aside_for_longer_and_nothing_of_the_file_is_asked_of_another_mirror)
{
        struct sources sources;
        struct source_news news;
        sources_init(&sources, 2);
        CHECK(hear(&sources, one, 1, SOURCE_LIED, 0) && sources_pick(&sources, one, 0) == SOURCE_SERVER && sources_pick(&sources, two, 0) == 2);
        CHECK(sources_news(&sources, 0, &news) && news.source == 1 && news.has_lied && news.aside_ms == SOURCE_LIED_MS && sources.each[1].lies == 1 && !sources.each[1].failures);
        CHECK(!hear(&sources, one, SOURCE_SERVER, SOURCE_DID_WELL, 0) && sources_pick(&sources, one, 0) == 2);
        CHECK(sources_pick(&sources, one, SOURCE_LIED_MS) == 1 && hear(&sources, one, 1, SOURCE_LIED, SOURCE_LIED_MS));
        CHECK(sources_news(&sources, SOURCE_LIED_MS, &news) && news.aside_ms == 2 * SOURCE_LIED_MS);
}

/* A part came from one, which broke off, and the next went on: it is begun anew before the one who went on is blamed. */
TEST(source, that_went_on_with_what_another_gave_is_not_at_fault_alone)
{
        struct sources sources;
        struct source_news news;
        sources_init(&sources, 3);
        CHECK(!hear(&sources, one, 1, SOURCE_GOES_ON, 0) && hear_more(&sources, 1, SOURCE_FAILED) && sources_news(&sources, 0, &news) && !news.has_lied);
        CHECK(sources_pick(&sources, one, 0) == 2 && hear_more(&sources, 2, SOURCE_LIED) && sources.each[1].lies == 1 && !sources.each[2].lies);
        CHECK(sources_news(&sources, 0, &news) && news.source == 1 && news.has_lied && sources_pick(&sources, one, 0) == 2);
        CHECK(hear(&sources, one, 2, SOURCE_LIED, 0) && sources.each[2].lies == 1 && sources_pick(&sources, one, 0) == SOURCE_SERVER && sources_pick(&sources, two, 0) == 3);
        CHECK(!hear(&sources, one, SOURCE_SERVER, SOURCE_LIED, 0) && sources.each[1].lies == 1 && sources.each[2].lies == 1 && !sources.each[3].lies);
}

TEST(source, the_server_is_asked_once_more_when_it_went_on_with_what_a_mirror_gave)
{
        struct sources sources;
        sources_init(&sources, 1);
        CHECK(!hear(&sources, one, 1, SOURCE_GOES_ON, 0) && hear_more(&sources, 1, SOURCE_FAILED) && sources_pick(&sources, one, 0) == SOURCE_SERVER);
        CHECK(hear_more(&sources, SOURCE_SERVER, SOURCE_LIED) && sources.each[1].lies == 1 && sources_pick(&sources, one, 0) == SOURCE_SERVER);
        CHECK(!hear(&sources, one, SOURCE_SERVER, SOURCE_LIED, 0) && sources.each[1].lies == 1);
}

/* Before the agent started: nobody knows from whom it was. */
TEST(source, that_went_on_with_what_was_there_is_begun_anew_but_not_for_ever)
{
        struct sources sources;
        sources_init(&sources, 1);
        CHECK(hear_more(&sources, 1, SOURCE_LIED) && !sources.each[1].lies && sources_pick(&sources, one, 0) == 1);
        CHECK(!hear(&sources, one, 1, SOURCE_DID_WELL, 0));
        unsigned asked = 0;
        while (hear_more(&sources, SOURCE_SERVER, SOURCE_LIED))
                CHECK(++asked < 10);
        CHECK(asked == LIMIT_MIRRORS + 1 && !sources.each[1].lies);
}

/* A cache that has not heard of a release yet is none to be put aside; one that has nothing at all is. */
TEST(source, that_lacks_a_file_is_asked_for_the_next_but_not_for_ever)
{
        struct sources sources;
        uint8_t file[32] = { 9 };
        sources_init(&sources, 1);
        for (unsigned i = 1; i < SOURCE_LACKS_MAX; i++) {
                file[1] = (uint8_t)i;
                CHECK(sources_pick(&sources, file, 0) == 1 && hear(&sources, file, 1, SOURCE_LACKS, 0) && sources_pick(&sources, file, 0) == SOURCE_SERVER);
        }
        CHECK(!sources_have_news(&sources) && sources_pick(&sources, one, 0) == 1 && hear(&sources, one, 1, SOURCE_LACKS, 0));
        CHECK(sources_have_news(&sources) && sources_pick(&sources, two, 0) == SOURCE_SERVER && sources_pick(&sources, two, SOURCE_ASIDE_MS) == 1);
}

TEST(source, that_is_slow_is_used_for_what_came_and_then_put_aside)
{
        struct sources sources;
        sources_init(&sources, 1);
        CHECK(!hear(&sources, one, 1, SOURCE_WAS_SLOW, 0) && sources_pick(&sources, two, 0) == SOURCE_SERVER && sources_pick(&sources, two, SOURCE_ASIDE_MS) == 1);
}

TEST(source, is_judged_by_what_came_in_which_time)
{
        const uint64_t enough = (uint64_t)SOURCE_BYTES_PER_S * 10;
        CHECK(source_came(10, 10, 1, true) == SOURCE_DID_WELL && source_came(0, 0, 1, true) == SOURCE_DID_WELL);
        CHECK(source_came(10, 10, 1, false) == SOURCE_GOES_ON);                          /* a part of a file, all that was asked for */
        CHECK(source_came(9, 10, 1, false) == SOURCE_FAILED && source_came(0, 10, 1, false) == SOURCE_FAILED);
        CHECK(source_came(enough, 2 * enough, 10000, false) == SOURCE_GOES_ON);          /* its time is over */
        CHECK(source_came(enough / 2, 2 * enough, 10000, false) == SOURCE_FAILED && source_came(enough / 2, enough / 2, 10000, true) == SOURCE_WAS_SLOW);
        CHECK(source_came(enough / 2, 2 * enough, SOURCE_SLOW_MS - 1, true) == SOURCE_DID_WELL);
}

/* As many as there are streams are on the road at once; one more forgets the oldest, which costs one more try. */
TEST(source, remembers_a_file_for_each_stream)
{
        struct sources sources;
        uint8_t file[32] = { 3 };
        sources_init(&sources, 1);
        CHECK(hear(&sources, one, 1, SOURCE_LACKS, 0));
        for (unsigned i = 1; i < SOURCE_FILES; i++) {
                file[1] = (uint8_t)i;
                CHECK(sources_pick(&sources, file, 0) == 1);
        }
        CHECK(sources_pick(&sources, one, 0) == SOURCE_SERVER);
        file[2] = 1;
        CHECK(sources_pick(&sources, file, 0) == 1 && sources_pick(&sources, one, 0) == 1);
        sources_count(&sources, 1, 5);
        sources_count(&sources, SOURCE_SERVER, 6);
        CHECK(sources.each[1].bytes == 5 && sources.each[SOURCE_SERVER].bytes == 6);
}
