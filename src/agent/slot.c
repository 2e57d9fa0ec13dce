#include "agent/slot.h"

#include "agent/spool.h"
#include "base/mem.h"

#include <assert.h>
#include <string.h>

struct slots {
        struct disk *disk;
        struct slot_record record;       /* what is on disk, and what is owed to it */
        struct slot_record next;         /* being prepared by one change */
        bool is_owed, has_spare, has_trouble;
        char trouble[WHY_TEXT_MAX];
};

enum { DAMAGED_BYTES_MAX = 1 << 20 };    /* of a damaged record that is kept */
enum { READS = 3 };                      /* of a record that the disk does not give us */

static const char record_path[] = "slots", damaged_path[] = "slots.damaged", spare_path[] = "slots.spare";

static struct slot_stream *begin(struct slots *slots, size_t stream)
{
        slots->next = slots->record;
        return &slots->next.streams[stream];
}

static enum err write_next(struct slots *slots, struct why *why)
{
        return slots->disk->ops->replace(slots->disk, record_path, &slots->next, sizeof(slots->next), why);
}

/* A disk that is full gives up what was put aside for this, then what can be had from the server again. */
static enum err write_next_somehow(struct slots *slots, struct why *why)
{
        struct disk *disk = slots->disk;
        struct why other;
        enum err e = write_next(slots, why);
        if (e == ERR_FULL && disk->ops->remove_tree(disk, spare_path, &other) == OK) {
                slots->has_spare = false;
                e = write_next(slots, why);
        }
        if (e == ERR_FULL && spool_sweep(disk, NULL, &other) == OK)
                e = write_next(slots, why);
        return e;
}

/* Room for one more record. It holds a copy of one, so that a file system that packs its files packs it no better. */
static void keep_spare(struct slots *slots)
{
        struct disk *disk = slots->disk;
        struct why why;
        int file;
        uint64_t length;
        if (slots->has_spare)
                return;
        if (disk->ops->open(disk, spare_path, &file, &length, &why) == OK) {
                disk->ops->file_close(disk, file);
                slots->has_spare = length == sizeof(slots->record);
        }
        if (!slots->has_spare)
                slots->has_spare = disk->ops->replace(disk, spare_path, &slots->record, sizeof(slots->record), &why) == OK;
}

/* Make `next` true on disk first, and in memory only after. */
static enum err commit(struct slots *slots, struct why *why)
{
        memcpy(slots->next.magic, "FBSR", 4);
        slots->next.version = SLOT_RECORD_VERSION;
        slots->next.crc = slot_record_crc(&slots->next);
        assert(slot_record_check(&slots->next, NULL) == OK);
        enum err e = write_next_somehow(slots, why);
        if (e)
                return DURING(why, e, "saving the slot record");
        slots->record = slots->next;
        slots->is_owed = false;
        keep_spare(slots);
        return OK;
}

/* To fall back waits for no disk. What the disk does not take is in effect all the same; there the attempt stays raised until it does. */
static void commit_or_owe(struct slots *slots)
{
        struct why why;
        if (commit(slots, &why) == OK)
                return;
        slots->record = slots->next;
        slots->is_owed = slots->has_trouble = true;
        snprintf(slots->trouble, sizeof(slots->trouble), "%s", why.text);
}

const char *slots_take_trouble(struct slots *slots)
{
        bool had_trouble = slots->has_trouble;
        slots->has_trouble = false;
        return had_trouble ? slots->trouble : NULL;
}

bool slots_is_owed(const struct slots *slots)
{
        return slots->is_owed;
}

enum err slots_save(struct slots *slots, struct why *why)
{
        if (!slots->is_owed)
                return OK;
        begin(slots, 0);
        return commit(slots, why);
}

static enum err add_name(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        (void)length, (void)why;
        struct slot_names *names = user;
        if (kind == DISK_FOLDER && strlen(name) <= LIMIT_NAME_BYTES && names->count < LIMIT_STREAMS) {
                snprintf(names->text[names->count], SLOT_NAME_BYTES, "%.64s", name);
                names->each[names->count] = names->text[names->count];
                names->count++;
        }
        return OK;
}

enum err slots_names(struct disk *disk, struct slot_names *ret_names, struct why *why)
{
        *ret_names = (struct slot_names){ .count = 0 };
        enum err e = disk->ops->list(disk, "streams", add_name, ret_names, why);
        return e ? DURING(why, e, "looking for the streams") : OK;
}

/* Links are set after the record only, so one that names a slot had a record. */
static bool had_record(struct disk *disk)
{
        struct slot_names names;
        struct why why;
        if (slots_names(disk, &names, &why))
                return false;
        for (size_t i = 0; i < names.count; i++) {
                char path[sizeof("streams//current") + SLOT_NAME_BYTES], target[DISK_NAME_MAX + 1];
                snprintf(path, sizeof(path), "streams/%s/current", names.text[i]);
                if (disk->ops->pointed(disk, path, target, &why) == OK && (strcmp(target, "a") == 0 || strcmp(target, "b") == 0))
                        return true;
        }
        return false;
}

static enum err look_for_record(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        (void)length, (void)why;
        if (strcmp(name, record_path) == 0)
                *(bool *)user = kind != DISK_FILE;
        return OK;
}

/* A folder, a link or a pipe is in its place. */
static bool is_other(struct disk *disk)
{
        bool is_other = false;
        struct why why;
        return disk->ops->list(disk, "", look_for_record, &is_other, &why) == OK && is_other;
}

/* A disk that failed once may not fail again. */
static enum err record_read(struct disk *disk, struct buf *into, struct why *why)
{
        enum err e = ERR_IO;
        for (unsigned tries = 0; e == ERR_IO && tries < READS; tries++) {
                into->length = 0;
                e = disk->ops->read(disk, record_path, into, why);
        }
        return e;
}

/* ERR_NOT_FOUND: there is none. */
static enum err record_load(struct slots *slots, struct why *why)
{
        OWN(buf) struct buf bytes;
        buf_init(&bytes, sizeof(slots->record));
        enum err e = record_read(slots->disk, &bytes, why);
        if (e == ERR_NOT_FOUND)
                return had_record(slots->disk) ? FAIL(why, ERR_SYNTAX, "the slot record is gone, but a release was installed here") : e;
        if (e && e != ERR_LIMIT && is_other(slots->disk))
                return FAIL(why, ERR_SYNTAX, "the slot record is damaged: `slots` is no file");
        if (e == ERR_LIMIT || (!e && bytes.length != sizeof(slots->record)))
                return FAIL(why, ERR_SYNTAX, "the slot record has the wrong size");
        if (e == ERR_IO) {               /* no engine at all would be worse than its factory content */
                char text[WHY_TEXT_MAX];
                snprintf(text, sizeof(text), "%s", why ? why->text : "");
                return FAIL(why, ERR_SYNTAX, "the slot record cannot be read: %.300s", text);
        }
        if (e)
                return DURING(why, e, "reading the slot record");
        memcpy(&slots->record, bytes.bytes, sizeof(slots->record));
        return slot_record_check(&slots->record, why);
}

static enum err stream_new(struct slot_stream *stream, const char *name, struct why *why)
{
        size_t length = strlen(name);
        if (!length || length > LIMIT_NAME_BYTES)
                return FAIL(why, ERR_LIMIT, "stream name of %zu bytes", length);
        *stream = (struct slot_stream){ .current = SLOT_FACTORY, .last_good = SLOT_FACTORY };
        memcpy(stream->name, name, length);
        return OK;
}

/* Bring the record into the order of `names`; on disk with the next change. */
static enum err record_arrange(struct slot_record *record, const char *const *names, size_t count, struct why *why)
{
        struct slot_stream found[LIMIT_STREAMS] = { 0 };
        for (size_t i = 0; i < count; i++) {
                enum err e = stream_new(&found[i], names[i], why);
                if (e)
                        return e;
                for (size_t k = 0; k < record->stream_count; k++)
                        if (strcmp(record->streams[k].name, names[i]) == 0)
                                found[i] = record->streams[k];
        }
        memcpy(record->streams, found, sizeof(found));
        record->stream_count = (uint16_t)count;
        return OK;
}

static enum err slots_load(struct disk *disk, struct slots **ret_slots, struct why *why)
{
        OWN(slots) struct slots *slots = mem_new(1, sizeof(*slots));
        if (!slots)
                return FAIL(why, ERR_NOMEM, "opening the slots");
        slots->disk = disk;
        enum err e = record_load(slots, why);
        if (e == ERR_NOT_FOUND)
                slots->record = (struct slot_record){ .next_seq = 0 };
        else if (e)
                return e;
        *ret_slots = GIVE(slots);
        return OK;
}

enum err slots_open_all(struct disk *disk, struct slots **ret_slots, struct why *why)
{
        return slots_load(disk, ret_slots, why);
}

enum err slots_open(struct disk *disk, const char *const *names, size_t count, struct slots **ret_slots, struct why *why)
{
        if (count > LIMIT_STREAMS)
                return FAIL(why, ERR_LIMIT, "%zu streams, the most is %d", count, LIMIT_STREAMS);
        OWN(slots) struct slots *slots = NULL;
        enum err e = slots_load(disk, &slots, why);
        if (!e)
                e = record_arrange(&slots->record, names, count, why);
        if (e)
                return e;
        *ret_slots = GIVE(slots);
        return OK;
}

void slots_close(struct slots *slots)
{
        mem_free(slots);
}

size_t slots_count(const struct slots *slots)
{
        return slots->record.stream_count;
}

const struct slot_stream *slots_stream(const struct slots *slots, size_t stream)
{
        assert(stream < slots->record.stream_count);
        return &slots->record.streams[stream];
}

static const struct slot_release *release_in(const struct slot_stream *stream, unsigned slot)
{
        static const struct slot_release factory;
        return slot < SLOT_FACTORY ? &stream->release[slot] : &factory;
}

const struct slot_release *slots_in(const struct slots *slots, size_t stream, enum slot_id slot)
{
        return release_in(slots_stream(slots, stream), slot);
}

const char *slot_name(enum slot_id slot)
{
        static const char *const names[SLOT_IDS] = { "a", "b", "factory", "none" };
        assert(slot < SLOT_IDS);
        return names[slot];
}

const char *slot_state_name(enum slot_state state)
{
        static const char *const names[SLOT_STATES] = { "empty", "staged", "trial", "good", "bad" };
        assert(state < SLOT_STATES);
        return names[state];
}

bool slots_on_trial(const struct slots *slots, size_t stream)
{
        return slots_stream(slots, stream)->trial.lease != SLOT_LEASE_NONE;
}

static bool is_denied(const struct slot_stream *stream, uint64_t counter)
{
        if (counter < stream->denied_below)
                return true;
        for (unsigned i = 0; i < stream->denied_count; i++)
                if (stream->denied[i] == counter)
                        return true;
        return false;
}

bool slots_is_denied(const struct slots *slots, size_t stream, uint64_t counter)
{
        return is_denied(slots_stream(slots, stream), counter);
}

/* When the list is full the oldest number goes, and all up to it are denied with it: forgetting must not allow. */
static void deny(struct slot_stream *stream, uint64_t counter)
{
        if (is_denied(stream, counter))
                return;
        if (stream->denied_count == SLOT_DENIED_MAX) {
                unsigned oldest = 0;
                for (unsigned i = 1; i < SLOT_DENIED_MAX; i++)
                        if (stream->denied[i] < stream->denied[oldest])
                                oldest = i;
                if (stream->denied_below < stream->denied[oldest] + 1)
                        stream->denied_below = stream->denied[oldest] + 1;
                stream->denied[oldest] = stream->denied[--stream->denied_count];
        }
        stream->denied[stream->denied_count++] = counter;
}

struct outcome {
        const struct slot_release *release;
        enum slot_outcome outcome;
        enum slot_kind kind;
        const char *detail;
        int64_t now_s;
};

/* Above all that a record before this one may have used: the server takes a number that it has seen for a report that it has. */
static uint64_t first_seq(int64_t now_s)
{
        return now_s > 0 ? (uint64_t)now_s : 1;
}

/* Appended last, so that counters and `running` are those after the change. */
static void report(struct slot_record *record, const struct slot_stream *stream, const struct outcome *outcome)
{
        if (record->report_count == SLOT_REPORTS_MAX)
                memmove(&record->reports[0], &record->reports[1], --record->report_count * sizeof(record->reports[0]));
        if (!record->next_seq)
                record->next_seq = first_seq(outcome->now_s);
        struct slot_report *new = &record->reports[record->report_count++];
        *new = (struct slot_report){
                .seq = record->next_seq++, .counter = outcome->release->counter, .at = outcome->now_s,
                .running = release_in(stream, stream->current)->counter, .counters = stream->counters,
                .outcome = (uint8_t)outcome->outcome, .kind = (uint8_t)outcome->kind,
        };
        memcpy(new->stream, stream->name, sizeof(new->stream));
        memcpy(new->nonce, outcome->release->nonce, sizeof(new->nonce));
        snprintf(new->detail, sizeof(new->detail), "%s", outcome->detail ? outcome->detail : "");
}

static void trial_end(struct slot_stream *stream)
{
        stream->trial = (struct slot_trial){ 0 };
        stream->crashes = stream->boots = stream->is_counted = 0;
}

/* What a trial is about, with the lease that it runs under: a shadow's nonce is never the release's own. */
static struct slot_release trial_release(const struct slot_stream *stream)
{
        struct slot_release release = *release_in(stream, stream->trial.slot);
        memcpy(release.nonce, stream->trial.nonce, sizeof(release.nonce));
        return release;
}

static void empty(struct slot_stream *next, unsigned slot)
{
        next->state[slot] = SLOT_EMPTY;
        next->release[slot] = (struct slot_release){ 0 };
}

enum err slots_clear(struct slots *slots, size_t stream, enum slot_id *ret_slot, struct why *why)
{
        if (slots_on_trial(slots, stream))
                return FAIL(why, ERR_REFUSED, "a trial is under way");
        struct slot_stream *next = begin(slots, stream);
        enum slot_id slot = slots_next(slots, stream);
        if (next->current == slot)
                return FAIL(why, ERR_REFUSED, "both slots are in use");
        empty(next, slot);
        enum err e = commit(slots, why);
        if (!e)
                *ret_slot = slot;
        return e;
}

enum err slots_staged(struct slots *slots, size_t stream, enum slot_id slot, const struct slot_release *release, struct why *why)
{
        if (slot >= SLOT_FACTORY || slots_stream(slots, stream)->state[slot] != SLOT_EMPTY)
                return FAIL(why, ERR_REFUSED, "slot %s was not cleared", slot_name(slot));
        struct slot_stream *next = begin(slots, stream);
        next->state[slot] = SLOT_STAGED;
        next->release[slot] = *release;
        return commit(slots, why);
}

enum err slots_renew(struct slots *slots, size_t stream, enum slot_id slot, const uint8_t nonce[16], struct why *why)
{
        if (slot >= SLOT_FACTORY || slots_stream(slots, stream)->state[slot] != SLOT_STAGED)
                return FAIL(why, ERR_REFUSED, "nothing is staged in slot %s", slot_name(slot));
        struct slot_stream *next = begin(slots, stream);
        memcpy(next->release[slot].nonce, nonce, sizeof(next->release[slot].nonce));
        return commit(slots, why);
}

static enum err arm_check(const struct slot_stream *now, const struct slot_trial *trial, struct why *why)
{
        if (now->trial.lease != SLOT_LEASE_NONE)
                return FAIL(why, ERR_REFUSED, "a trial is under way");
        if (trial->lease == SLOT_LEASE_SHADOW)
                return trial->slot == now->current ? OK : FAIL(why, ERR_REFUSED, "a shadow runs what runs already");
        if (trial->lease != SLOT_LEASE_EXPOSURE || trial->slot >= SLOT_FACTORY || now->state[trial->slot] != SLOT_STAGED)
                return FAIL(why, ERR_REFUSED, "nothing is staged there");
        if (is_denied(now, now->release[trial->slot].counter))
                return FAIL(why, ERR_REFUSED, "release %llu was given up before", (unsigned long long)now->release[trial->slot].counter);
        return OK;
}

/* A lease is asked for under a nonce once: the candidate that waits during a shadow's trial needs another after it. */
static void forget_nonces(struct slot_stream *next)
{
        for (unsigned slot = 0; slot < SLOT_FACTORY; slot++)
                if (next->state[slot] == SLOT_STAGED)
                        memset(next->release[slot].nonce, 0, sizeof(next->release[slot].nonce));
}

enum err slots_arm(struct slots *slots, size_t stream, const struct slot_trial *trial, struct why *why)
{
        enum err e = arm_check(slots_stream(slots, stream), trial, why);
        if (e)
                return e;
        struct slot_stream *next = begin(slots, stream);
        next->trial = *trial;
        next->crashes = 0;
        next->boots = 1;                 /* this very start is unfinished until proven */
        if (trial->lease == SLOT_LEASE_EXPOSURE) {
                next->state[trial->slot] = SLOT_TRIAL;
                next->current = trial->slot;
                memcpy(next->release[trial->slot].nonce, trial->nonce, sizeof(trial->nonce));
        } else {
                forget_nonces(next);
        }
        return commit(slots, why);
}

enum err slots_prove(struct slots *slots, size_t stream, int64_t now_s, struct why *why)
{
        if (!slots_on_trial(slots, stream))
                return FAIL(why, ERR_REFUSED, "nothing is on trial");
        struct slot_stream *next = begin(slots, stream);
        struct slot_release release = trial_release(next);
        if (next->trial.lease == SLOT_LEASE_EXPOSURE) {
                next->state[next->trial.slot] = SLOT_GOOD;
                next->last_good = next->trial.slot;
                if (next->floor < release.floor)
                        next->floor = release.floor;
        }
        trial_end(next);
        next->counters.proven++;
        report(&slots->next, next, &(struct outcome){ &release, SLOT_PROVEN, SLOT_KIND_NONE, "", now_s });
        return commit(slots, why);
}

static void give_up(struct slot_record *record, struct slot_stream *next, const struct slot_harm *harm)
{
        struct slot_release release = trial_release(next);
        if (next->trial.lease == SLOT_LEASE_EXPOSURE) {
                next->state[next->trial.slot] = SLOT_BAD;
                next->current = next->last_good;
                next->counters.fallbacks++;
                deny(next, release.counter);
        }
        trial_end(next);
        report(record, next, &(struct outcome){ &release, SLOT_HARMED, harm->kind, harm->detail, harm->now_s });
}

enum err slots_give_up(struct slots *slots, size_t stream, const struct slot_harm *harm, struct why *why)
{
        if (!slots_on_trial(slots, stream))
                return FAIL(why, ERR_REFUSED, "nothing is on trial");
        give_up(&slots->next, begin(slots, stream), harm);
        commit_or_owe(slots);
        return OK;
}

/* The best place to go from `current`, which is not to be used again: nothing below the floor, whoever asks. */
static enum slot_id below(const struct slot_stream *stream)
{
        if (stream->current < SLOT_FACTORY && stream->state[!stream->current] == SLOT_GOOD && stream->release[!stream->current].counter >= stream->floor)
                return (enum slot_id)!stream->current;
        return stream->current == SLOT_FACTORY ? SLOT_NONE : SLOT_FACTORY;
}

/* Leave `current` for the next level down. Safe mode is no copy, so last-good then stays at the factory's. */
static void leave_current(struct slot_stream *next)
{
        enum slot_id to = next->current < SLOT_NONE ? below(next) : SLOT_NONE;
        next->current = (uint8_t)to;
        next->last_good = to == SLOT_NONE ? SLOT_FACTORY : (uint8_t)to;
        next->counters.fallbacks++;
        trial_end(next);
}

static void step_down(struct slot_stream *next)
{
        if (next->current < SLOT_FACTORY) {
                next->state[next->current] = SLOT_BAD;
                deny(next, next->release[next->current].counter);
        }
        leave_current(next);
}

enum err slots_withdraw(struct slots *slots, size_t stream, uint64_t counter, int64_t now_s, struct why *why)
{
        const struct slot_stream *now = slots_stream(slots, stream);
        if (now->current >= SLOT_FACTORY || now->release[now->current].counter != counter)
                return FAIL(why, ERR_NOT_FOUND, "release %llu does not run here", (unsigned long long)counter);
        struct slot_stream *next = begin(slots, stream);
        struct slot_release release = next->release[next->current];
        bool was_unproven = next->trial.lease == SLOT_LEASE_EXPOSURE;
        if (was_unproven) {
                next->state[next->current] = SLOT_BAD;
                next->current = next->last_good;
                next->counters.fallbacks++;
                deny(next, counter);
                trial_end(next);
        } else {
                step_down(next);
                memset(release.nonce, 0, sizeof(release.nonce));         /* its lease was answered: this answers none */
        }
        report(&slots->next, next, &(struct outcome){ &release, SLOT_DECLINED, SLOT_KIND_NONE, "withdrawn by the server", now_s });
        commit_or_owe(slots);
        return OK;
}

enum err slots_descend(struct slots *slots, size_t stream, const struct slot_harm *harm, struct why *why)
{
        if (slots_stream(slots, stream)->current == SLOT_NONE)
                return FAIL(why, ERR_REFUSED, "safe mode is the lowest level");
        struct slot_stream *next = begin(slots, stream);
        struct slot_release release = *release_in(next, next->current);
        step_down(next);
        report(&slots->next, next, &(struct outcome){ &release, SLOT_HARMED, harm->kind, harm->detail, harm->now_s });
        commit_or_owe(slots);
        return OK;
}

enum err slots_damaged(struct slots *slots, size_t stream, const struct slot_damage *damage, struct why *why)
{
        const struct slot_stream *now = slots_stream(slots, stream);
        const unsigned slot = now->current;
        if (slot >= SLOT_FACTORY)
                return FAIL(why, ERR_REFUSED, "what runs is in neither slot");
        struct slot_stream *next = begin(slots, stream);
        /* A lease that is open is answered with it; one that was answered is not named again. */
        struct slot_release release = next->release[slot];
        memcpy(release.nonce, next->trial.nonce, sizeof(release.nonce));
        if (next->trial.lease == SLOT_LEASE_EXPOSURE) {
                next->current = next->last_good;
                next->counters.fallbacks++;
                trial_end(next);
        } else {
                leave_current(next);
        }
        empty(next, slot);
        report(&slots->next, next, &(struct outcome){ &release, SLOT_DECLINED, SLOT_KIND_NONE, damage->detail, damage->now_s });
        commit_or_owe(slots);
        return OK;
}

enum err slots_refuse(struct slots *slots, size_t stream, const struct slot_refusal *refusal, struct why *why)
{
        struct slot_stream *next = begin(slots, stream);
        if (refusal->is_final)
                deny(next, refusal->release->counter);
        report(&slots->next, next,
               &(struct outcome){ refusal->release, refusal->outcome, SLOT_KIND_NONE, refusal->detail, refusal->now_s });
        return commit(slots, why);
}

enum err slots_count_start(struct slots *slots, size_t stream, struct why *why)
{
        begin(slots, stream)->counters.starts++;
        return commit(slots, why);
}

enum err slots_count_crash(struct slots *slots, size_t stream, struct why *why)
{
        struct slot_stream *next = begin(slots, stream);
        next->counters.crashes++;
        if (next->crashes < UINT8_MAX)
                next->crashes++;
        return commit(slots, why);
}

enum err slots_forgive(struct slots *slots, size_t stream, struct why *why)
{
        if (!slots_stream(slots, stream)->crashes)
                return OK;
        begin(slots, stream)->crashes = 0;
        return commit(slots, why);
}

static bool was_counted(const struct slot_stream *stream, enum slot_start start)
{
        switch (start) {
        case SLOT_START_SUPERVISOR: return stream->is_counted == SLOT_COUNTED_BY_GUARD;
        case SLOT_START_HANDED: return stream->is_counted != SLOT_UNCOUNTED;
        case SLOT_START_GUARD: default: return false;
        }
}

static void boot_one(struct slot_record *record, struct slot_stream *next, enum slot_start start, int64_t now_s)
{
        if (was_counted(next, start)) {
                next->is_counted = SLOT_UNCOUNTED;
                return;
        }
        next->counters.boots++;
        if (next->boots >= next->trial.boots_max || next->crashes >= next->trial.crashes_max) {
                char detail[SLOT_DETAIL_BYTES];
                snprintf(detail, sizeof(detail), "%u unfinished starts, %u crashes", next->boots, next->crashes);
                give_up(record, next, &(struct slot_harm){ SLOT_BOOT_LOOP, detail, now_s });
                return;
        }
        next->boots++;
        next->is_counted = start == SLOT_START_GUARD ? SLOT_COUNTED_BY_GUARD : SLOT_UNCOUNTED;
}

/* A start that cannot be counted does not happen. */
static void give_up_all(struct slots *slots, const char *detail, int64_t now_s)
{
        begin(slots, 0);
        for (size_t i = 0; i < slots->next.stream_count; i++) {
                struct slot_stream *next = &slots->next.streams[i];
                if (next->trial.lease != SLOT_LEASE_NONE)
                        give_up(&slots->next, next, &(struct slot_harm){ SLOT_BOOT_LOOP, detail, now_s });
        }
        commit_or_owe(slots);
}

void slots_boot(struct slots *slots, enum slot_start start, int64_t now_s)
{
        bool is_changed = false;
        struct why why;
        begin(slots, 0);
        for (size_t i = 0; i < slots->next.stream_count; i++) {
                struct slot_stream *next = &slots->next.streams[i];
                if (next->trial.lease == SLOT_LEASE_NONE)
                        continue;
                boot_one(&slots->next, next, start, now_s);
                is_changed = true;
        }
        if (is_changed && commit(slots, &why))
                give_up_all(slots, "unfinished start; the disk does not take the count of another", now_s);
}

enum err slots_hand_over(struct slots *slots, struct why *why)
{
        bool is_changed = false;
        begin(slots, 0);
        for (size_t i = 0; i < slots->next.stream_count; i++)
                if (slots->next.streams[i].trial.lease != SLOT_LEASE_NONE) {
                        slots->next.streams[i].is_counted = SLOT_COUNTED_FOR_HEIR;
                        is_changed = true;
                }
        return is_changed ? commit(slots, why) : OK;
}

enum err slots_stop(struct slots *slots, struct why *why)
{
        bool is_changed = false;
        begin(slots, 0);
        for (size_t i = 0; i < slots->next.stream_count; i++)
                if (slots->next.streams[i].boots) {
                        slots->next.streams[i].boots = 0;
                        is_changed = true;
                }
        return is_changed ? commit(slots, why) : OK;
}

const struct slot_report *slots_report(const struct slots *slots)
{
        return slots->record.report_count ? &slots->record.reports[0] : NULL;
}

size_t slots_report_count(const struct slots *slots)
{
        return slots->record.report_count;
}

uint64_t slots_report_newest(const struct slots *slots)
{
        return slots->record.next_seq ? slots->record.next_seq - 1 : 0;
}

const struct slot_report *slots_report_after(const struct slots *slots, uint64_t seq)
{
        for (size_t i = 0; i < slots->record.report_count; i++)
                if (slots->record.reports[i].seq > seq)
                        return &slots->record.reports[i];
        return NULL;
}

enum err slots_acknowledge(struct slots *slots, uint64_t seq, struct why *why)
{
        struct slot_record *next = &slots->next;
        begin(slots, 0);
        size_t gone = 0;
        while (gone < next->report_count && next->reports[gone].seq <= seq)
                gone++;
        if (!gone)
                return OK;
        next->report_count = (uint16_t)(next->report_count - gone);
        memmove(&next->reports[0], &next->reports[gone], next->report_count * sizeof(next->reports[0]));
        memset(&next->reports[next->report_count], 0, gone * sizeof(next->reports[0]));
        return commit(slots, why);
}

/* What is no file cannot be replaced, so it is moved. Else, for people, if it can be read and there is room for it. A copy: until the
 * new record is there, the damaged one must stay, or a device that loses power in between begins to count its reports from 1, and
 * none of them is ever heard again. */
static void keep_damaged(struct disk *disk)
{
        OWN(buf) struct buf bytes;
        struct why why;
        buf_init(&bytes, DAMAGED_BYTES_MAX);
        enum err e = is_other(disk) ? disk->ops->remove_tree(disk, damaged_path, &why) : ERR_REFUSED;
        if (!e)
                e = disk->ops->rename(disk, record_path, damaged_path, &why);
        else
                e = disk->ops->read(disk, record_path, &bytes, &why);
        if (!e && bytes.length)
                e = disk->ops->replace(disk, damaged_path, bytes.bytes, bytes.length, &why);
        (void)e;
}

enum err slots_reset(const struct slot_reset *reset, struct slots **ret_slots, struct why *why)
{
        if (reset->count > LIMIT_STREAMS)
                return FAIL(why, ERR_LIMIT, "%zu streams, the most is %d", reset->count, LIMIT_STREAMS);
        OWN(slots) struct slots *slots = mem_new(1, sizeof(*slots));
        if (!slots)
                return FAIL(why, ERR_NOMEM, "opening the slots");
        slots->disk = reset->disk;
        enum err e = record_arrange(&slots->record, reset->names, reset->count, why);
        if (e)
                return e;
        keep_damaged(reset->disk);
        begin(slots, 0);
        slots->next.next_seq = first_seq(reset->now_s);
        static const struct slot_release none;
        for (size_t i = 0; i < reset->count; i++)
                report(&slots->next, &slots->next.streams[i],
                       &(struct outcome){ &none, SLOT_DECLINED, SLOT_KIND_NONE, "slot record damaged; on the factory copy", reset->now_s });
        commit_or_owe(slots);
        *ret_slots = GIVE(slots);
        return OK;
}
