/* lock.h - a folder that one process at a time may use. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* Takes the lock of file `path`, made if absent; waits for an owner that is just ending. ERR_BUSY names it. The lock goes
 * with the process, and with those that it forks. */
MUST_CHECK enum err lock_take(const char *path, int64_t wait_ms, int *ret_lock, struct why *why);
/* Has another process a lock by fcntl(2) on this file? False also where that cannot be asked. */
bool lock_is_held(const char *path);
void lock_give(int lock);                                              /* -1 is fine */
