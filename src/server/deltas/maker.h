/* maker.h - a delta made of what the store has: DATA/artifacts in, DATA/artifacts out.
 *
 * The delta is an artifact like any other, named by its SHA-256. Which one leads from a release to another is told by
 * `ab/<sha256 of the newer>.<sha256 of the older, or "whole">.delta`, the answer to GET /v1/deltas/... as it is given out. It comes last, so what it
 * names is there. */
#pragma once

#include "base/err.h"
#include "platform/disk.h"

#include <stdbool.h>
#include <stdint.h>

enum { DELTA_PATH_MAX = 160 };

struct delta_job { uint8_t older[32], newer[32]; };      /* targets of releases; older all zero: the whole of the newer one */
static inline bool delta_job_is_whole(const struct delta_job *job)
{
        for (size_t i = 0; i < sizeof(job->older); i++)
                if (job->older[i])
                        return false;
        return true;
}
void delta_told_path(const struct delta_job *job, char path[static DELTA_PATH_MAX]);

/* The folders are there (artifact_make_folders()). Durable; fine if it is there already. *ret_bytes 0: it does not pay, and is not kept. ERR_LIMIT: too much changed. */
MUST_CHECK enum err delta_make(struct disk *artifacts, const struct delta_job *job, uint64_t *ret_bytes, struct why *why);
