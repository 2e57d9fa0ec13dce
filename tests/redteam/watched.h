/* watched.h - the publisher's log, and its witnesses: honest programs (log/witness.h), each of which cosigns at the true time whatever only grew.
 *
 * A story is what somebody is told of the log: its entries from the first on. A fork is a story that goes on differently. */
#pragma once

#include "log/cosignature.h"
#include "log/logged.h"
#include "redteam/keys.h"
#include "redteam/truth.h"

enum { STORY_ENTRIES = 48 };
struct story {
        size_t count;
        struct tree_hash leaves[STORY_ENTRIES];
};

struct watched {
        struct story log;
        struct tree_head cosigned[WITNESSES];    /* by each witness, last */
        int64_t now_s;                           /* true time does not go back */
        struct truth_log truth;                  /* what the programs saw */
};

struct verifier watched_log(void);
struct verifier watched_witness(unsigned witness);

/* Where it stands. */
size_t story_add(struct story *story, const struct logged *entry);
/* The text that the log signs; `into` is the caller's. */
void story_checkpoint(const struct story *story, struct buf *into);
/* That its entry `index` is in it, by a checkpoint of all of it. */
void story_prove(const struct story *story, size_t index, const struct buf *checkpoint, struct buf *into);

/* Ask a witness to cosign the log's checkpoint of a story. False: it does not. */
struct showing { const struct story *story; unsigned witness; int64_t at_s; };
bool watched_show(struct watched *watched, const struct showing *showing, struct buf *checkpoint);
