#include "cli/log_reader.h"

#include "base/mem.h"

#include <string.h>

enum { KEPT_TILES = 16 };        /* a proof needs up to two a level, and a log of a million entries has three levels */

struct kept {
        struct tile tile;        /* width 0: none */
        uint64_t used;           /* when it was asked for last */
        struct buf bytes;
};

struct log_reader {
        struct api *api;
        uint64_t now;            /* counts what was asked for */
        struct kept kept[KEPT_TILES];
};

enum err log_reader_open(struct api *api, struct log_reader **ret_reader, struct why *why)
{
        struct log_reader *reader = mem_new(1, sizeof(*reader));
        if (!reader)
                return FAIL(why, ERR_NOMEM, "reading the log");
        reader->api = api;
        for (size_t i = 0; i < KEPT_TILES; i++)
                buf_init(&reader->kept[i].bytes, TILE_WIDTH * sizeof(struct tree_hash));
        *ret_reader = reader;
        return OK;
}

void log_reader_close(struct log_reader *reader)
{
        for (size_t i = 0; reader && i < KEPT_TILES; i++)
                buf_done(&reader->kept[i].bytes);
        mem_free(reader);
}

enum err log_reader_checkpoint(struct log_reader *reader, const struct verifier *log, struct buf *into, struct checkpoint *ret_checkpoint, struct why *why)
{
        enum err e = api_ask_text(reader->api, &(struct api_text){ .path = "/v1/log/checkpoint" }, into, why);
        if (!e)
                e = checkpoint_parse(buf_text(into), into->length, ret_checkpoint, why);
        if (!e)
                e = checkpoint_verify(ret_checkpoint, log, why);
        return e ? DURING(why, e, "the log's checkpoint") : OK;
}

static enum err fetch_one(struct log_reader *reader, const struct tile *tile, struct buf *into, struct why *why)
{
        char path[16 + TILE_PATH_MAX] = "/v1/log/";
        tile_path(tile, path + strlen(path));
        enum err e = api_ask_text(reader->api, &(struct api_text){ .path = path }, into, why);
        return e == ERR_CONTENT ? DURING(why, ERR_UNAVAILABLE, "reading %s", path) : e;      /* that files do not fit is ours to find, not the server's to say */
}

static enum err fetch(struct log_reader *reader, const struct tile *tile, struct buf *into, struct why *why)
{
        struct tile full = *tile;
        full.width = TILE_WIDTH;
        enum err e = fetch_one(reader, tile, into, why);
        if (e == ERR_NOT_FOUND && tile->width < TILE_WIDTH && !fetch_one(reader, &full, into, NULL))
                return OK;
        return e;
}

static bool is_of(const struct kept *kept, const struct tile *tile)
{
        return kept->tile.width == tile->width && kept->tile.level == tile->level && kept->tile.index == tile->index;
}

/* The one that is this tile, else the one that was not asked for the longest. */
static struct kept *find(struct log_reader *reader, const struct tile *tile)
{
        struct kept *oldest = &reader->kept[0];
        for (size_t i = 0; i < KEPT_TILES; i++) {
                struct kept *kept = &reader->kept[i];
                if (is_of(kept, tile))
                        return kept;
                oldest = kept->used < oldest->used ? kept : oldest;
        }
        return oldest;
}

static enum err read_kept(struct log_reader *reader, const struct tile *tile, struct buf *into, struct why *why)
{
        struct kept *kept = find(reader, tile);
        if (!is_of(kept, tile)) {
                kept->tile.width = 0;
                buf_clear(&kept->bytes);
                enum err e = fetch(reader, tile, &kept->bytes, why);
                if (e)
                        return e;
        }
        kept->tile = *tile;
        kept->used = ++reader->now;
        buf_add(into, kept->bytes.bytes, kept->bytes.length);
        return buf_check(into, why);
}

static enum err read_file(void *context, const struct tile *tile, struct buf *into, struct why *why)
{
        return tile->level == TILE_ENTRIES ? fetch(context, tile, into, why) : read_kept(context, tile, into, why);
}

struct tile_store log_reader_store(struct log_reader *reader)
{
        return (struct tile_store){ .context = reader, .read = read_file };
}
