/* slot.h - the copies of each stream on this device, which one runs, and what is still to be said about it.
 *
 * Three copies a stream: two slots that releases take turns in (a, b) and the factory copy that came with the
 * package. A release is staged, armed (on trial), then proven or given up. One record holds all streams, and each
 * change is one atomic replacement of it, so at every moment, also across a power cut:
 *   - `last_good` of each stream names a complete slot that has proven itself, or the factory copy;
 *   - nothing touches the content of `last_good` or `current`;
 *   - an attempt is on disk before anything risky starts, and stays raised until it ends;
 *   - a release that was given up is denied from then on, and its report is in the same write; one whose slot went bad is not.
 * To fall back waits for no disk: what it does not take is in effect at once and owed to it. Nothing else is. A file `slots.spare`
 * holds the room of one record for the day when there is none.
 *
 * Does not read or write content (see unpack.h), point the link (switch.h) or talk to anybody (report.h). */
#pragma once

#include "agent/slot_record.h"
#include "base/err.h"
#include "base/own.h"
#include "platform/disk.h"

struct slots;

/* Reads the record `slots` at the disk's root, or makes a new device's: every stream on its factory copy. Streams that
 * are new in `names` are added, others are left out at the next change. Borrows `disk`.
 * ERR_SYNTAX: the record is damaged, or gone although a stream's link names a slot; slots_reset() starts again from the factory
 * copies and says so in a report. */
MUST_CHECK enum err slots_open(struct disk *disk, const char *const *names, size_t count, struct slots **ret_slots, struct why *why);
/* `now_s`, trusted time, makes report numbers that are above all earlier ones. The damaged record is kept as `slots.damaged`. Owed to a
 * disk that does not take it. */
struct slot_reset { struct disk *disk; const char *const *names; size_t count; int64_t now_s; };
MUST_CHECK enum err slots_reset(const struct slot_reset *reset, struct slots **ret_slots, struct why *why);
/* Whatever streams the record has: for the guard and `recover`, which must not need the configuration. */
MUST_CHECK enum err slots_open_all(struct disk *disk, struct slots **ret_slots, struct why *why);
/* The streams that have a folder on this disk. */
struct slot_names { char text[LIMIT_STREAMS][SLOT_NAME_BYTES]; const char *each[LIMIT_STREAMS]; size_t count; };
MUST_CHECK enum err slots_names(struct disk *disk, struct slot_names *ret_names, struct why *why);
void slots_close(struct slots *slots);
OWN_DEFINE(slots, struct slots *, slots_close)

size_t slots_count(const struct slots *slots);
const struct slot_stream *slots_stream(const struct slots *slots, size_t stream);
/* The release in a slot; zeros for the factory copy and for none. */
const struct slot_release *slots_in(const struct slots *slots, size_t stream, enum slot_id slot);
const char *slot_name(enum slot_id slot);                        /* a, b, factory, none: names of folders */
const char *slot_state_name(enum slot_state state);
bool slots_on_trial(const struct slots *slots, size_t stream);
bool slots_is_denied(const struct slots *slots, size_t stream, uint64_t counter);

/* The slot that slots_clear() would give now. */
static inline enum slot_id slots_next(const struct slots *slots, size_t stream)
{
        const struct slot_stream *now = slots_stream(slots, stream);
        return now->last_good == SLOT_A || now->current == SLOT_A ? SLOT_B : SLOT_A;
}

/* Life of a release, in this order. */
/* Gives the slot that may be overwritten and forgets what was in it. ERR_REFUSED during a trial. */
MUST_CHECK enum err slots_clear(struct slots *slots, size_t stream, enum slot_id *ret_slot, struct why *why);
/* The slot holds this release, complete and durable. */
MUST_CHECK enum err slots_staged(struct slots *slots, size_t stream, enum slot_id slot, const struct slot_release *release, struct why *why);
/* What is staged there is asked for under this nonce from now on. */
MUST_CHECK enum err slots_renew(struct slots *slots, size_t stream, enum slot_id slot, const uint8_t nonce[16], struct why *why);
/* The attempt: from here on the staged slot is current, and on trial. For a shadow lease the current slot itself is. */
MUST_CHECK enum err slots_arm(struct slots *slots, size_t stream, const struct slot_trial *trial, struct why *why);
MUST_CHECK enum err slots_prove(struct slots *slots, size_t stream, int64_t now_s, struct why *why);

/* Falling back. An error means that nothing changed; else it is in effect, and perhaps owed.
 * The trial failed: back to last-good (a shadow stays where it is), denied, reported, all in one write. */
MUST_CHECK enum err slots_give_up(struct slots *slots, size_t stream, const struct slot_harm *harm, struct why *why);
/* The server withdrew what runs: back to another good slot, else the factory copy. ERR_NOT_FOUND: it does not run. */
MUST_CHECK enum err slots_withdraw(struct slots *slots, size_t stream, uint64_t counter, int64_t now_s, struct why *why);
/* What runs has failed although it was good: one level down (other good slot, factory, none). */
MUST_CHECK enum err slots_descend(struct slots *slots, size_t stream, const struct slot_harm *harm, struct why *why);
/* What runs is not what was installed any more. That is the disk's fault: its slot is empty from then on, one level down or back from its
 * trial, and the release is declined, not denied: it may be installed anew. ERR_REFUSED: what runs is in neither slot. */
struct slot_damage { const char *detail; int64_t now_s; };
MUST_CHECK enum err slots_damaged(struct slots *slots, size_t stream, const struct slot_damage *damage, struct why *why);

/* A release that never came to a trial: declined or preflight_failed. `is_final`: never try it again. */
struct slot_refusal { const struct slot_release *release; enum slot_outcome outcome; bool is_final; const char *detail; int64_t now_s; };
MUST_CHECK enum err slots_refuse(struct slots *slots, size_t stream, const struct slot_refusal *refusal, struct why *why);

/* Counting up before, clearing after. */
MUST_CHECK enum err slots_count_start(struct slots *slots, size_t stream, struct why *why);
MUST_CHECK enum err slots_count_crash(struct slots *slots, size_t stream, struct why *why);
MUST_CHECK enum err slots_forgive(struct slots *slots, size_t stream, struct why *why);   /* ran long enough: crashes in a row = 0 */
/* A start of the device or of the supervisor: a trial found here was cut short. Gives up those at their limit and counts up
 * the others; when that cannot be written it gives up all, and owes it. What the guard has counted the supervisor after it does not
 * count again, nor one that another has handed over to (handover.h) what slots_hand_over() raised; where nobody came to take it, the next start counts. */
enum slot_start { SLOT_START_GUARD, SLOT_START_SUPERVISOR, SLOT_START_HANDED };
void slots_boot(struct slots *slots, enum slot_start start, int64_t now_s);
/* The supervisor goes on as another program, which may never come to count: its trials stay raised until that one's slots_boot(). */
MUST_CHECK enum err slots_hand_over(struct slots *slots, struct why *why);
/* A planned stop: trials that are running are not held against their release. */
MUST_CHECK enum err slots_stop(struct slots *slots, struct why *why);

/* Does the disk lack a fall-back that is in effect? The next change brings it there, or slots_save(). */
bool slots_is_owed(const struct slots *slots);
MUST_CHECK enum err slots_save(struct slots *slots, struct why *why);
/* Why the disk did not take a fall-back since this was last asked, also when it has taken it by now; NULL: it took them all. Until the next one. */
const char *slots_take_trouble(struct slots *slots);

/* Reports, oldest first; NULL when there are none. */
const struct slot_report *slots_report(const struct slots *slots);
size_t slots_report_count(const struct slots *slots);
/* The number of the newest that was ever made, and the oldest after a number: what a change has added. */
uint64_t slots_report_newest(const struct slots *slots);
const struct slot_report *slots_report_after(const struct slots *slots, uint64_t seq);
MUST_CHECK enum err slots_acknowledge(struct slots *slots, uint64_t seq, struct why *why);
