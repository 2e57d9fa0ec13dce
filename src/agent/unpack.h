/* unpack.h - a release into a slot, in slices: every byte hashed again by the installer, from files that it opened itself, all of it on
 * disk before it says done.
 *
 * What stands in the slot already, at its place and as the note says, stays; everything else there is removed first. The rest comes from
 * the spool, or from where this device has the same bytes (reuse.h), into files that did not exist. The spool belongs to the fetcher and
 * is believed in nothing, and what the device has may have gone bad: a file of another length or digest is ERR_CONTENT, and the
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
        const char *held;                /* a file on the same disk with these bytes, perhaps the one that stands there already; NULL: the spool */
};

struct unpack_job {
        struct disk *disk;
        struct unpack_file (*file)(const void *user, size_t index);      /* what it refers to lasts until the next call */
        const void *user;                /* outlives the unpacking, as do the paths */
        size_t count;                    /* sorted by path */
        const char *into;                /* the slot's folder; made where there is none */
        bool syncs_alone;                /* each file by itself, however many: see unpack_system_failed() */
};

MUST_CHECK enum err unpack_open(const struct unpack_job *job, struct unpack **ret_unpack, struct why *why);
/* At most about a megabyte further, but for the last step, which waits for the device. */
MUST_CHECK enum err unpack_step(struct unpack *unpack, bool *ret_is_done, struct why *why);
/* After ERR_CONTENT: the file whose `held` is not what it was said to be; false: it was the spool's. */
bool unpack_was_held(const struct unpack *unpack, size_t *ret_index);
/* After an error: it was the sync of the whole file system. That tells what others could not write there, too: the next try had better sync each file alone. */
bool unpack_system_failed(const struct unpack *unpack);
void unpack_close(struct unpack *unpack);
OWN_DEFINE(unpack, struct unpack *, unpack_close)

/* Where the fetcher leaves an artifact: spool/<sha256>. */
enum { SPOOL_PATH_BYTES = 6 + 64 + 1 };
struct spool_path { char text[SPOOL_PATH_BYTES]; };
struct spool_path spool_artifact(const uint8_t digest[32]);
