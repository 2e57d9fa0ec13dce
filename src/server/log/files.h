/* files.h - the folder DATA/log, from which the api process serves: `checkpoint`, `tile/...`, `proof/TARGET`, and what others say of
 * releases: `approval/TARGET/emergency`, `approval/TARGET/KEY`. */
#pragma once

#include "log/tile.h"
#include "platform/disk.h"

enum { FILES_PATH_MAX = 160 };

/* All or nothing, and durable, with the folders on the way to it. */
MUST_CHECK enum err files_put(struct disk *disk, const char *path, const struct buf *bytes, struct why *why);
/* Is it there? ERR_NOT_FOUND. */
MUST_CHECK enum err files_check(struct disk *disk, const char *path, struct why *why);
/* The tiles in it. `disk` is borrowed. */
struct tile_store files_tiles(struct disk *disk);
/* Are all full tiles of a tree of that size there? The partial ones are read by whoever goes on with it. */
MUST_CHECK enum err files_check_tiles(struct disk *disk, uint64_t size, struct why *why);
/* Of the proof of a release. */
void files_proof_path(const uint8_t target[32], char path[FILES_PATH_MAX]);
/* Of an approval of it, by the name that it has there. */
void files_approval_path(const uint8_t target[32], const char *name, char path[FILES_PATH_MAX]);
