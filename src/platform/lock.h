/* lock.h - a folder that one process at a time may use. */
#pragma once

#include "base/err.h"

#include <stdint.h>

/* Takes the lock of file `path`, made if absent; waits for an owner that is just ending. ERR_BUSY names it. The lock goes
 * with the process, and with those that it forks. */
MUST_CHECK enum err lock_take(const char *path, int64_t wait_ms, int *ret_lock, struct why *why);
void lock_give(int lock);                                              /* -1 is fine */
