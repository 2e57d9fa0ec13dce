/* unpack.h - from the spool into a slot, in slices: every byte hashed again by the installer, from files that it opened
 * itself, into files that did not exist, all of it on disk before it says done.
 *
 * The spool belongs to the fetcher and is believed in nothing: a file of another length or digest is ERR_CONTENT, and the
 * slot stays unusable (the record still calls it empty). */
#pragma once

#include "base/err.h"
#include "base/own.h"
#include "platform/disk.h"

#include <stdbool.h>

struct unpack;

/* One file of the release, as its signed note says; see trust/release_note.h. */
struct unpack_file {
        uint64_t length;
        uint8_t sha256[32];
        bool is_program;
        const char *path;
};

struct unpack_job {
        struct disk *disk;
        struct unpack_file (*file)(const void *user, size_t index);
        const void *user;                /* outlives the unpacking, as do the paths */
        size_t count;                    /* sorted by path */
        const char *into;                /* the slot's folder; emptied first */
};

MUST_CHECK enum err unpack_open(const struct unpack_job *job, struct unpack **ret_unpack, struct why *why);
/* At most about a megabyte further. */
MUST_CHECK enum err unpack_step(struct unpack *unpack, bool *ret_is_done, struct why *why);
void unpack_close(struct unpack *unpack);
OWN_DEFINE(unpack, struct unpack *, unpack_close)

/* Where the fetcher leaves an artifact: spool/<sha256>. */
enum { SPOOL_PATH_BYTES = 6 + 64 + 1 };
struct spool_path { char text[SPOOL_PATH_BYTES]; };
struct spool_path spool_artifact(const uint8_t digest[32]);
