/* text.h - is it UTF-8, are two names one, and how does it look in quotes. */
#pragma once

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* How many bytes the character at `bytes` has; 0 when it is none: surrogates, overlong forms and cut ones are not. */
size_t text_utf8_length(const unsigned char *bytes, size_t left);

/* UTF-8 throughout, and without NUL. */
bool text_is_utf8(const char *bytes, size_t length);

/* One and the same, but for the case of ASCII letters and for spaces around it: `Ann ` is `ann`. */
bool text_is_same_name(const char *a, const char *b);

/* Does `part` stand somewhere in these bytes? */
bool text_has(const char *bytes, size_t length, const char *part);

/* As a JSON string, quotes included. A byte that is not UTF-8 comes out as U+FFFD, so what comes out is always JSON. */
void text_quote(const char *text, struct buf *into);

/* The same text, U+FFFD in place of each byte that is not UTF-8: for what a file system or a device calls itself. */
void text_add_utf8(const char *text, struct buf *into);
