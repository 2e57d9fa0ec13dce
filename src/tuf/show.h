/* show.h - what firebreak-tuf prints: the trusted metadata, and what was downloaded. */
#pragma once

#include "tuf/download.h"

struct shown { const struct tuf_options *options; const struct tuf *tuf; const struct downloaded *downloaded; size_t count; };

/* For people one line for each role or target. */
MUST_CHECK enum err show(const struct shown *shown, struct buf *into, struct why *why);
