/* patching.h - how a candidate comes as a delta where the server has one, instead of file by file: stream_patch.c.
 *
 * One file of the spool holds the release note and all that changed, compressed against what runs here (delta/plan.h). It is expanded into the
 * spool, where the rest of the road finds what it would have fetched. Nothing depends on it: whatever is wrong with a delta, it is given up for this
 * release, which is not blamed, and note and files are fetched one by one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stream;
struct patch;                            /* a delta that is being expanded */

enum patching_step {
        PATCHING_LOOKS,                  /* what has an agent before us left of this release? */
        PATCHING_ASKS,                   /* is there one? */
        PATCHING_FETCHES,
        PATCHING_EXPANDS,
        PATCHING_DONE,                   /* or given up */
};

struct patching {
        uint8_t target[32];              /* of the release that this is about */
        enum patching_step step;
        bool is_whole, has_weighed;      /* against nothing instead of what runs; whether that would pay has been looked at */
        bool wants_note;                 /* before it is asked again: the delta is long */
        unsigned failures, rounds;       /* in a row, that brought nothing; how often this release came by one */
        uint8_t sha256[32];
        uint64_t length;
        struct patch *patch;             /* NULL: none is open */
};

void patching_begin(struct stream *stream);
void patching_end(struct stream *stream);
/* Asks the server for what is next: true when the caller was used. */
bool patching_call(struct stream *stream);
/* It has work that needs no network: patching_tick() does a megabyte of it. */
bool patching_works(const struct stream *stream);
void patching_tick(struct stream *stream);
/* The delta's name in the spool, while it is needed; NULL: none is, or it is not known yet. */
const uint8_t *patching_needs(const struct stream *stream);
/* Which delta is needed, if any, is not known yet: the spool may hold it, or a part. */
bool patching_is_open(const struct stream *stream);
