/* entries.h - a bundle: the entries of a log, each with its length in two bytes before it (C2SP tlog-tiles).
 *
 *      struct entries entries = { bytes, length };
 *      while (entries.left) { e = entries_next(&entries, &entry, why); ... } */
#pragma once

#include "base/buf.h"
#include "base/limits.h"

enum { ENTRIES_BYTES_MAX = 256 * (2 + LIMIT_ENTRY_BYTES) };

/* Borrowed bytes. */
struct entries {
        const uint8_t *at;
        size_t left;
};
struct entry {
        const uint8_t *bytes;
        size_t length;
};

/* ERR_LIMIT: an entry has at most LIMIT_ENTRY_BYTES. The buffer is as it was after a failure. */
MUST_CHECK enum err entries_add(struct buf *bundle, const struct entry *entry, struct why *why);
/* ERR_SYNTAX: the last one is cut, or there is none left. */
MUST_CHECK enum err entries_next(struct entries *entries, struct entry *ret_entry, struct why *why);
