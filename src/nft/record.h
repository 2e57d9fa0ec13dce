/* record.h - what is on disk of the firewall: what answered, and while a change waits for its answer, how to take it back.
 *
 *      good, good.before   scripts (rules.h) after which the management path answered: the last one, and the one before it
 *      armed               the script that brings back what stood. While it is there, a change has not answered yet; until when, and in which
 *                          start of the machine, its first line says
 *      returned            the last `armed` that was carried out
 *      before              all tables before the last change, for people
 *      back.new, next      written before they are used
 *
 * Invariant: whenever rules stand that have not answered, `armed` is there, also after a power cut. It is taken away before the rules are
 * called good; a cut between the two costs one more trial. */
#pragma once

#include "base/buf.h"
#include "base/own.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

enum { RECORD_BOOT_BYTES = 40, RECORD_LOCK_MS = 10000 };

struct record { char folder[PATH_MAX]; struct disk *disk; };
struct record_armed { int64_t until_ms; bool is_this_boot; };    /* until_ms: of clock.h's steady time; also what tells one from the next */

/* Made if absent. */
MUST_CHECK enum err record_open(const char *folder, struct record *ret_record, struct why *why);
void record_close(struct record *record);
static inline void record_release(struct record *record) { record_close(record); }
void record_path(const struct record *record, const char *name, char path[static PATH_MAX + 16]);

/* For one process at a time, whoever changes rules or record; see lock.h. */
MUST_CHECK enum err record_lock(const struct record *record, int64_t wait_ms, int *ret_lock, struct why *why);

/* For one `run` at a time, as long as it lives: two streams with one folder would take each other's rules back. ERR_BUSY. */
MUST_CHECK enum err record_lock_run(const struct record *record, int *ret_lock, struct why *why);

MUST_CHECK enum err record_keep(const struct record *record, const char *name, const struct buf *text, struct why *why);
MUST_CHECK enum err record_read(const struct record *record, const char *name, struct buf *text, struct why *why);
/* From here on the machine goes back at `until_ms`, if somebody keeps watch (dead_man.h). What is in `back.new` must load: it is checked. */
MUST_CHECK enum err record_arm(const struct record *record, const struct buf *script, int64_t until_ms, struct why *why);
/* ERR_NOT_FOUND: no change waits. A damaged first line is one of this boot whose time is over. */
MUST_CHECK enum err record_is_armed(const struct record *record, struct record_armed *ret_armed, struct why *why);
MUST_CHECK enum err record_disarm(const struct record *record, struct why *why);
/* What stood, stands again. record_returned() then makes it `returned`. */
MUST_CHECK enum err record_bring_back(const struct record *record, struct why *why);
MUST_CHECK enum err record_returned(const struct record *record, struct why *why);
/* What answered last stands, else what answered before it. ERR_NOT_FOUND: nothing has answered yet. */
MUST_CHECK enum err record_apply_good(const struct record *record, struct why *why);
/* It answered. Where there is no room for both, the one before it is forgotten. */
MUST_CHECK enum err record_good(const struct record *record, const struct buf *script, struct why *why);
/* The name of the file that has it, which answered; NULL: it has not. */
const char *record_knows(const struct record *record, const struct buf *script);
