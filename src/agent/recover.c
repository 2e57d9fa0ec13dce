#include "agent/recover.h"

#include "agent/content.h"
#include "agent/disk_dry.h"
#include "agent/disk_hold.h"
#include "trust/sha.h"

#include <string.h>

/* Beside a copy of the record: what it was a copy of, and what became of that. For one machine. */
struct way_back { char magic[4]; uint32_t version; uint8_t before[32], after[32]; };
_Static_assert(sizeof(struct way_back) == 72, "on disk");
static const struct way_back empty_way = { .magic = "FBWB", .version = 1 };

/* What is being done: before the first change, until all are made. The record goes from `before` to `after` at once; whoever finds the plan beside either of
 * them makes all changes again. With a damaged record none is made. For one machine. */
struct plan {
        char magic[4];
        uint32_t version, number, to;
        int64_t now_s;
        char stream[SLOT_NAME_BYTES];            /* empty: all */
        uint8_t before[32], after[32];
};
_Static_assert(sizeof(struct plan) == 24 + SLOT_NAME_BYTES + 64, "on disk");
static const struct plan empty_plan = { .magic = "FBRP", .version = 1 };

enum { BEFORE_MAX = 99 };        /* copies of the record that are kept; the last is then written over */

static const char record_path[] = "slots", plan_path[] = "slots.recovering";
static const char *const to_names[RECOVER_LEVELS] = { "good", "factory", "safe" };

const char *recover_to_name(enum recover_to to)
{
        return to_names[to];
}

enum err recover_to_read(const char *text, enum recover_to *ret_to, struct why *why)
{
        for (enum recover_to to = 0; to < RECOVER_LEVELS; to++)
                if (strcmp(text, to_names[to]) == 0) {
                        *ret_to = to;
                        return OK;
                }
        return FAIL(why, ERR_USAGE, "--to %.40s: there is good, factory and safe", text);
}

static bool is_wanted(const struct recover_wish *wish, const char *stream)
{
        return !wish->stream || strcmp(wish->stream, stream) == 0;
}

/* The lowest slot to which it goes by itself. */
static bool is_low_enough(const struct slot_stream *now, enum recover_to to)
{
        return now->current == SLOT_NONE || (to != RECOVER_SAFE && now->current == SLOT_FACTORY);
}

/* On trial: it is given up. Else what runs was good once and is suspected now, also where it runs as a shadow: one level down. */
static enum err step_back(struct slots *slots, size_t i, const struct recover_wish *wish, const struct slot_harm *harm, struct recovered *did, struct why *why)
{
        const struct slot_stream *now = slots_stream(slots, i);
        const bool was_exposed = now->trial.lease == SLOT_LEASE_EXPOSURE;
        enum err e = OK;
        if (slots_on_trial(slots, i)) {
                e = slots_give_up(slots, i, harm, why);
                did->step = RECOVER_GAVE_UP;
        }
        for (bool goes_down = !was_exposed || wish->to != RECOVER_GOOD; !e && goes_down && !is_low_enough(now, wish->to); goes_down = wish->to != RECOVER_GOOD) {
                e = slots_descend(slots, i, harm, why);
                did->step = was_exposed ? RECOVER_GAVE_UP : RECOVER_WENT_DOWN;
        }
        return e;
}

static void find(struct disk *disk, const struct slots *slots, size_t i, struct recovered *found)
{
        struct why why;
        char path[CONTENT_PATH_BYTES];
        const struct slot_stream *now = slots_stream(slots, i);
        *found = (struct recovered){ .found = *now, .counter = slots_in(slots, i, (enum slot_id)now->current)->counter };
        snprintf(found->name, sizeof(found->name), "%s", now->name);
        snprintf(path, sizeof(path), "streams/%s/current", now->name);
        if (disk->ops->pointed(disk, path, found->link, &why))
                found->link[0] = 0;
}

static void find_now(const struct slots *slots, size_t i, struct recovered *did)
{
        did->slot = (enum slot_id)slots_stream(slots, i)->current;
        did->now = slots_in(slots, i, did->slot)->counter;
}

/* A stream that never ran has no folder. */
static enum err settle(struct disk *disk, const struct slots *slots, size_t i, struct why *why)
{
        enum err e = content_settle(disk, slots, i, why);
        return e == ERR_NOT_FOUND ? OK : e;
}

static bool is_there(struct disk *disk, const char *name)
{
        struct why why;
        OWN(buf) struct buf bytes;
        buf_init(&bytes, sizeof(struct slot_record));
        return disk->ops->read(disk, name, &bytes, &why) != ERR_NOT_FOUND;
}

static void name_before(unsigned number, char name[static RECOVER_FILE_BYTES])
{
        snprintf(name, RECOVER_FILE_BYTES, number > 1 ? "slots.before-recover.%u" : "slots.before-recover", number);
}

static void name_way(unsigned number, char name[static RECOVER_FILE_BYTES])
{
        snprintf(name, RECOVER_FILE_BYTES, number > 1 ? "slots.after-recover.%u" : "slots.after-recover", number);
}

static enum err read_record(struct disk *disk, const char *path, struct buf *bytes, uint8_t digest[static 32], struct why *why)
{
        buf_init(bytes, sizeof(struct slot_record));
        enum err e = disk->ops->read(disk, path, bytes, why);
        if (!e)
                sha256(bytes->bytes, bytes->length, digest);
        return e;
}

static enum err copy(struct disk *disk, const char *from, const char *to, struct why *why)
{
        OWN(buf) struct buf bytes;
        uint8_t digest[32];
        enum err e = read_record(disk, from, &bytes, digest, why);
        return e ? e : disk->ops->replace(disk, to, bytes.bytes, bytes.length, why);
}

static enum err keep_way(struct disk *disk, const struct plan *plan, struct why *why)
{
        char way[RECOVER_FILE_BYTES];
        struct way_back back = empty_way;
        memcpy(back.before, plan->before, sizeof(back.before));
        memcpy(back.after, plan->after, sizeof(back.after));
        name_way(plan->number, way);
        return disk->ops->replace(disk, way, &back, sizeof(back), why);
}

/* Each time another one: the first copy is the way back to what ran. */
static unsigned free_number(struct disk *disk)
{
        char name[RECOVER_FILE_BYTES];
        unsigned number = 1;
        name_before(number, name);
        while (number < BEFORE_MAX && is_there(disk, name))
                name_before(++number, name);
        return number;
}

static bool has_work(const struct slots *slots, const struct recover_wish *wish)
{
        for (size_t i = 0; i < slots_count(slots); i++)
                if (is_wanted(wish, slots_stream(slots, i)->name) && (slots_on_trial(slots, i) || !is_low_enough(slots_stream(slots, i), wish->to)))
                        return true;
        return false;
}

/* In memory only: the disk holds the record back. */
static enum err step_all_back(struct disk *disk, struct slots *slots, const struct recover_wish *wish, int64_t now_s, struct recovery *recovery, struct why *why)
{
        const struct slot_harm harm = { SLOT_HUMAN, "recovered offline", now_s };
        enum err e = OK;
        recovery->count = 0;
        for (size_t i = 0; !e && i < slots_count(slots); i++) {
                if (!is_wanted(wish, slots_stream(slots, i)->name))
                        continue;
                struct recovered *did = &recovery->streams[recovery->count++];
                find(disk, slots, i, did);
                e = step_back(slots, i, wish, &harm, did, why);
                find_now(slots, i, did);
        }
        if (!e && wish->stream && !recovery->count)
                e = FAIL(why, ERR_NOT_FOUND, "that disk has no stream %.64s", wish->stream);
        return e;
}

static enum err settle_all(struct disk *disk, const struct slots *slots, const struct recover_wish *wish, struct why *why)
{
        enum err e = OK;
        for (size_t i = 0; !e && i < slots_count(slots); i++)
                if (!wish || is_wanted(wish, slots_stream(slots, i)->name))
                        e = settle(disk, slots, i, why);                 /* also where the link alone is wrong */
        return e;
}

/* The same again, however often: from the plan on disk to no plan. */
static enum err carry_out(struct disk_hold *hold, struct slots *slots, const struct recover_wish *wish, const struct plan *plan, const struct buf *before,
                          struct why *why)
{
        struct disk *disk = hold->real;
        char name[RECOVER_FILE_BYTES];
        name_before(plan->number, name);
        enum err e = disk->ops->replace(disk, name, before->bytes, before->length, why);
        hold->lets_go = true;
        if (!e)
                e = slots_save(slots, why);
        if (!e)
                e = settle_all(disk, slots, wish, why);
        if (!e)
                e = keep_way(disk, plan, why);
        return e ? e : disk->ops->remove_tree(disk, plan_path, why);
}

static enum err read_plan(struct disk *disk, struct plan *ret_plan, struct why *why)
{
        OWN(buf) struct buf bytes;
        buf_init(&bytes, sizeof(*ret_plan));
        enum err e = disk->ops->read(disk, plan_path, &bytes, why);
        if (e)
                return e;
        if (bytes.length != sizeof(*ret_plan) || memcmp(bytes.bytes, &empty_plan, sizeof(empty_plan.magic) + sizeof(empty_plan.version)) != 0)
                return FAIL(why, ERR_NOT_FOUND, "%s is no plan of ours", plan_path);
        memcpy(ret_plan, bytes.bytes, sizeof(*ret_plan));
        if (ret_plan->number < 1 || ret_plan->number > BEFORE_MAX || ret_plan->to >= RECOVER_LEVELS || ret_plan->stream[SLOT_NAME_BYTES - 1])
                return FAIL(why, ERR_NOT_FOUND, "%s is no plan of ours", plan_path);
        return OK;
}

/* What the plan began with: the record itself, or once that is changed the copy. ERR_NOT_FOUND: neither is there any more, the device has run since. */
static enum err read_planned(struct disk *disk, const struct plan *plan, struct buf *bytes, struct why *why)
{
        uint8_t digest[32];
        char name[RECOVER_FILE_BYTES];
        enum err e = read_record(disk, record_path, bytes, digest, why);
        if (e || memcmp(digest, plan->before, sizeof(digest)) == 0)
                return e;
        if (memcmp(digest, plan->after, sizeof(digest)) != 0)
                return FAIL(why, ERR_NOT_FOUND, "the device has run since");
        buf_done(bytes);
        name_before(plan->number, name);
        e = read_record(disk, name, bytes, digest, why);
        if (!e && memcmp(digest, plan->before, sizeof(digest)) != 0)
                e = FAIL(why, ERR_NOT_FOUND, "%s is not what was kept there", name);
        return e;
}

static bool is_same_wish(const struct plan *plan, const struct recover_wish *wish)
{
        return plan->to == (uint32_t)wish->to && strcmp(plan->stream, wish->stream ? wish->stream : "") == 0;
}

/* ERR_NOT_FOUND: nothing was cut short. */
static enum err finish(struct disk *disk, struct plan *ret_plan, struct recovery *recovery, struct why *why)
{
        struct disk_hold hold;
        OWN(slots) struct slots *slots = NULL;
        OWN(buf) struct buf before;
        buf_init(&before, 0);
        enum err e = read_plan(disk, ret_plan, why);
        if (!e)
                e = read_planned(disk, ret_plan, &before, why);
        if (e)
                return e == ERR_NOMEM ? e : ERR_NOT_FOUND;
        const struct recover_wish wish = { .stream = ret_plan->stream[0] ? ret_plan->stream : NULL, .to = (enum recover_to)ret_plan->to };
        disk_hold_init(&hold, disk, record_path, &before);
        e = slots_open_all(&hold.disk, &slots, why);
        if (!e)
                e = step_all_back(&hold.disk, slots, &wish, ret_plan->now_s, recovery, why);
        if (!e && memcmp(hold.digest, ret_plan->after, sizeof(hold.digest)) != 0)
                e = FAIL(why, ERR_NOT_FOUND, "another agent had planned it");
        name_before(ret_plan->number, recovery->before);
        return e ? e : carry_out(&hold, slots, &wish, ret_plan, &before, why);
}

static enum err begin(struct disk_hold *hold, const struct recover_wish *wish, int64_t now_s, const uint8_t before[static 32], struct plan *ret_plan, struct why *why)
{
        *ret_plan = empty_plan;
        ret_plan->to = wish->to;
        ret_plan->now_s = now_s;
        ret_plan->number = free_number(hold->real);
        if (wish->stream)
                snprintf(ret_plan->stream, sizeof(ret_plan->stream), "%.64s", wish->stream);
        memcpy(ret_plan->before, before, sizeof(ret_plan->before));
        memcpy(ret_plan->after, hold->digest, sizeof(ret_plan->after));
        return hold->real->ops->replace(hold->real, plan_path, ret_plan, sizeof(*ret_plan), why);
}

static enum err recover_record(struct disk *disk, const struct recover_wish *wish, int64_t now_s, struct recovery *recovery, struct why *why)
{
        struct disk_hold hold;
        struct plan plan;
        uint8_t digest[32];
        OWN(slots) struct slots *slots = NULL;
        OWN(buf) struct buf before;
        buf_init(&before, 0);
        disk_hold_init(&hold, disk, record_path, NULL);
        enum err e = slots_open_all(&hold.disk, &slots, why);
        if (e)
                return e;
        const bool changes = has_work(slots, wish);
        e = step_all_back(&hold.disk, slots, wish, now_s, recovery, why);
        if (e || !changes)
                return e ? e : settle_all(disk, slots, wish, why);
        e = read_record(disk, record_path, &before, digest, why);
        if (!e)
                e = begin(&hold, wish, now_s, digest, &plan, why);
        if (e)
                return e;
        name_before(plan.number, recovery->before);
        return carry_out(&hold, slots, wish, &plan, &before, why);
}

/* The folders say which streams there are; each goes to its factory copy, or further. What is left of the record is kept beside the new one, which comes
 * at once: cut short before, it is done again, and after, only links are left to set. */
static enum err replace_damaged(struct disk *disk, const struct recover_wish *wish, int64_t now_s, struct recovery *recovery, struct why *why)
{
        const struct slot_harm harm = { SLOT_HUMAN, "recovered offline", now_s };
        if (wish->stream)
                return FAIL(why, ERR_REFUSED, "%.300s; then all streams begin again: leave out --stream", recovery->damage.text);
        struct slot_names names;
        struct disk_hold hold;
        OWN(slots) struct slots *slots = NULL;
        disk_hold_init(&hold, disk, record_path, NULL);
        enum err e = slots_names(disk, &names, why);
        if (!e)
                e = slots_reset(&(struct slot_reset){ &hold.disk, names.each, names.count, now_s }, &slots, why);
        for (size_t i = 0; !e && i < names.count; i++) {
                struct recovered *did = &recovery->streams[recovery->count++];
                find(disk, slots, i, did);
                did->found = (struct slot_stream){ .current = SLOT_NONE };
                did->step = RECOVER_RESET;
                if (wish->to == RECOVER_SAFE)
                        e = slots_descend(slots, i, &harm, why);
                find_now(slots, i, did);
        }
        hold.lets_go = true;
        if (!e)
                e = slots_save(slots, why);
        return e ? e : settle_all(disk, slots, NULL, why);
}

/* What was cut short is finished first; asked for the same again, that is all. */
enum err recover_run(struct disk *disk, const struct recover_wish *wish, int64_t now_s, struct recovery *ret_recovery, struct why *why)
{
        struct disk_dry dry;
        struct plan plan;
        OWN(slots) struct slots *slots = NULL;
        *ret_recovery = (struct recovery){ .count = 0 };
        disk_dry_init(&dry, disk);
        if (wish->is_dry)
                disk = &dry.disk;
        enum err e = finish(disk, &plan, ret_recovery, why);
        if (e && e != ERR_NOT_FOUND)
                return e;
        if (!e && is_same_wish(&plan, wish))
                return OK;
        *ret_recovery = (struct recovery){ .count = 0 };
        e = slots_open_all(disk, &slots, &ret_recovery->damage);
        if (e == ERR_SYNTAX)
                return replace_damaged(disk, wish, now_s, ret_recovery, why);
        if (e)
                return FAIL(why, e, "%s", ret_recovery->damage.text);
        ret_recovery->damage.text[0] = 0;        /* what was only looked for */
        return recover_record(disk, wish, now_s, ret_recovery, why);
}

/* 0: there is none. What has no way back beside it is no copy of ours. */
static unsigned newest_way(struct disk *disk)
{
        char way[RECOVER_FILE_BYTES];
        for (unsigned number = BEFORE_MAX; number > 0; number--) {
                name_way(number, way);
                if (is_there(disk, way))
                        return number;
        }
        return 0;
}

static enum err read_way(struct disk *disk, unsigned number, struct way_back *ret_way, struct why *why)
{
        char way[RECOVER_FILE_BYTES];
        OWN(buf) struct buf bytes;
        buf_init(&bytes, sizeof(struct slot_record));
        name_way(number, way);
        enum err e = disk->ops->read(disk, way, &bytes, why);
        if (!e && (bytes.length != sizeof(*ret_way) || memcmp(bytes.bytes, &empty_way, sizeof(empty_way.magic) + sizeof(empty_way.version)) != 0))
                e = FAIL(why, ERR_SYNTAX, "%s is damaged: nothing was done", way);
        if (!e)
                memcpy(ret_way, bytes.bytes, sizeof(*ret_way));
        return e;
}

/* The record is still the one that was left, and the copy the one that was made; or it was put back already. */
static enum err check_way(struct disk *disk, unsigned number, bool *ret_is_back, struct why *why)
{
        char before[RECOVER_FILE_BYTES];
        uint8_t now[32], was[32];
        struct way_back back;
        OWN(buf) struct buf now_bytes, was_bytes;
        buf_init(&was_bytes, 0);
        name_before(number, before);
        enum err e = read_record(disk, record_path, &now_bytes, now, why);
        if (!e)
                e = read_way(disk, number, &back, why);
        *ret_is_back = !e && memcmp(now, back.before, sizeof(now)) == 0;
        if (!e && !*ret_is_back)
                e = read_record(disk, before, &was_bytes, was, why);
        if (e || *ret_is_back)
                return e;
        if (memcmp(was, back.before, sizeof(was)) != 0)
                return FAIL(why, ERR_SYNTAX, "%s is not what was kept there: nothing was done", before);
        if (memcmp(now, back.after, sizeof(now)) != 0)
                return FAIL(why, ERR_REFUSED, "the device has run since it was recovered, or its record was changed: what was is no longer what is; nothing was done");
        return OK;
}

static enum err say_and_settle(struct disk *disk, struct recovery *recovery, struct why *why)
{
        OWN(slots) struct slots *slots = NULL;
        enum err e = slots_open_all(disk, &slots, why);
        for (size_t i = 0; !e && i < slots_count(slots); i++) {
                struct recovered *did = &recovery->streams[recovery->count++];
                find(disk, slots, i, did);
                e = settle(disk, slots, i, why);
                find_now(slots, i, did);
        }
        return e;
}

/* The way back goes last: until then it can be done again. */
static enum err put_back(struct disk *disk, unsigned number, bool is_back, struct recovery *recovery, struct why *why)
{
        char way[RECOVER_FILE_BYTES];
        name_way(number, way);
        enum err e = is_back ? OK : copy(disk, recovery->before, record_path, why);
        if (!e)
                e = say_and_settle(disk, recovery, why);
        if (!e)
                e = disk->ops->remove_tree(disk, recovery->before, why);
        return e ? e : disk->ops->remove_tree(disk, way, why);
}

enum err recover_undo(struct disk *disk, bool is_dry, struct recovery *ret_recovery, struct why *why)
{
        struct plan plan;
        struct disk_dry dry;
        *ret_recovery = (struct recovery){ .count = 0 };
        disk_dry_init(&dry, disk);
        enum err e = finish(is_dry ? &dry.disk : disk, &plan, ret_recovery, why);
        if (e && e != ERR_NOT_FOUND)
                return e;
        ret_recovery->count = 0;
        if (!e && is_dry)
                return OK;                       /* there is no way back yet but for the plan */
        const unsigned number = newest_way(disk);
        bool is_back = false;
        if (!number)
                return FAIL(why, ERR_NOT_FOUND, "there is nothing to undo: no slots.after-recover in the state folder");
        name_before(number, ret_recovery->before);
        e = check_way(disk, number, &is_back, why);
        return e || is_dry ? e : put_back(disk, number, is_back, ret_recovery, why);
}
