#include "log/logs.h"

/* The paths of C2SP tlog-tiles, those of its own examples first. */
static const struct { struct tile tile; const char *path; } paths[] = {
        { { 0, 256, 1234067 }, "tile/0/x001/x234/067" },
        { { 1, 17, 1 }, "tile/1/001.p/17" },
        { { TILE_ENTRIES, 112, 273 }, "tile/entries/273.p/112" },
        { { TILE_ENTRIES, 256, 0 }, "tile/entries/000" },
        { { 5, 1, 999 }, "tile/5/999.p/1" },
        { { 2, 255, 1000 }, "tile/2/x001/000.p/255" },
        { { 0, 256, (UINT64_C(1) << 40) - 1 }, "tile/0/x001/x099/x511/x627/775" },
};

TEST(tile, has_the_path_of_the_standard)
{
        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
                char path[TILE_PATH_MAX];
                struct tile tile;
                tile_path(&paths[i].tile, path);
                CHECK(strcmp(path, paths[i].path) == 0);
                CHECK(tile_parse(path, &tile, NULL) == OK);
                CHECK(tile.level == paths[i].tile.level && tile.index == paths[i].tile.index && tile.width == paths[i].tile.width);
        }
}

TEST(tile, has_no_other_path)
{
        static const char *const bad[] = {
                "", "tile", "tile/", "tile/0", "tile/0/", "tile/0/1", "tile/0/01", "tile/0/0001", "tile/0/x000/001", "tile/0/001/", "tile/0/x001", "tile/0/x001/", "tile/00/001",
                "tile/6/000", "tile/9/000", "tile/-1/000", "tile/x/000", "tile/entrie/000", "tile/entries", "tile/0/000.p", "tile/0/000.p/", "tile/0/000.p/0", "tile/0/000.p/256",
                "tile/0/000.p/01", "tile/0/000.p/1/", "tile/0/000.p/-1", "tile/0/000/p/1", "/tile/0/000", "tile//000", "tile/0/../000", "tile/0/x001/x099/x511/x627/776",
                "tile/0/x999/x999/x999/x999/x999/x999/x999/999", "tile/8/0/000",
        };
        struct tile tile;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(tile_parse(bad[i], &tile, NULL) == ERR_SYNTAX);
}

/* The standard's example: a tree of 70,000. */
TEST(tile, is_as_wide_as_the_tree_has_hashes)
{
        CHECK(tile_width(70000, 0, 272) == 256 && tile_width(70000, 0, 273) == 112 && tile_width(70000, 0, 274) == 0);
        CHECK(tile_width(70000, TILE_ENTRIES, 273) == 112);
        CHECK(tile_width(70000, 1, 0) == 256 && tile_width(70000, 1, 1) == 17 && tile_width(70000, 1, 2) == 0);
        CHECK(tile_width(70000, 2, 0) == 1 && tile_width(70000, 3, 0) == 0);
        CHECK(tile_width(256, 0, 0) == 256 && tile_width(256, 0, 1) == 0 && tile_width(256, 1, 0) == 1 && tile_width(0, 0, 0) == 0);
        CHECK(tile_width(TREE_SIZE_END - 1, 0, UINT64_MAX) == 0);
}

TEST(tile, is_not_read_from_a_file_of_another_size)
{
        OWN(memory_store) struct memory *memory = memory_new();
        struct tile_store store = memory_store(memory);
        struct tree_hash hashes[TILE_WIDTH];
        struct tree_head head = { 0 };
        test_grow(memory, &head, 5);
        struct tile tile = { 0, 5, 0 };
        struct buf *bytes = &memory_find(memory, "tile/0/000.p/5")->bytes;
        CHECK(bytes->length == 5 * 32 && tile_read(&store, &tile, hashes, NULL) == OK);
        for (size_t cut = 1; cut <= 32; cut++) {
                bytes->length = 5 * 32 - cut;
                CHECK(tile_read(&store, &tile, hashes, NULL) == ERR_CONTENT);
        }
        tile.width = 4;
        CHECK(tile_read(&store, &tile, hashes, NULL) == ERR_NOT_FOUND);
}
