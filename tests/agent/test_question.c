#include "agent/question.h"

#include "support/test.h"

#include <string.h>

static const char device[] = "00112233445566778899aabbccddeeff";

static void write_question(const struct slot_stream *slots, struct buf *files, struct buf *bundle)
{
        static const struct buf no_cohort;
        const struct question question = {
                .files = files, .cohort = &no_cohort, .slots = slots, .device = device, .ring = "main", .platform = "linux-amd64", .stream = "rules", .now_s = 1000, .wanted = 3,
        };
        question_write(&question, bundle);
        CHECK(buf_check(bundle, NULL) == OK);
}

TEST(question, begins_with_the_files_and_says_what_the_record_says)
{
        OWN(buf) struct buf files, bundle;
        static struct bundle parsed;
        struct slot_stream slots = { .current = SLOT_A, .release = { { .counter = 4 } }, .floor = 2, .denied_count = 1, .denied = { 5 } };
        buf_init(&files, BUNDLE_BYTES_MAX);
        buf_init(&bundle, BUNDLE_BYTES_MAX);
        bundle_add(&files, bundle_file(BUNDLE_KEPT, BUNDLE_RELEASE, TUF_ROOT), "root", 4);
        write_question(&slots, &files, &bundle);
        CHECK(bundle_parse(bundle.bytes, bundle.length, &parsed, NULL) == OK);
        CHECK(parsed.now == 1000 && parsed.floor == 2 && parsed.wanted == 3 && parsed.has_above && parsed.above == 4 && bundle_denies(&parsed, 5));
        CHECK(parsed.records[0].length == 4 && strcmp(parsed.device, device) == 0);
        slots.current = SLOT_FACTORY;
        slots.denied_below = 7;
        buf_clear(&bundle);
        write_question(&slots, &files, &bundle);
        CHECK(bundle_parse(bundle.bytes, bundle.length, &parsed, NULL) == OK && parsed.above == 6);
}

TEST(question, knows_which_trusted_files_are_news)
{
        OWN(buf) struct buf files;
        struct buf found = { 0 };
        struct verdict verdict;
        uint8_t kind = 0;
        buf_init(&files, BUNDLE_BYTES_MAX);
        verdict_decide("", 0, &verdict);
        bundle_add(&files, bundle_file(BUNDLE_KEPT, BUNDLE_RELEASE, TUF_ROOT), "old", 3);
        bundle_add(&files, bundle_file(BUNDLE_FRESH, BUNDLE_RELEASE, TUF_ROOT), "newer", 5);
        CHECK(question_walk(&files, 1, &kind, &found) == 2 && kind == bundle_file(BUNDLE_FRESH, BUNDLE_RELEASE, TUF_ROOT) && found.length == 5);
        CHECK(!question_is_news(&files, &verdict, BUNDLE_RELEASE, TUF_ROOT, &found));
        verdict.kept[BUNDLE_RELEASE][TUF_ROOT] = 0;
        CHECK(!question_is_news(&files, &verdict, BUNDLE_RELEASE, TUF_ROOT, &found));
        verdict.kept[BUNDLE_RELEASE][TUF_ROOT] = 1;
        CHECK(question_is_news(&files, &verdict, BUNDLE_RELEASE, TUF_ROOT, &found) && memcmp(found.bytes, "newer", 5) == 0);
        CHECK(!question_is_news(&files, &verdict, BUNDLE_DIRECTOR, TUF_ROOT, &found));
        verdict.kept[BUNDLE_RELEASE][TUF_ROOT] = 2;
        CHECK(!question_is_news(&files, &verdict, BUNDLE_RELEASE, TUF_ROOT, &found));
}
