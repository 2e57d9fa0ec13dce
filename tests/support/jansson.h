/* jansson.h - what another JSON library thinks: the second opinion of fuzzers and benchmarks, never of the product.
 *
 * Apart from them because its header and format/json.h use the same names. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether it reads this as our rules ask: UTF-8, no duplicate keys, no NUL, no reals. It allows deeper nesting than we do. */
bool jansson_reads(const void *bytes, size_t length);

/* Whether both are read, and as the same value. */
bool jansson_agrees(const void *a, size_t a_length, const void *b, size_t b_length);
