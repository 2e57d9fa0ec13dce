/* utc.h - a moment as people and standards write it: "2026-11-21T04:05:06Z". Years 1970 to 9999; no local time, no leap seconds. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct utc { int year, month, day, hour, minute, second; };      /* month and day from 1 */

struct utc utc_from_s(int64_t unix_s);                           /* outside the years, the nearest end */
bool utc_to_s(const struct utc *utc, int64_t *ret_unix_s);        /* false: there is no such moment, as 30 February */
void utc_text_s(int64_t unix_s, char text[21]);                  /* 2026-11-21T04:05:06Z */
void utc_text_ms(int64_t unix_ms, char text[25]);                /* 2026-11-21T04:05:06.123Z */

/* What a zone adds to UTC from a moment on. A zone over time is several of these, ascending; the first counts for all time before it, too. */
struct utc_shift { int64_t from_s; int32_t offset_s; };
