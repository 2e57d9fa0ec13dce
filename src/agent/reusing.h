/* reusing.h - which files of a candidate are here already, and is there room for the rest? In slices, between its note and its files: stream_reuse.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct stream;

void reusing_begin(struct stream *stream);
void reusing_end(struct stream *stream);
bool reusing_looks(const struct stream *stream);
void reusing_tick(struct stream *stream);
const char *reusing_path(const struct stream *stream, size_t file);      /* NULL: it is not here. Borrowed until the next call */
bool reusing_brings(const struct stream *stream, size_t file);           /* it need not be fetched (any more) */
void reusing_doubt(struct stream *stream, size_t file);                  /* it was not what it should be: fetch it */
