/* hex.h - hex and base64, strict: one spelling for each value, so that equal bytes are equal text. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>

/* text needs 2 * length + 1 bytes; lower case. */
void hex_encode(const void *bytes, size_t length, char *text);
/* Exactly `length` bytes from exactly 2 * length lower-case digits, else ERR_SYNTAX. */
MUST_CHECK enum err hex_decode(const char *text, void *bytes, size_t length, struct why *why);

/* Standard alphabet with padding. Decoding refuses white space, missing padding and non-zero spare bits. */
void base64_encode(const void *bytes, size_t length, struct buf *into);
MUST_CHECK enum err base64_decode(const char *text, size_t text_length, void *bytes, size_t bytes_max,
                                  size_t *ret_length, struct why *why);
