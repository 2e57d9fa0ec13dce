/* utc.h - a moment as people and standards write it: "2026-11-21T04:05:06Z". Years 1970 to 9999; no local time, no leap seconds. */
#pragma once

#include <stdint.h>

struct utc { int year, month, day, hour, minute, second; };      /* month and day from 1 */

struct utc utc_from_s(int64_t unix_s);                           /* outside the years, the nearest end */
void utc_text_s(int64_t unix_s, char text[21]);                  /* 2026-11-21T04:05:06Z */
void utc_text_ms(int64_t unix_ms, char text[25]);                /* 2026-11-21T04:05:06.123Z */
