/* spare.h - an nft(8) that was started before it is needed, with what it is to do in our memory.
 *
 * For the case that there is no nft to start any more, or no disk to read from: an update that takes it away for a moment, a disk that died. */
#pragma once

#include "base/buf.h"
#include "base/own.h"
#include "platform/child.h"

struct spare { struct child child; int input; struct buf script; };

/* It waits with `script`. Without one, where none can be had: spare_use() says so then. Takes nothing of `script` but a copy. */
void spare_start(struct spare *spare, const struct buf *script);
/* Once. ERR_UNAVAILABLE: there is none. */
MUST_CHECK enum err spare_use(struct spare *spare, struct why *why);
void spare_done(struct spare *spare);
static inline void spare_release(struct spare *spare) { spare_done(spare); }
