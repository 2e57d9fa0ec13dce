/* channel.h - what a supervisor and its children need of the system: a message channel, waiting, signals, a spool file.
 *
 * A channel is a pair of connected sockets that keep message boundaries; a message arrives whole or not at all. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Two ends, closed on exec unless handed over; an end is closed with channel_close(). */
MUST_CHECK enum err channel_open(int ret_ends[2], struct why *why);
/* The same as a stream of bytes, without boundaries. */
MUST_CHECK enum err channel_stream(int ret_ends[2], struct why *why);
/* One end, to whoever listens at this path. ERR_UNAVAILABLE: nobody does, or not now; never waits long. */
enum channel_kind { CHANNEL_MESSAGES, CHANNEL_STREAM };
MUST_CHECK enum err channel_connect(const char *path, enum channel_kind kind, int *ret_end, struct why *why);
void channel_close(int end);                                                   /* -1 is fine */
/* Of a stream: all of it, then no more; and all that comes until the other side ends it. ERR_TIMEOUT: not within so long, each.
 * ERR_LIMIT: more than bytes_max. */
MUST_CHECK enum err channel_pour(int end, const void *bytes, size_t length, int64_t timeout_ms, struct why *why);
MUST_CHECK enum err channel_drain(int end, struct buf *into, int64_t timeout_ms, struct why *why);
/* ERR_UNAVAILABLE: the other side is gone. Waits until there is room. */
MUST_CHECK enum err channel_send(int end, const void *bytes, size_t length, struct why *why);
/* Waits for a message. ERR_UNAVAILABLE: the other side is gone. ERR_LIMIT: longer than bytes_max. */
MUST_CHECK enum err channel_receive(int end, void *bytes, size_t bytes_max, size_t *ret_length, struct why *why);

/* Sleeps until one of `files` can be read (or is broken), a signal came, or the time is up. -1 entries are left out.
 * ret_ready[i] says which; at most CHANNEL_WAIT_MAX files. */
enum { CHANNEL_WAIT_MAX = 64 };
MUST_CHECK enum err channel_wait(const int *files, size_t count, int64_t timeout_ms, bool *ret_ready, struct why *why);

/* What children write to ends[1] and we read from ends[0]; both are closed on exec unless handed over. */
MUST_CHECK enum err channel_pipe(int ret_ends[2], struct why *why);
/* What is there, up to bytes_max; 0: nothing now. Never waits. */
size_t channel_pipe_take(int end, void *bytes, size_t bytes_max);

/* From here on SIGTERM, SIGINT and SIGCHLD arrive as a readable file instead of interrupting. SIGPIPE is ignored, and
 * SIGHUP: a terminal that goes away, or who hopes for a reload, must not end a supervisor unplanned. */
MUST_CHECK enum err channel_signals(int *ret_file, struct why *why);
/* Takes all that arrived; true if one of them asks for an end. */
bool channel_signals_take(int file);
/* In a child: signals as a fresh process has them, and death with the parent. */
void channel_child_signals(void);
/* In a child that ends when it sees another one gone: SIGTERM and SIGINT do nothing to it from now on. */
void channel_child_deaf(void);

/* A file to write at any offset, made if absent; neither it nor the folder that `path` names before it may be a link. A part of
 * less than `part_max` bytes stays, and `ret_length` says how much that is; anything else is emptied. */
MUST_CHECK enum err channel_spool_open(const char *path, uint64_t part_max, int *ret_file, uint64_t *ret_length, struct why *why);

/* A memory file with these bytes, at its start, to hand over as standard input. */
MUST_CHECK enum err channel_memory(const void *bytes, size_t length, int *ret_file, struct why *why);
