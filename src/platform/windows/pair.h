/* pair.h - two connected sockets, which is what channels are on Windows. Used by the other sources of this folder, nobody else.
 *
 * Sockets, not pipes: one wait serves many of them and the events of the system, without a turn of polling. They are connected over the loop
 * of this machine, and each end has looked that the other one is its own process. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Not inherited by children. */
MUST_CHECK enum err pair_open(int ret_ends[2], struct why *why);
bool pair_is_socket(int end);
/* Until it can be read (written to), or the time is up; below 0: no limit. */
bool pair_wait(int end, bool to_write, int64_t timeout_ms);
/* How many bytes are there; 0: none, or the other side is gone (`ret_is_gone`). */
size_t pair_waiting(int end, bool *ret_is_gone);
/* All of these bytes, waited for. ERR_UNAVAILABLE: the other side is gone. */
MUST_CHECK enum err pair_send(int end, const void *bytes, size_t length, struct why *why);
MUST_CHECK enum err pair_receive(int end, void *bytes, size_t length, struct why *why);
