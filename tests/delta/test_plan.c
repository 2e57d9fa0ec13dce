#include "delta/plan.h"

#include "support/sweep.h"
#include "support/test.h"

#include <string.h>

/* A note of files whose content is a letter: what has the same letter and length is the same. */
struct sample { const char *path; uint64_t length; char content; };

static struct release_note note_of(const struct sample *samples, size_t count, struct release_file *files)
{
        for (size_t i = 0; i < count; i++) {
                files[i] = (struct release_file){ .length = samples[i].length, .path = samples[i].path };
                memset(files[i].sha256, samples[i].content, sizeof(files[i].sha256));
        }
        return (struct release_note){ .file_count = count, .files = files };
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
enum { SEGMENT = DELTA_SEGMENT_BYTES };

static const struct sample olds[] = { { "a", 100, 'a' }, { "b", 5000, 'b' }, { "d", 7, 'd' }, { "e", 100, 'e' } };

static struct delta_plan *plan_of(const struct sample *older, size_t older_count, const struct sample *newer, size_t newer_count)
{
        struct release_file old_files[16], new_files[16];
        const struct release_note old_note = note_of(older, older_count, old_files), new_note = note_of(newer, newer_count, new_files);
        struct delta_plan *plan = NULL;
        CHECK(delta_plan_make(older_count ? &old_note : NULL, &new_note, &plan, NULL) == OK);
        return plan;
}

static bool is_range(const struct delta_range *range, size_t file, uint64_t from, uint64_t length)
{
        return range->file == file && range->from == from && range->length == length;
}

TEST(delta_plan, wants_what_is_not_there_under_any_name_and_once)
{
        static const struct sample news[] = { { "a", 100, 'a' }, { "b", 5001, 'B' }, { "c", 60, 'c' }, { "c2", 60, 'c' }, { "e", 7, 'd' }, { "f", 100, 'e' } };
        OWN(delta_plan) struct delta_plan *plan = plan_of(olds, COUNT(olds), news, COUNT(news));
        CHECK(plan->piece_count == 2 && is_range(&plan->pieces[0], 1, 0, 5001) && is_range(&plan->pieces[1], 2, 0, 60) && plan->bytes == 5061);
        CHECK(plan->segment_count == 1 && plan->segments[0].piece_count == 2 && plan->segments[0].length == 5061);
        CHECK(plan->source_count == 1 && is_range(&plan->sources[0], 1, 0, 5000) && plan->segments[0].base_length == 5000);
}

/* The length is not enough, and neither is the digest: a note may say what it likes. */
TEST(delta_plan, takes_length_and_digest_together)
{
        static const struct sample news[] = { { "a", 101, 'a' }, { "b", 100, 'b' } };
        OWN(delta_plan) struct delta_plan *plan = plan_of(olds, COUNT(olds), news, COUNT(news));
        CHECK(plan->piece_count == 2 && plan->source_count == 2);
}

TEST(delta_plan, without_an_older_one_is_all_of_it)
{
        static const struct sample news[] = { { "a", 100, 'a' }, { "b", 0, 'b' }, { "c", 100, 'a' } };
        OWN(delta_plan) struct delta_plan *plan = plan_of(NULL, 0, news, COUNT(news));
        CHECK(plan->piece_count == 2 && is_range(&plan->pieces[1], 1, 0, 0) && plan->source_count == 0 && plan->segment_count == 1);
        OWN(delta_plan) struct delta_plan *none = plan_of(NULL, 0, news, 0);
        CHECK(none->segment_count == 0 && none->piece_count == 0 && none->bytes == 0);
        OWN(delta_plan) struct delta_plan *same = plan_of(olds, COUNT(olds), olds, COUNT(olds));
        CHECK(same->segment_count == 0 && same->piece_count == 0);
}

TEST(delta_plan, cuts_a_large_file_with_what_is_around_each_piece)
{
        static const struct sample older[] = { { "big", 3 * SEGMENT + 10, 'x' } }, news[] = { { "big", 3 * SEGMENT, 'y' }, { "empty", 0, 'z' } };
        OWN(delta_plan) struct delta_plan *plan = plan_of(older, 1, news, 2);
        CHECK(plan->segment_count == 4 && plan->piece_count == 4 && plan->source_count == 3);
        CHECK(is_range(&plan->sources[0], 0, 0, 2 * SEGMENT) && is_range(&plan->sources[1], 0, 0, 3 * SEGMENT) && is_range(&plan->sources[2], 0, SEGMENT, 2 * SEGMENT + 10));
        CHECK(plan->segments[2].length == SEGMENT && plan->segments[3].length == 0 && is_range(&plan->pieces[3], 1, 0, 0));
}

TEST(delta_plan, of_a_file_that_grew_has_no_base_behind_its_end)
{
        static const struct sample older[] = { { "big", 1000, 'x' } }, news[] = { { "big", 4 * SEGMENT, 'y' } };
        OWN(delta_plan) struct delta_plan *plan = plan_of(older, 1, news, 1);
        CHECK(plan->segment_count == 4 && plan->source_count == 2);      /* the second still has the old end near it */
        for (size_t i = 0; i < plan->segment_count; i++)
                CHECK(plan->segments[i].base_length <= DELTA_BASE_BYTES);
}

/* Ranges of one file never go back by more than a window remembers, and no base is larger than is allowed, however odd the files are. */
TEST(delta_plan, keeps_its_ceilings)
{
        static const struct sample older[] = { { "a", 1, 'a' }, { "b", 40 * SEGMENT, 'b' }, { "c", 30 * SEGMENT, 'c' }, { "d", UINT64_MAX, 'd' } };
        static const struct sample news[] = { { "a", SEGMENT - 1, 'A' }, { "b", 9, 'B' }, { "c", 10 * SEGMENT + 3, 'C' }, { "d", 2 * SEGMENT, 'D' } };
        OWN(delta_plan) struct delta_plan *plan = plan_of(older, COUNT(older), news, COUNT(news));
        uint64_t bytes = 0;
        for (size_t i = 0; i < plan->segment_count; i++) {
                const struct delta_segment *segment = &plan->segments[i];
                uint64_t base = 0, length = 0;
                for (size_t j = 0; j < segment->source_count; j++)
                        base += plan->sources[segment->first_source + j].length;
                for (size_t j = 0; j < segment->piece_count; j++)
                        length += plan->pieces[segment->first_piece + j].length;
                CHECK(base == segment->base_length && base <= DELTA_BASE_BYTES && length == segment->length && length <= SEGMENT);
                bytes += length;
        }
        CHECK(bytes == plan->bytes && bytes == 13ull * SEGMENT + 11);
}

TEST(delta_plan, is_not_made_for_more_than_a_gigabyte)
{
        static const uint64_t most = (uint64_t)DELTA_SEGMENTS_MAX * SEGMENT - 1;
        struct sample news[] = { { "a", most, 'a' }, { "b", 0, 'b' } };
        OWN(delta_plan) struct delta_plan *plan = plan_of(NULL, 0, news, 2);
        CHECK(plan->segment_count == DELTA_SEGMENTS_MAX);
        static const uint64_t lengths[] = { 1, UINT64_MAX, UINT64_MAX - most };
        for (size_t i = 0; i < COUNT(lengths); i++) {
                struct release_file files[2];
                struct delta_plan *none = NULL;
                news[1].length = lengths[i];
                const struct release_note note = note_of(news, 2, files);
                CHECK(delta_plan_make(NULL, &note, &none, NULL) == ERR_LIMIT && !none);
        }
}

TEST(delta_plan, survives_a_lack_of_memory)
{
        static const struct sample news[] = { { "b", 5001, 'B' } };
        struct release_file old_files[4], new_files[1];
        const struct release_note older = note_of(olds, COUNT(olds), old_files), newer = note_of(news, 1, new_files);
        enum err e = OK;
        SWEEP_MEMORY {
                OWN(delta_plan) struct delta_plan *plan = NULL;
                e = delta_plan_make(&older, &newer, &plan, NULL);
                CHECK(e == OK ? plan != NULL : e == ERR_NOMEM && !plan);
        }
        CHECK(e == OK);
}
