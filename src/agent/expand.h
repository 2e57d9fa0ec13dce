/* expand.h - one segment of a delta, expanded where nothing is to be lost: by the verifier's program, in a process of its own that has no
 * files, no sockets and no children, and ends with it. It is given base and packed bytes, and gives back bytes or says that it cannot.
 *
 * Nobody believes these either: what they are to be is known by its SHA-256 from the release note. */
#pragma once

#include "agent/verify.h"
#include "delta/code.h"

/* Between two programs: followed by base and packed bytes, and by the segment. No bundle begins like that: a record of kind 0 is none (trust/bundle.h). */
#define EXPAND_MAGIC "\0FBexpn1"
struct expand_ask { char magic[8]; uint32_t base_length, packed_length, length, unused; };
_Static_assert(sizeof(struct expand_ask) == 24 && sizeof(EXPAND_MAGIC) == 9, "message format");
struct expand_answer { struct confined confined; uint32_t err, length; };
_Static_assert(sizeof(struct expand_answer) == sizeof(struct confined) + 8, "message format");

enum { EXPAND_INPUT_MAX = 64 + DELTA_EXPANDED_MAX + DELTA_PACKED_MAX };

/* `question`: as expand_ask_begin() began it, then base and packed bytes, which its lengths announced. Appends `length` bytes to `into`, exactly. ERR_CONTENT: they cannot be
 * had from this; ERR_TIMEOUT and others: the process. Waits, some 10 ms for a segment. */
MUST_CHECK enum err expand_run(const struct workers *workers, const struct buf *question, size_t length, struct buf *into, struct why *why);
void expand_ask_begin(size_t base_length, size_t packed_length, size_t length, struct buf *question);

/* In the child: expand_serve.c. */
bool expand_is_meant(const struct buf *question);
MUST_CHECK enum err expand_serve(const struct buf *question, const struct confined *confined, struct why *why);
