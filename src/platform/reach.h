/* reach.h - can a place in the network be reached? One new TCP connection, closed at once; nothing is said. */
#pragma once

#include "base/err.h"

#include <stdint.h>

/* `place` is HOST:PORT, an IPv6 host in brackets. Its addresses are tried one after the other, all within `timeout_ms`, so that one that swallows
 * everything (IPv6 without a way out) leaves time for the next; to find them may take longer: who cannot wait
 * asks in a child. ERR_UNAVAILABLE, with the reason of the last one; ERR_USAGE. */
MUST_CHECK enum err reach_tcp(const char *place, int64_t timeout_ms, struct why *why);
