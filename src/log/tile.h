/* tile.h - the files of a log (C2SP tlog-tiles): which there are for a tree, what they are called, and the door to where they are kept.
 *
 * A tile of level L and index N holds up to 256 hashes, each the root over 256^L entries, the first being number 256 * N; the
 * bundle of index N holds the entries themselves. A file never changes once it is written: a partial one has its width in its name. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "log/tree.h"

enum { TILE_WIDTH = 256, TILE_BITS = 8, TILE_LEVELS = LIMIT_TREE_BITS / TILE_BITS, TILE_ENTRIES = -1 };

struct tile {
        int level;               /* 0 to TILE_LEVELS - 1, or TILE_ENTRIES: a bundle */
        unsigned width;          /* 1 to 256; 256 is a full one */
        uint64_t index;
};

enum { TILE_PATH_MAX = 64 };

/* `tile/1/x001/234.p/5`, relative to the log's own address or folder. */
void tile_path(const struct tile *tile, char path[TILE_PATH_MAX]);
/* Exactly what tile_path() writes. ERR_SYNTAX. */
MUST_CHECK enum err tile_parse(const char *path, struct tile *ret_tile, struct why *why);
/* How wide a tile is in a tree of that size; 0: it has none such. */
unsigned tile_width(uint64_t size, int level, uint64_t index);

/* Where the files are kept: the caller's, with what they need in `context`. */
struct tile_store {
        void *context;
        /* Append the file to `into`. May give a wider tile of that level and index when the partial one is no longer there. */
        enum err (*read)(void *context, const struct tile *tile, struct buf *into, struct why *why);
        enum err (*write)(void *context, const struct tile *tile, const void *bytes, size_t length, struct why *why);   /* readers: may be NULL */
};

/* The hashes of a tile. ERR_CONTENT when the file has fewer or is none; whatever the store's read() says. */
MUST_CHECK enum err tile_read(const struct tile_store *store, const struct tile *tile, struct tree_hash hashes[TILE_WIDTH], struct why *why);
