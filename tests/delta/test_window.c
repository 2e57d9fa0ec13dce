#include "delta/window.h"

#include "support/sweep.h"
#include "support/test.h"

#include <string.h>

enum { FILES = 3, LENGTH = 500000 };

/* Files whose bytes tell where they stand. */
struct shelf { size_t file; uint64_t at; unsigned opened; uint64_t read; enum err fails; };

static char byte_at(size_t file, uint64_t at) { return (char)(at * 31 + at / 251 + file * 7); }

static enum err shelf_open(void *user, size_t file, struct why *why)
{
        struct shelf *shelf = user;
        shelf->file = file;
        shelf->at = 0;
        shelf->opened++;
        return shelf->fails ? FAIL(why, shelf->fails, "as asked for") : OK;
}

/* In odd pieces. */
static enum err shelf_read(void *user, void *bytes, size_t bytes_max, size_t *ret_length, struct why *why)
{
        struct shelf *shelf = user;
        (void)why;
        const size_t most = bytes_max < 4099 ? bytes_max : 4099;
        size_t length = 0;
        for (; length < most && shelf->at < LENGTH; length++)
                ((char *)bytes)[length] = byte_at(shelf->file, shelf->at++);
        shelf->read += length;
        *ret_length = length;
        return OK;
}

static bool is_right(const struct buf *into, const struct delta_range *ranges, size_t count)
{
        size_t at = 0;
        for (size_t i = 0; i < count; i++)
                for (uint64_t j = 0; j < ranges[i].length; j++)
                        if (into->bytes[at++] != byte_at(ranges[i].file, ranges[i].from + j))
                                return false;
        return at == into->length;
}

TEST(delta_window, reads_overlaps_and_gaps_once)
{
        static const struct delta_range ranges[] = {
                { 0, 0, 1000 }, { 0, 500, 100000 }, { 0, 90000, 60000 }, { 0, 300000, 1 }, { 0, 499999, 1 }, { 1, 100, 5 }, { 1, 100, 0 }, { 1, 99, 2000 }, { 2, 0, 0 }, { 2, LENGTH - 10, 10 },
        };
        struct shelf shelf = { 0 };
        const struct delta_files files = { &shelf, shelf_open, shelf_read };
        struct delta_window window;
        OWN(buf) struct buf into;
        buf_init(&into, 1 << 20);
        delta_window_init(&window, &files);
        CHECK(delta_window_read(&window, ranges, sizeof(ranges) / sizeof(ranges[0]), &into, NULL) == OK && is_right(&into, ranges, sizeof(ranges) / sizeof(ranges[0])));
        /* The one that went back by a byte, which had been passed over, cost a second look at its file. */
        CHECK(shelf.opened == 4 && shelf.read <= 2 * LENGTH + 10 * 4099);
        CHECK(window.bytes.capacity <= DELTA_BASE_BYTES + DELTA_SEGMENT_BYTES + (64 << 10));
        delta_window_done(&window);
}

TEST(delta_window, of_a_file_that_is_shorter_says_so)
{
        struct shelf shelf = { 0 };
        const struct delta_files files = { &shelf, shelf_open, shelf_read };
        struct delta_window window;
        OWN(buf) struct buf into;
        buf_init(&into, 1 << 20);
        delta_window_init(&window, &files);
        CHECK(delta_window_read(&window, &(struct delta_range){ 0, LENGTH - 5, 6 }, 1, &into, NULL) == ERR_CONTENT && into.length == 0);
        CHECK(delta_window_read(&window, &(struct delta_range){ 0, LENGTH + 5, 6 }, 1, &into, NULL) == ERR_CONTENT && into.length == 0);
        shelf.fails = ERR_IO;
        CHECK(delta_window_read(&window, &(struct delta_range){ 1, 0, 6 }, 1, &into, NULL) == ERR_IO && into.length == 0);
        shelf.fails = OK;
        CHECK(delta_window_read(&window, &(struct delta_range){ 1, 0, 6 }, 1, &into, NULL) == OK && is_right(&into, &(struct delta_range){ 1, 0, 6 }, 1));
        delta_window_done(&window);
}

TEST(delta_window, survives_a_lack_of_memory)
{
        enum err e = OK;
        SWEEP_MEMORY {
                struct shelf shelf = { 0 };
                const struct delta_files files = { &shelf, shelf_open, shelf_read };
                struct delta_window window;
                OWN(buf) struct buf into;
                buf_init(&into, 1 << 20);
                delta_window_init(&window, &files);
                e = delta_window_read(&window, &(struct delta_range){ 0, 70000, 100000 }, 1, &into, NULL);
                CHECK(e == OK || (e == ERR_NOMEM && into.length == 0));
                delta_window_done(&window);
        }
        CHECK(e == OK);
}
