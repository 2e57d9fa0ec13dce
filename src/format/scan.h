/* scan.h - the words of a JSON text, one after the other: the only code here that looks at raw JSON bytes.
 *
 * json.h and flat.h both stand on it, so they cannot disagree about what a string or a number is. Strict (RFC 8259 and
 * narrower): UTF-8 without surrogates or overlong forms, no raw control characters, no NUL even escaped, numbers are
 * integers that fit int64_t. Allocates nothing; reads no byte outside [bytes, bytes + length). */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum scan_token {
        SCAN_END, SCAN_TEXT, SCAN_INT, SCAN_TRUE, SCAN_FALSE, SCAN_NULL,
        SCAN_OPEN_OBJECT = '{', SCAN_CLOSE_OBJECT = '}', SCAN_OPEN_ARRAY = '[', SCAN_CLOSE_ARRAY = ']',
        SCAN_COLON = ':', SCAN_COMMA = ',',
};

struct scan {
        const unsigned char *bytes;
        size_t length, at;           /* `at`: the first byte after the current token */
        enum scan_token token;
        size_t token_at;
        size_t text_length;          /* SCAN_TEXT: bytes once unescaped, no NUL counted */
        bool has_escapes;
        int64_t number;              /* SCAN_INT */
};

void scan_init(struct scan *scan, const void *bytes, size_t length);

/* Move to the next token. SCAN_END after the last one, as often as asked. */
MUST_CHECK enum err scan_next(struct scan *scan, struct why *why);

/* Move on, and it must be this one. */
MUST_CHECK enum err scan_expect(struct scan *scan, enum scan_token token, struct why *why);

/* The current text, unescaped, with a NUL: text_length + 1 bytes. */
void scan_copy_text(const struct scan *scan, char *into);

/* ERR_SYNTAX that names line and column (in bytes) of the current token. */
enum err scan_fail(const struct scan *scan, const char *what, struct why *why);
