/* ledger.h - what a witness cosigned last of each log: a file for each, named by the SHA-256 of the origin, which is the checkpoint with the
 * log's signature and its own.
 *
 * Invariant: a cosignature that left the program is in its file, or a later one is, also after a power cut. A file that is damaged, or
 * cosigned by another key, is an error and never an empty record: the log could be forked behind it. */
#pragma once

#include "log/cosignature.h"
#include "platform/disk.h"

enum { LEDGER_NAME_MAX = 65 };

struct ledger {
        struct disk *disk;
        const struct verifier *witness;
};

void ledger_name(const char *origin, char name[LEDGER_NAME_MAX]);
/* All zeros when it never cosigned that log. ERR_CONTENT: see above. */
MUST_CHECK enum err ledger_head(const struct ledger *ledger, const char *origin, struct tree_head *ret_head, struct why *why);
/* The file of that name, appended. ERR_NOT_FOUND; ERR_SYNTAX: no name of a file here. */
MUST_CHECK enum err ledger_read(const struct ledger *ledger, const char *name, struct buf *into, struct why *why);
/* Durable when it returns. */
MUST_CHECK enum err ledger_keep(const struct ledger *ledger, const char *origin, const struct buf *note, struct why *why);
