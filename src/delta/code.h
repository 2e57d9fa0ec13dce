/* code.h - one segment of a delta, compressed against its base: a zstd frame whose prefix is the base (RFC 8878; libzstd).
 *
 * Reading takes bytes of strangers: call it only where nothing is to be lost (agent/expand.h). */
#pragma once

#include "base/buf.h"
#include "delta/form.h"

struct delta_bytes { const void *bytes; size_t length; };

/* Appends to `into`. `base` of length 0: none. ERR_LIMIT: more than a segment or a base may be. */
MUST_CHECK enum err delta_compress(struct delta_bytes base, struct delta_bytes segment, struct buf *into, struct why *why);
/* To `into`, exactly `length` bytes: ERR_CONTENT when it is not so many, or no frame. Needs no more memory than some hundred KB of its own. */
MUST_CHECK enum err delta_expand(struct delta_bytes base, struct delta_bytes packed, void *into, size_t length, struct why *why);
