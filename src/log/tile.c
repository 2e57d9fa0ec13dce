#include "log/tile.h"

#include "trust/word.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { GROUPS_MAX = 7, HASH_BYTES = sizeof(struct tree_hash) };    /* 2^63 has 19 digits */

unsigned tile_width(uint64_t size, int level, uint64_t index)
{
        uint64_t count = size >> (level > 0 ? TILE_BITS * level : 0), before = index * TILE_WIDTH;
        if (index > TREE_SIZE_END || count <= before)
                return 0;
        return count - before < TILE_WIDTH ? (unsigned)(count - before) : TILE_WIDTH;
}

void tile_path(const struct tile *tile, char path[TILE_PATH_MAX])
{
        unsigned groups[GROUPS_MAX], count = 0;
        char level[12] = "entries";
        uint64_t left = tile->index;
        if (tile->level != TILE_ENTRIES)
                snprintf(level, sizeof(level), "%d", tile->level);
        do
                groups[count++] = (unsigned)(left % 1000);
        while ((left /= 1000) && count < GROUPS_MAX);
        int length = snprintf(path, TILE_PATH_MAX, "tile/%s", level);
        while (count--)
                length += snprintf(path + length, TILE_PATH_MAX - (size_t)length, count ? "/x%03u" : "/%03u", groups[count]);
        if (tile->width < TILE_WIDTH)
                snprintf(path + length, TILE_PATH_MAX - (size_t)length, ".p/%u", tile->width);
}

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

/* Loosely: what is read is written again, and must come out the same. */
static bool read_index(const char **at, uint64_t *index)
{
        *index = 0;
        for (bool is_last = false; !is_last;) {
                const char *digits = *at + (**at == 'x');
                is_last = digits == *at;
                if (!is_digit(digits[0]) || !is_digit(digits[1]) || !is_digit(digits[2]) || *index >= TREE_SIZE_END)
                        return false;
                *index = *index * 1000 + (uint64_t)((digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0'));
                if (!is_last && digits[3] != '/')
                        return false;
                *at = digits + 3 + !is_last;
        }
        return *index < TREE_SIZE_END / TILE_WIDTH;
}

static bool read_level(const char **at, int *level)
{
        size_t length = strcspn(*at, "/");
        const char *from = *at;
        if (!from[length])
                return false;
        *at += length + 1;
        *level = length == 1 && is_digit(from[0]) ? from[0] - '0' : TILE_ENTRIES;
        return *level < TILE_LEVELS && (*level != TILE_ENTRIES || (length == 7 && memcmp(from, "entries", 7) == 0));
}

static bool read_width(const char *at, unsigned *width)
{
        uint64_t number = TILE_WIDTH;
        if (*at && (strncmp(at, ".p/", 3) != 0 || !word_number(at + 3, &number) || !number || number >= TILE_WIDTH))
                return false;
        *width = (unsigned)number;
        return true;
}

enum err tile_parse(const char *path, struct tile *ret_tile, struct why *why)
{
        struct tile tile = { 0 };
        char again[TILE_PATH_MAX];
        const char *at = path + 5;
        if (strncmp(path, "tile/", 5) != 0 || !read_level(&at, &tile.level) || !read_index(&at, &tile.index) || !read_width(at, &tile.width))
                return FAIL(why, ERR_SYNTAX, "not the path of a tile: `tile/LEVEL/NNN` or `tile/LEVEL/NNN.p/WIDTH`");
        tile_path(&tile, again);
        if (strcmp(path, again) != 0)
                return FAIL(why, ERR_SYNTAX, "the path of that tile is %s", again);
        *ret_tile = tile;
        return OK;
}

enum err tile_read(const struct tile_store *store, const struct tile *tile, struct tree_hash hashes[TILE_WIDTH], struct why *why)
{
        OWN(buf) struct buf bytes;
        char path[TILE_PATH_MAX];
        buf_init(&bytes, TILE_WIDTH * HASH_BYTES);
        tile_path(tile, path);
        enum err e = store->read(store->context, tile, &bytes, why);
        if (!e)
                e = buf_check(&bytes, why);
        if (e)
                return DURING(why, e, "%s", path);
        if (bytes.length % HASH_BYTES || bytes.length < tile->width * HASH_BYTES)
                return FAIL(why, ERR_CONTENT, "%s: %zu bytes are not %u hashes", path, bytes.length, tile->width);
        memcpy(hashes, buf_text(&bytes), tile->width * HASH_BYTES);
        return OK;
}
