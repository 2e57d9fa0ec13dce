/* question.h - what the verifier is asked about one stream, and which of its files are new to the device. Pure. */
#pragma once

#include "agent/slot_record.h"
#include "trust/verdict.h"

struct question {
        const struct buf *files;         /* records: kept and fresh files of both repositories */
        const struct buf *cohort;        /* empty: not fetched yet */
        const struct slot_stream *slots;
        const char *device, *ring, *platform, *stream;
        int64_t now_s;                   /* trusted time */
        uint64_t wanted;                 /* the older release that the server named; 0: none */
};

/* Files first: their places in the bundle stay the same from run to run. */
void question_write(const struct question *question, struct buf *bundle);
/* How many records; when there is one of that number and `ret_kind` is no NULL, that record. The bundle is our own. */
size_t question_walk(const struct buf *bundle, size_t index, uint8_t *ret_kind, struct buf *ret_bytes);
/* Is this role's file trusted now, and was not before? Borrowed from `files`. */
bool question_is_news(const struct buf *files, const struct verdict *verdict, unsigned repository, unsigned role, struct buf *ret_bytes);
