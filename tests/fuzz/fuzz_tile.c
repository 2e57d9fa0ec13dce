/* A path of a tile and a bundle of entries: what is read is written again as the same bytes. */
#include "log/entries.h"
#include "log/tile.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        OWN(buf) struct buf path, again;
        struct entries entries = { bytes, length };
        struct entry entry;
        struct tile tile;
        char text[TILE_PATH_MAX];
        buf_init(&path, 4096);
        buf_init(&again, 4 * ENTRIES_BYTES_MAX);
        buf_add(&path, bytes, length < 256 ? length : 256);
        if (tile_parse(buf_text(&path), &tile, NULL) == OK) {
                tile_path(&tile, text);
                if (strcmp(text, buf_text(&path)) != 0 || tile.width < 1 || tile.width > TILE_WIDTH)
                        abort();
        }
        while (entries_next(&entries, &entry, NULL) == OK)
                if (entries_add(&again, &entry, NULL))
                        abort();
        if (again.length != length - entries.left || (again.length && memcmp(again.bytes, bytes, again.length) != 0))
                abort();
        return 0;
}
