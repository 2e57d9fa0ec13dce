/* artifact.h - files named by their digest: given to anybody, taken from operators.
 *
 * Given: read in the background, a window at a time; whole, one range, or 304. Taken: hashed while they arrive, in the
 * background, into `incoming/`; only a whole file whose digest is its name moves to `ab/<sha256>`, durably. */
#pragma once

#include "platform/disk.h"
#include "server/api/download.h"

struct artifacts {
        uv_loop_t *loop;
        const char *path;                      /* of DATA/artifacts, borrowed */
        struct disk *disk;                     /* the same folder */
        uint64_t uploads;                      /* so far: names in incoming/ */
};

/* Clears what an earlier process left in incoming/. */
MUST_CHECK enum err artifacts_init(struct artifacts *artifacts, uv_loop_t *loop, const char *path, struct disk *disk, struct why *why);

/* Both answer by themselves. Until they do, exchange->pending is theirs (download.h). */
void artifact_download(struct artifacts *artifacts, struct exchange *exchange);       /* or the signed note of a release, by the digest of its text */
void delta_download(struct artifacts *artifacts, struct exchange *exchange);          /* which artifact leads from a release to another */
void artifact_upload(struct artifacts *artifacts, struct exchange *exchange);

/* The digest in the path, or ERR_NOT_FOUND. */
MUST_CHECK enum err artifact_name(const struct exchange *exchange, char ret_sha256[65], struct why *why);
