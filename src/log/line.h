/* line.h - what a log, its witnesses and its readers tell each other is lines of text: taken one by one, each in its only spelling. */
#pragma once

#include "base/buf.h"
#include "log/tree.h"

/* Borrowed bytes; without the newline when it is a line. */
struct line {
        const char *text;
        size_t length;
};

/* Takes the first line off. False when there is none that is ended. */
bool line_next(struct line *rest, struct line *ret_line);
/* What comes after `word` and a space; false when the line begins otherwise. */
bool line_after(struct line line, const char *word, struct line *ret_value);
/* Decimal without sign or leading zeros, at most INT64_MAX. */
bool line_number(struct line line, uint64_t *ret_number);
/* 44 digits of base64. */
bool line_hash(struct line line, struct tree_hash *ret_hash);

/* Hashes, one a line, up to and including an empty line. ERR_SYNTAX; ERR_LIMIT beyond LIMIT_PROOF_HASHES. */
MUST_CHECK enum err line_proof(struct line *rest, struct tree_proof *ret_proof, struct why *why);
/* The same, written; buf_check() tells of a full buffer. */
void line_add_hash(struct buf *into, const struct tree_hash *hash);
void line_add_proof(struct buf *into, const struct tree_proof *proof);
