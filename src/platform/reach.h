/* reach.h - can a place in the network be reached? One new TCP connection, closed at once; nothing is said. */
#pragma once

#include "base/err.h"

#include <stdint.h>

/* `place` is HOST:PORT, an IPv6 host in brackets. Each of its addresses is tried for `timeout_ms` at most; to find them may take longer: who cannot wait
 * asks in a child. ERR_UNAVAILABLE, with the reason of the last one; ERR_USAGE. */
MUST_CHECK enum err reach_tcp(const char *place, int64_t timeout_ms, struct why *why);
