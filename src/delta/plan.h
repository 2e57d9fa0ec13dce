/* plan.h - what a delta between two releases has in it, and in which order. Both sides work it out from the two release notes, so that
 * nothing of it is told, and nothing of it has to be believed.
 *
 * Wanted are the files that the older release does not have, by length and SHA-256, in the order of their paths, each once. Their bytes,
 * one file after the other, are cut into segments of DELTA_SEGMENT_BYTES, the last one shorter. Each segment is compressed by itself against its base:
 * for each of its pieces what stands around the same place in the older file of the same path. So memory does not grow with the release, and what a device
 * has already is passed over. Pure; the format is in docs/guide/formats.md, 1.2. */
#pragma once

#include "base/own.h"
#include "trust/release_note.h"

#include <stddef.h>
#include <stdint.h>

enum {
        DELTA_SEGMENT_BYTES = 1 << 18,   /* what one process is started for, and holds in memory with its base */
        DELTA_BASE_BYTES = 3 << 18,      /* of one segment: as much before and behind what was changed as there is of it */
        DELTA_NEAR_BYTES = 64 << 10,     /* before and behind a piece at least, where the file has it */
        DELTA_SEGMENTS_MAX = 4096,       /* a gigabyte: what is larger is fetched file by file */
};
struct delta_range { size_t file; uint64_t from; uint32_t length; };     /* file: of the note in question */

struct delta_segment {
        size_t first_piece, piece_count;         /* of the newer release: one after the other they are the segment */
        size_t first_source, source_count;       /* of the older one: one after the other they are its base */
        uint32_t length, base_length;
};

struct delta_plan {
        struct delta_range *pieces, *sources;
        struct delta_segment *segments;
        size_t piece_count, source_count, segment_count;
        uint64_t bytes;                          /* of all segments */
};

/* `older` NULL: there is none, and every file is wanted. ERR_LIMIT: more than DELTA_SEGMENTS_MAX segments. */
MUST_CHECK enum err delta_plan_make(const struct release_note *older, const struct release_note *newer, struct delta_plan **ret_plan, struct why *why);
void delta_plan_free(struct delta_plan *plan);                   /* NULL is fine */
OWN_DEFINE(delta_plan, struct delta_plan *, delta_plan_free)
