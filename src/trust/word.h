/* word.h - the words that all signed documents are made of: names, platforms, numbers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool word_is_name(const char *text);             /* [A-Za-z0-9][A-Za-z0-9._+-]{0,63} */
bool word_is_path(const char *text);             /* of a file in a release: formats.md, 1.1 */
bool word_is_device(const char *text);           /* 32 lower-case hex digits */

/* Decimal, without sign or leading zeros, at most INT64_MAX. */
bool word_number(const char *text, uint64_t *ret_number);
