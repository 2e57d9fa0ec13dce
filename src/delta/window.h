/* window.h - ranges of files that are read from front to back, and whose ranges overlap or leave gaps: nothing is read twice.
 *
 * For the bases and pieces of a plan, whose ranges of one file never go back by more than DELTA_BASE_BYTES. */
#pragma once

#include "base/buf.h"
#include "delta/plan.h"

/* One file at a time. open() closes the one before; `read` gives 0 bytes at the end. */
struct delta_files {
        void *user;
        enum err (*open)(void *user, size_t file, struct why *why);
        enum err (*read)(void *user, void *bytes, size_t bytes_max, size_t *ret_length, struct why *why);
};

struct delta_window {
        const struct delta_files *files;
        bool is_open;
        size_t file;
        uint64_t at;                     /* where in the file `bytes` begins */
        struct buf bytes;
};

void delta_window_init(struct delta_window *window, const struct delta_files *files);
void delta_window_done(struct delta_window *window);
/* Appends each range, one after the other. ERR_CONTENT: a file ends before. */
MUST_CHECK enum err delta_window_read(struct delta_window *window, const struct delta_range *ranges, size_t count, struct buf *into, struct why *why);
