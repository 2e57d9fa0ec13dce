/* print.h - facts for people: aligned tables, ages, bars, and no bytes that could command a terminal.
 *
 * Text from a server or a file is shown with its control characters replaced, so that a hostile name cannot move the
 * cursor, retitle the window or turn the order of what stands beside it. */
#pragma once

#include "base/buf.h"
#include "cli/cli.h"

#include <stddef.h>
#include <stdint.h>

struct json;

enum colour { PLAIN, BOLD, GREEN, YELLOW, RED, DIM };

/* `text` with control characters, and those of Unicode that turn the direction of writing, as `?`; NULL is "-". */
void print_clean(struct buf *into, const char *text);
/* Text without colours in lines of at most `columns` (0: 80), broken between words; lines after the first begin with
 * `indent` blanks. */
void print_wrapped(struct buf *into, const char *text, unsigned columns, unsigned indent);
void print_coloured(struct buf *into, bool is_colour, enum colour colour, const char *text);
enum colour state_colour(const char *state);             /* of a rollout's state, gate's or record's word */

/* "47 s", "12 min", "3 h 20 min", "5 d 4 h". */
void print_span(struct buf *into, int64_t seconds);
void print_share(struct buf *into, int64_t ppm);         /* 1000 as "0.1%" */
void print_bytes(struct buf *into, uint64_t bytes);

/* What is at "window" or, a level down, "policy.budget"; NULL: nothing. */
const struct json *print_field(const struct json *object, const char *path);

/* [{"after_s":0,"ppm":1000},...] as "0.1% after 0 s, ..."; anything else as "-". */
void print_ceiling(struct buf *into, const struct json *steps);

/* How a field is shown. */
typedef void print_cell(struct buf *into, const struct json *value, int64_t now);
void print_ago(struct buf *into, const struct json *time, int64_t now);            /* "47 s ago"; "-" when there is no time */
void print_seconds(struct buf *into, const struct json *seconds, int64_t now);     /* as print_span(); "-" when it is below 0 or none */
void print_count(struct buf *into, const struct json *count, int64_t now);         /* "8,500,000"; "-" when it is below 0 or none */
/* {"edr-rules":{"running":4}} as "edr-rules: runs 4". */
void print_streams(struct buf *into, const struct json *streams, int64_t now);

/* A table of JSON objects: one column a field ("window", or "policy.budget"), numbers to the right. */
struct column {
        const char *title, *field;
        print_cell *as;            /* NULL: print_value */
};
struct table {
        const struct column *columns;
        size_t column_count;
        int64_t now;
};
/* ERR_NOMEM, ERR_LIMIT. An empty list says so. */
MUST_CHECK enum err print_table(const struct table *table, const struct json *rows, struct buf *into, struct why *why);

/* A value in words: text, a number, yes/no, "-" for null, what is absent and what is empty. */
void print_value(struct buf *into, const struct json *value);

/* Give the command's result away: --json as it is, else `people`. ERR_IO when `out` cannot take it (a full disk). */
MUST_CHECK enum err print_json(struct cli *cli, const struct json *json, struct why *why);
MUST_CHECK enum err print_buf(struct cli *cli, const struct buf *text, struct why *why);
