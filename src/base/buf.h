/* buf.h - a growing run of bytes with a ceiling.
 *
 * A failed append leaves the buffer as it was and marks it failed; appends may therefore be
 * strung together and buf_check() asked once at the end. `bytes` is always followed by a NUL
 * that `length` does not count, so text needs no copy. */
#pragma once

#include "base/err.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
        char *bytes;          /* NULL until the first append */
        size_t length;
        size_t capacity, length_max;
        enum err failed;      /* the first failure, sticky */
};

void buf_init(struct buf *buf, size_t length_max);
void buf_done(struct buf *buf);
static inline void buf_release(struct buf *buf) { buf_done(buf); }   /* OWN(buf) struct buf b; */

void buf_add(struct buf *buf, const void *bytes, size_t length);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_int(struct buf *buf, int64_t number);                   /* decimal */
void buf_addf(struct buf *buf, const char *format, ...) LIKE_PRINTF(2, 3);
void buf_clear(struct buf *buf);                                     /* keeps the memory, forgets a failure */
const char *buf_text(const struct buf *buf);                         /* never NULL */
bool buf_equal(const struct buf *a, const struct buf *b);

/* OK, or why an append failed: ERR_NOMEM or ERR_LIMIT. */
MUST_CHECK enum err buf_check(const struct buf *buf, struct why *why);
