/* form.h - a delta as a file: head, lengths of its segments, then the segments. Format: docs/guide/formats.md, 1.2.
 *
 * The first segment is the signed note of the newer release, its base the text of the older one's; the others are those of plan.h. A
 * file of bytes that nobody signed: what comes out of it is believed by its digest alone. */
#pragma once

#include "base/buf.h"
#include "delta/plan.h"

enum {
        DELTA_HEAD_BYTES = 16, DELTA_COUNT_MAX = DELTA_SEGMENTS_MAX + 1,
        DELTA_FORM_BYTES_MAX = DELTA_HEAD_BYTES + 4 * DELTA_COUNT_MAX,
        DELTA_EXPANDED_MAX = LIMIT_NOTE_BYTES,   /* the note is one segment, its base another note: they may be longer than the others */
        DELTA_PACKED_MAX = DELTA_EXPANDED_MAX + (DELTA_EXPANDED_MAX >> 7),       /* what does not compress grows by less than that */
};
_Static_assert((int)DELTA_SEGMENT_BYTES <= (int)DELTA_EXPANDED_MAX && (int)DELTA_BASE_BYTES <= (int)DELTA_EXPANDED_MAX, "what holds for the note holds for all");

struct delta_form {
        uint32_t note_length;                    /* of the signed note, as it comes out */
        size_t count;                            /* segments, the note's among them: 1 at least */
        uint32_t packed[DELTA_COUNT_MAX];        /* bytes of each in the file */
};

/* How many bytes of the file stand before its first segment, given its first DELTA_HEAD_BYTES. ERR_SYNTAX, ERR_LIMIT. */
MUST_CHECK enum err delta_form_length(const char head[DELTA_HEAD_BYTES], size_t *ret_length, struct why *why);
/* Those bytes; `file_length`: of the whole file, which has to be what its segments add up to. */
MUST_CHECK enum err delta_form_read(const char *bytes, size_t length, uint64_t file_length, struct delta_form *ret_form, struct why *why);
/* Ask buf_check() afterwards. */
void delta_form_write(const struct delta_form *form, struct buf *into);
