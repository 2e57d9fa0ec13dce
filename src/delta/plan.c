#include "delta/plan.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { NONE = -1 };

/* Of each file of the newer release: is it wanted, and which older file has its path. */
struct match { bool is_wanted; int32_t older; };

struct making {
        const struct release_note *older, *newer;
        struct match *matches;
        struct delta_plan *plan;
};

static int by_content(const void *a, const void *b)
{
        const struct release_file *one = *(const struct release_file *const *)a, *other = *(const struct release_file *const *)b;
        if (one->length != other->length)
                return one->length < other->length ? -1 : 1;
        return memcmp(one->sha256, other->sha256, sizeof(one->sha256));
}

/* Those that are equal stay in the order of their paths, which is that of the array. */
static int by_content_and_place(const void *a, const void *b)
{
        const struct release_file *one = *(const struct release_file *const *)a, *other = *(const struct release_file *const *)b;
        const int order = by_content(a, b);
        return order ? order : (one > other) - (one < other);
}

static const struct release_file **sorted(const struct release_note *note)
{
        const struct release_file **files = mem_new(note->file_count + 1, sizeof(*files));
        for (size_t i = 0; files && i < note->file_count; i++)
                files[i] = &note->files[i];
        if (files)
                qsort(files, note->file_count, sizeof(*files), by_content_and_place);
        return files;
}

static enum err find_wanted(struct making *making, struct why *why)
{
        const struct release_note *older = making->older, *newer = making->newer;
        OWN(memory) void *new_owned = sorted(newer), *old_owned = older ? sorted(older) : NULL;
        const struct release_file **news = new_owned, **olds = old_owned;
        if (!news || (older && !olds))
                return FAIL(why, ERR_NOMEM, "planning a delta");
        for (size_t i = 0; i < newer->file_count; i++) {
                const bool is_first = i == 0 || by_content(&news[i - 1], &news[i]) != 0;
                const bool is_known = olds && bsearch(&news[i], olds, older->file_count, sizeof(*olds), by_content);
                making->matches[news[i] - newer->files].is_wanted = is_first && !is_known;
        }
        return OK;
}

/* Both notes are sorted by path. */
static void find_paths(struct making *making)
{
        const struct release_note *older = making->older, *newer = making->newer;
        for (size_t i = 0, old = 0; i < newer->file_count; i++) {
                int order = -1;
                while (older && old < older->file_count && (order = strcmp(older->files[old].path, newer->files[i].path)) < 0)
                        old++;
                making->matches[i].older = older && old < older->file_count && order == 0 ? (int32_t)old : NONE;
        }
}

static void add_source(struct making *making, struct delta_segment *segment, size_t file, const struct delta_range *piece)
{
        struct delta_plan *plan = making->plan;
        const uint64_t old_length = making->older->files[file].length;
        const uint64_t near = piece->length > DELTA_NEAR_BYTES ? piece->length : DELTA_NEAR_BYTES;
        const uint64_t from = piece->from > near ? piece->from - near : 0, until = piece->from + piece->length + near;
        const uint64_t end = until < old_length ? until : old_length, room = DELTA_BASE_BYTES - segment->base_length;
        if (from >= end || !room)
                return;
        const uint64_t length = end - from < room ? end - from : room;
        plan->sources[plan->source_count++] = (struct delta_range){ file, from, (uint32_t)length };
        segment->source_count++;
        segment->base_length += (uint32_t)length;
}

static struct delta_segment *open_segment(struct delta_plan *plan)
{
        struct delta_segment *last = plan->segment_count ? &plan->segments[plan->segment_count - 1] : NULL;
        if (last && last->length < DELTA_SEGMENT_BYTES)
                return last;
        last = &plan->segments[plan->segment_count++];
        *last = (struct delta_segment){ .first_piece = plan->piece_count, .first_source = plan->source_count };
        return last;
}

/* An empty file is a piece too, of nothing: it has to be made. */
static void add_file(struct making *making, size_t file)
{
        struct delta_plan *plan = making->plan;
        const uint64_t length = making->newer->files[file].length;
        uint64_t at = 0;
        do {
                struct delta_segment *segment = open_segment(plan);
                const uint64_t room = DELTA_SEGMENT_BYTES - segment->length;
                const struct delta_range piece = { file, at, (uint32_t)(length - at < room ? length - at : room) };
                plan->pieces[plan->piece_count++] = piece;
                segment->piece_count++;
                segment->length += piece.length;
                if (making->matches[file].older != NONE)
                        add_source(making, segment, (size_t)making->matches[file].older, &piece);
                at += piece.length;
        } while (at < length);
}

static enum err count(struct making *making, struct why *why)
{
        struct delta_plan *plan = making->plan;
        const uint64_t bytes_max = (uint64_t)DELTA_SEGMENTS_MAX * DELTA_SEGMENT_BYTES - 1;   /* an empty file behind a full segment begins another */
        for (size_t i = 0; i < making->newer->file_count; i++) {
                if (!making->matches[i].is_wanted)
                        continue;
                if (making->newer->files[i].length > bytes_max - plan->bytes)
                        return FAIL(why, ERR_LIMIT, "a delta of more than %" PRIu64 " bytes", bytes_max);
                plan->bytes += making->newer->files[i].length;
        }
        /* Each segment after the first may cut one file more. */
        const size_t segments = (size_t)(plan->bytes / DELTA_SEGMENT_BYTES) + 1, pieces = making->newer->file_count + segments;
        plan->segments = mem_new(segments, sizeof(*plan->segments));
        plan->pieces = mem_new(pieces, sizeof(*plan->pieces));
        plan->sources = mem_new(pieces, sizeof(*plan->sources));
        return plan->segments && plan->pieces && plan->sources ? OK : FAIL(why, ERR_NOMEM, "planning a delta");
}

enum err delta_plan_make(const struct release_note *older, const struct release_note *newer, struct delta_plan **ret_plan, struct why *why)
{
        OWN(delta_plan) struct delta_plan *plan = mem_new(1, sizeof(*plan));
        OWN(memory) void *matches = mem_new(newer->file_count + 1, sizeof(struct match));
        if (!plan || !matches)
                return FAIL(why, ERR_NOMEM, "planning a delta");
        struct making making = { .older = older, .newer = newer, .matches = matches, .plan = plan };
        find_paths(&making);
        enum err e = find_wanted(&making, why);
        if (!e)
                e = count(&making, why);
        if (e)
                return e;
        for (size_t i = 0; i < newer->file_count; i++)
                if (making.matches[i].is_wanted)
                        add_file(&making, i);
        *ret_plan = GIVE(plan);
        return OK;
}

void delta_plan_free(struct delta_plan *plan)
{
        if (!plan)
                return;
        mem_free(plan->pieces);
        mem_free(plan->sources);
        mem_free(plan->segments);
        mem_free(plan);
}
