/* rules.h - the tables of the firewall that are ours: what stands in them, and what a file of rules would make of them.
 *
 * A file of rules never acts on this machine's network. It is loaded in an empty one, and what is in our tables there afterwards is the text that
 * is applied: whatever else the file says (flush ruleset, another program's table) has nothing to act on, and is refused.
 * All that runs is nft(8), so all is in its words. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

enum {
        RULES_OWNED_MAX = 8,
        RULES_BYTES_MAX = 16 << 20,      /* of the text of all our tables: a list of a million addresses has 15 MB */
        RULES_TABLE_BYTES = 80,
        RULES_BACK_MS = 60000,           /* for those of before, or known ones: to end it sooner would help nobody. 15 MB take 7 s where nothing else is at work */
};

/* "inet acme": a family that needs no device, and a name. */
struct rules_owned { char tables[RULES_OWNED_MAX][RULES_TABLE_BYTES]; size_t count; };
/* ERR_USAGE. */
MUST_CHECK enum err rules_own(struct rules_owned *owned, const char *table, struct why *why);

/* What brings our tables to the state that `text` describes, whatever stands: one transaction of nft. Empty text: they are gone. */
void rules_script(const struct rules_owned *owned, const struct buf *text, struct buf *script);

/* Our tables as they are; of the machine, appended to `text`. */
MUST_CHECK enum err rules_standing(const struct rules_owned *owned, struct buf *text, struct why *why);
/* All tables, for people. */
MUST_CHECK enum err rules_all(struct buf *text, struct why *why);

/* Our tables as the file makes them, in an empty network: this process leaves that of the machine for good. ERR_CONTENT: it does not load, it touches
 * what is not ours, or leaves one of ours without a chain. ERR_UNAVAILABLE: there is no empty network to be had. */
MUST_CHECK enum err rules_make(const struct rules_owned *owned, const char *path, struct buf *text, struct why *why);

/* A script, whole or not at all; and whether that would work, without doing it. ERR_TIMEOUT: it was ended, and may have done its work or not. */
MUST_CHECK enum err rules_apply(const char *path, int64_t timeout_ms, struct why *why);
MUST_CHECK enum err rules_check(const char *path, struct why *why);
