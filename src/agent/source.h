/* source.h - from where a file is fetched: from a mirror that the owner named, or from the server itself.
 *
 * Only what is addressed by its own SHA-256 may come from a mirror. Mirrors are asked in their order; one that fails is put aside, longer each time, and
 * the file comes from the next, at last from the server. So whatever mirrors do costs bounded time, and no file. Pure: time is given.
 *
 * Does not fetch and checks no bytes: see fetch.h, which hashes what came, and caller.h. */
#pragma once

#include "base/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
        SOURCE_SERVER = 0,                       /* mirrors are 1 and on, as they are configured */
        SOURCES_MAX = 1 + LIMIT_MIRRORS,
        SOURCE_LACKS_MAX = 4,                    /* so many files in a row that it has not are a failure */
        SOURCE_ASIDE_MS = 60000, SOURCE_ASIDE_MAX_MS = 3600000,          /* after a failure; doubles */
        SOURCE_LIED_MS = 3600000, SOURCE_LIED_MAX_MS = 86400000,         /* after wrong bytes; doubles, as a whole file was fetched in vain */
        SOURCE_SLOW_MS = 2000, SOURCE_BYTES_PER_S = 50000,               /* a mirror that is slower than that for so long is of no use */
        SOURCE_FILES = LIMIT_STREAMS,            /* that are remembered: each stream fetches one at a time */
};

enum source_end {
        SOURCE_DID_WELL,                         /* the file is there, and is what it should be */
        SOURCE_GOES_ON,                          /* a part came in good time */
        SOURCE_WAS_SLOW,                         /* the file is there, but it took too long */
        SOURCE_LACKS, SOURCE_FAILED, SOURCE_LIED,
};

struct source {
        uint64_t bytes;                          /* that came from it */
        uint32_t failures, lies;                 /* since the agent started */
        uint32_t failures_row, lies_row, lacks_row;      /* until the next file that is well */
        int64_t aside_until_ms;
        bool is_news;                            /* was put aside, and nobody was told */
};

/* Of one file: who was tried in vain, and which mirrors gave any of what is there of it. A bit each. */
struct source_file {
        uint8_t sha256[32];
        uint32_t tried, gave;
        bool is_known;                           /* who gave it, from its first byte on: what is there may be older than we are */
        uint8_t doubts;                          /* how often it was wrong, and not by one alone */
};

struct sources {
        size_t count;                            /* with the server */
        struct source each[SOURCES_MAX];
        struct source_file files[SOURCE_FILES];
        size_t next_file;                        /* the place that is used anew */
};

void sources_init(struct sources *sources, size_t mirrors);
/* Is this path that of content, which has its SHA-256 as its name? Nothing else is asked of a mirror. */
bool source_is_content(const char *path, uint8_t ret_sha256[32]);
/* Whom to ask for (more of) this file. */
unsigned sources_pick(struct sources *sources, const uint8_t sha256[32], int64_t now_ms);
/* What an exchange with a mirror was worth: `came` bytes of `wanted` in `took_ms`. `is_whole`: all of the file is there. */
enum source_end source_came(uint64_t came, uint64_t wanted, int64_t took_ms, bool is_whole);

/* What came, of a file or of anything else: for people. */
void sources_count(struct sources *sources, unsigned source, uint64_t bytes);

/* `bytes` of the file came, behind the first `from` that were there. */
struct source_heard { const uint8_t *sha256; unsigned source; enum source_end end; uint64_t from, bytes; };
/* How it ended. True: ask again at once, of whom sources_pick() names then. Of a file that is wrong nothing is left then. One who gave all of it has lied,
 * and the server is asked; else those are put aside who had given of it before and failed, and the file is begun anew, by the same. */
bool sources_heard(struct sources *sources, const struct source_heard *heard, int64_t now_ms);

bool sources_have_news(const struct sources *sources);
/* One that was put aside since this was asked; false: none. */
struct source_news { unsigned source; bool has_lied; int64_t aside_ms; };
bool sources_news(struct sources *sources, int64_t now_ms, struct source_news *ret_news);
