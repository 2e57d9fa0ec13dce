/* digest.h - SHA-256 of files and texts, as hex. */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct disk;

enum { DIGEST_TEXT_MAX = 65 };

void digest_bytes(const void *bytes, size_t length, char hex[DIGEST_TEXT_MAX]);
MUST_CHECK enum err digest_file(struct disk *disk, const char *path, char hex[DIGEST_TEXT_MAX], uint64_t *ret_length, struct why *why);
