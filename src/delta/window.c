#include "delta/window.h"

#include <string.h>

enum { BLOCK_BYTES = 64 << 10 };

void delta_window_init(struct delta_window *window, const struct delta_files *files)
{
        *window = (struct delta_window){ .files = files };
        buf_init(&window->bytes, DELTA_BASE_BYTES + DELTA_SEGMENT_BYTES + BLOCK_BYTES);
}

void delta_window_done(struct delta_window *window)
{
        buf_done(&window->bytes);
}

static enum err open_at(struct delta_window *window, const struct delta_range *range, struct why *why)
{
        if (window->is_open && window->file == range->file && window->at <= range->from)
                return OK;
        window->is_open = false;
        buf_clear(&window->bytes);
        enum err e = window->files->open(window->files->user, range->file, why);
        window->is_open = !e;
        window->file = range->file;
        window->at = 0;
        return e;
}

static void forget_before(struct delta_window *window, uint64_t from)
{
        const uint64_t ahead = from > window->at ? from - window->at : 0;
        const size_t gone = ahead < window->bytes.length ? (size_t)ahead : window->bytes.length;
        if (!gone)
                return;
        memmove(window->bytes.bytes, window->bytes.bytes + gone, window->bytes.length - gone);
        window->bytes.length -= gone;
        window->at += gone;
}

static enum err read_on(struct delta_window *window, struct why *why)
{
        char block[BLOCK_BYTES];
        size_t length = 0;
        enum err e = window->files->read(window->files->user, block, sizeof(block), &length, why);
        if (e)
                return e;
        buf_add(&window->bytes, block, length);
        return length ? buf_check(&window->bytes, why) : FAIL(why, ERR_CONTENT, "a file that is shorter than it was");
}

static enum err read_range(struct delta_window *window, const struct delta_range *range, struct buf *into, struct why *why)
{
        enum err e = open_at(window, range, why);
        forget_before(window, range->from);
        while (!e && window->at + window->bytes.length < range->from + range->length) {
                e = read_on(window, why);
                forget_before(window, range->from);
        }
        if (e)
                return e;
        buf_add(into, buf_text(&window->bytes) + (range->from - window->at), range->length);
        return buf_check(into, why);
}

enum err delta_window_read(struct delta_window *window, const struct delta_range *ranges, size_t count, struct buf *into, struct why *why)
{
        enum err e = OK;
        for (size_t i = 0; !e && i < count; i++)
                e = ranges[i].length ? read_range(window, &ranges[i], into, why) : OK;
        return e;
}
