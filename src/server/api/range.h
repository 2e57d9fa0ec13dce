/* range.h - RFC 9110, 14: which part of a file is asked for. Pure. */
#pragma once

#include <stdint.h>

enum range_kind {
        RANGE_ALL,                             /* no Range, or one to be passed over: other units, several parts, malformed */
        RANGE_PART,
        RANGE_NONE,                            /* 416: it begins after the end */
};

/* `text` NULL is fine. RANGE_PART: `ret_count` bytes from `ret_from`, at least one. */
enum range_kind range_read(const char *text, uint64_t length, uint64_t *ret_from, uint64_t *ret_count);
