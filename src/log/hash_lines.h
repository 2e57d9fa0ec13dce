/* hash_lines.h - the hashes of a log as lines of base64: a root, or a proof with an empty line after it. */
#pragma once

#include "base/buf.h"
#include "log/tree.h"
#include "trust/line.h"

/* 44 digits of base64. */
bool hash_line_read(struct line line, struct tree_hash *ret_hash);
/* Up to and including an empty line. ERR_SYNTAX; ERR_LIMIT beyond LIMIT_PROOF_HASHES. */
MUST_CHECK enum err hash_lines_read(struct line *rest, struct tree_proof *ret_proof, struct why *why);
/* buf_check() tells of a full buffer. */
void hash_line_write(struct buf *into, const struct tree_hash *hash);
void hash_lines_write(struct buf *into, const struct tree_proof *proof);
