/* flat.h - strict reader and writer of flat JSON objects (no nesting), without allocation: the device API's bodies.
 *
 * Fields by table, like json_read(); text is copied (unescaped, UTF-8 checked) into char arrays of the caller's struct.
 * Fuzzed against json.h: accepts exactly what json_parse() + json_read() would, where both can express it. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum flat_type { FLAT_TEXT, FLAT_INT };

/* A key has at most LIMIT_NAME_BYTES; at most 64 fields. What was not in the text keeps what the caller put there; after
 * a failure, some fields may have been written. */
struct flat_field {
        const char *key;
        enum flat_type type;
        bool required;
        size_t offset, size;         /* of char[size] (NUL ended) or int64_t (size 8) in the struct */
        int64_t min, max;            /* integers: range; text: least bytes (most is size - 1) */
};

MUST_CHECK enum err flat_read(const char *bytes, size_t length, const struct flat_field *fields, size_t field_count,
                              void *into, struct why *why);
/* The same table backwards; fields in the table's order, all of them. */
void flat_write(const struct flat_field *fields, size_t field_count, const void *from, struct buf *into);
