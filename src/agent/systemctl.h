/* systemctl.h - asks systemd, by systemctl, which knows the way to every systemd. */
#pragma once

#include "base/buf.h"
#include "platform/clock.h"

/* What it prints; waits for its end, on `clock` no longer than until `until_ms` (`clock` NULL: as long as it takes). ERR_UNAVAILABLE: it ended with an error,
 * which is said. ERR_TIMEOUT, ERR_NOT_FOUND: there is none. */
struct systemctl { const char *const *argv; struct clock *clock; int64_t until_ms; };
MUST_CHECK enum err systemctl_ask(const struct systemctl *ask, struct buf *into, struct why *why);
