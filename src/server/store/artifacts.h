/* artifacts.h - bytes named by their SHA-256, in DATA/artifacts as `ab/<sha256>`.
 *
 * Invariant: what stands under a name hashes to it, also across a power cut. Nothing is ever changed; the database refers to
 * artifacts, never the other way round. Large files are streamed in by the api process; here only documents of memory size.
 *
 * A release's note stands there by the digest of its text, as it was signed, `ab/<sha256>.note`, and without the signatures, `.text`. The text
 * is no artifact: agents from before 020 would ask for the note under that name, take the text for a note, and give the release up. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "platform/disk.h"

#include <stdint.h>

enum { ARTIFACT_PATH_MAX = 80 };

/* All 256 of them, for who may make none later. */
MUST_CHECK enum err artifact_make_folders(struct disk *disk, struct why *why);
void artifact_path(const uint8_t digest[32], char path[ARTIFACT_PATH_MAX]);

/* ERR_NOT_FOUND, or ERR_CONTENT when the length is another. The bytes were hashed when they came in. */
MUST_CHECK enum err artifact_check(struct disk *disk, const uint8_t digest[32], uint64_t length, struct why *why);
/* Durable; fine if it is there already. */
MUST_CHECK enum err artifact_put(struct disk *disk, const void *bytes, size_t length, uint8_t ret_digest[32], struct why *why);

/* `target`: of its text. Durable; it takes the place of one that was there. One from before 020 is an artifact, and is read as well. */
MUST_CHECK enum err artifact_put_note(struct disk *disk, const uint8_t target[32], const struct buf *note, struct why *why);
MUST_CHECK enum err artifact_read_note(struct disk *disk, const uint8_t digest[32], struct buf *into, struct why *why);
