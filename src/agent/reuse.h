/* reuse.h - which files of a release this device has already: what is here is not fetched.
 *
 * By length and SHA-256, wherever they are: in the other slot, in its factory copy, or at the same place in the slot that is emptied
 * next, where they stay as they are. What a slot holds is known by the note that is kept beside it (recheck.h); the factory copy has none, so
 * that those of its files that may be meant are read. That is a hint and no more: the installer hashes each file again
 * (unpack.h), and one that has gone bad is fetched after all. */
#pragma once

#include "agent/slot.h"
#include "platform/disk.h"
#include "trust/release_note.h"

#include <stdbool.h>

/* Files that were not what they were said to be, of one release: they are fetched. Past the last of them all is. */
enum { REUSE_DOUBTS_MAX = 16 };
struct reuse_doubts {
        uint64_t counter;                /* of the release that it was */
        size_t count;
        uint8_t sha256[REUSE_DOUBTS_MAX][32];
};
void reuse_doubt(struct reuse_doubts *doubts, uint64_t counter, const uint8_t sha256[32]);

struct reuse;

/* Borrowed: disk and note. */
struct reuse_of {
        struct disk *disk;
        const struct slots *slots;
        size_t stream;
        const struct release_note *note;
        const struct reuse_doubts *doubts;
};
MUST_CHECK enum err reuse_open(const struct reuse_of *of, struct reuse **ret_reuse, struct why *why);
/* About a megabyte further through the factory copy; true: it is done, and all that is here is known. */
bool reuse_step(struct reuse *reuse);
void reuse_close(struct reuse *reuse);
OWN_DEFINE(reuse, struct reuse *, reuse_close)

/* Where it is; NULL: nowhere. Borrowed until the next call. */
const char *reuse_path(struct reuse *reuse, size_t file);
/* It takes no room, because it stands where it is to be. */
bool reuse_stands(const struct reuse *reuse, size_t file);
enum slot_id reuse_next(const struct reuse *reuse);                  /* the slot of which that is true */
/* What the engine uses now. */
bool reuse_is_current(const struct reuse *reuse, size_t file);
