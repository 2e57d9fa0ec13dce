/* tuf_time.h - the times of TUF metadata: "2026-11-21T04:05:06Z" to unix seconds; the way back is base/utc.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { TUF_TIME_BYTES = 21 };

/* Exactly that form, years 1970 to 9999, and a day that there is. */
bool tuf_time_parse(const char *text, int64_t *ret_s);
