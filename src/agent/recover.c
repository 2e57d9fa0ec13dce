#include "agent/recover.h"

#include "agent/content.h"
#include "agent/disk_dry.h"

#include <string.h>

enum { BEFORE_MAX = 99 };        /* copies of the record that are kept; the last is then written over */

static const char record_path[] = "slots", after_path[] = "slots.after-recover";
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

static enum err copy(struct disk *disk, const char *from, const char *to, struct why *why)
{
        OWN(buf) struct buf bytes;
        buf_init(&bytes, sizeof(struct slot_record));
        enum err e = disk->ops->read(disk, from, &bytes, why);
        return e ? e : disk->ops->replace(disk, to, bytes.bytes, bytes.length, why);
}

/* Each time under a name of its own: the first copy is the way back to what ran. */
static enum err keep_before(struct disk *disk, char name[static RECOVER_FILE_BYTES], struct why *why)
{
        unsigned number = 1;
        name_before(number, name);
        while (number < BEFORE_MAX && is_there(disk, name))
                name_before(++number, name);
        return copy(disk, record_path, name, why);
}

static bool has_work(const struct slots *slots, const struct recover_wish *wish)
{
        for (size_t i = 0; i < slots_count(slots); i++)
                if (is_wanted(wish, slots_stream(slots, i)->name) && (slots_on_trial(slots, i) || !is_low_enough(slots_stream(slots, i), wish->to)))
                        return true;
        return false;
}

static enum err recover_one(struct disk *disk, struct slots *slots, size_t i, const struct recover_wish *wish, const struct slot_harm *harm,
                            struct recovery *recovery, struct why *why)
{
        struct recovered *did = &recovery->streams[recovery->count++];
        find(disk, slots, i, did);
        enum err e = step_back(slots, i, wish, harm, did, why);
        if (!e && did->step)
                e = slots_save(slots, why);
        if (!e)
                e = settle(disk, slots, i, why);         /* also where the link alone is wrong */
        find_now(slots, i, did);
        return e;
}

static enum err recover_record(struct disk *disk, struct slots *slots, const struct recover_wish *wish, int64_t now_s, struct recovery *recovery, struct why *why)
{
        const struct slot_harm harm = { SLOT_HUMAN, "recovered offline", now_s };
        const bool changes = has_work(slots, wish);
        enum err e = changes ? keep_before(disk, recovery->before, why) : OK;
        for (size_t i = 0; !e && i < slots_count(slots); i++)
                if (is_wanted(wish, slots_stream(slots, i)->name))
                        e = recover_one(disk, slots, i, wish, &harm, recovery, why);
        if (!e && wish->stream && !recovery->count)
                e = FAIL(why, ERR_NOT_FOUND, "that disk has no stream %.64s", wish->stream);
        return e || !changes ? e : copy(disk, record_path, after_path, why);
}

/* The folders say which streams there are; each goes to its factory copy. What is left of the record is kept beside the new one. */
static enum err replace_damaged(struct disk *disk, int64_t now_s, struct recovery *recovery, struct why *why)
{
        struct slot_names names;
        OWN(slots) struct slots *slots = NULL;
        enum err e = slots_names(disk, &names, why);
        if (!e)
                e = slots_reset(&(struct slot_reset){ disk, names.each, names.count, now_s }, &slots, why);
        if (!e)
                e = slots_save(slots, why);
        for (size_t i = 0; !e && i < names.count; i++) {
                struct recovered *did = &recovery->streams[recovery->count++];
                find(disk, slots, i, did);
                did->found = (struct slot_stream){ .current = SLOT_NONE };
                did->step = RECOVER_RESET;
                e = settle(disk, slots, i, why);
                find_now(slots, i, did);
        }
        return e;
}

enum err recover_run(struct disk *disk, const struct recover_wish *wish, int64_t now_s, struct recovery *ret_recovery, struct why *why)
{
        struct disk_dry dry;
        OWN(slots) struct slots *slots = NULL;
        *ret_recovery = (struct recovery){ .count = 0 };
        disk_dry_init(&dry, disk);
        if (wish->is_dry)
                disk = &dry.disk;
        enum err e = slots_open_all(disk, &slots, &ret_recovery->damage);
        if (e == ERR_SYNTAX)
                return replace_damaged(disk, now_s, ret_recovery, why);
        if (e)
                return FAIL(why, e, "%s", ret_recovery->damage.text);
        return recover_record(disk, slots, wish, now_s, ret_recovery, why);
}

static unsigned newest_before(struct disk *disk)
{
        unsigned number = 0;
        char name[RECOVER_FILE_BYTES];
        for (unsigned i = 1; i <= BEFORE_MAX; i++) {
                name_before(i, name);
                if (is_there(disk, name))
                        number = i;
        }
        return number;
}

/* The record is still the one that was left. */
static enum err check_untouched(struct disk *disk, struct why *why)
{
        OWN(buf) struct buf now, after;
        buf_init(&now, sizeof(struct slot_record));
        buf_init(&after, sizeof(struct slot_record));
        enum err e = disk->ops->read(disk, record_path, &now, why);
        if (!e)
                e = disk->ops->read(disk, after_path, &after, why);
        if (e)
                return e;
        return buf_equal(&now, &after) ? OK : FAIL(why, ERR_REFUSED, "the device has run since it was recovered, or its record was changed: what was is no longer what is; nothing was done");
}

/* In this order: cut short, it is done, or can be done again, or says that the record was changed. */
static enum err put_back(struct disk *disk, const char *before, struct why *why)
{
        enum err e = copy(disk, before, record_path, why);
        if (!e)
                e = copy(disk, record_path, after_path, why);
        return e ? e : disk->ops->remove_tree(disk, before, why);
}

enum err recover_undo(struct disk *disk, bool is_dry, struct recovery *ret_recovery, struct why *why)
{
        *ret_recovery = (struct recovery){ .count = 0 };
        const unsigned number = newest_before(disk);
        if (!number)
                return FAIL(why, ERR_NOT_FOUND, "there is nothing to undo: no slots.before-recover in the state folder");
        name_before(number, ret_recovery->before);
        enum err e = check_untouched(disk, why);
        if (!e && !is_dry)
                e = put_back(disk, ret_recovery->before, why);
        OWN(slots) struct slots *slots = NULL;
        if (!e && !is_dry)
                e = slots_open_all(disk, &slots, why);
        for (size_t i = 0; !e && slots && i < slots_count(slots); i++) {
                struct recovered *did = &ret_recovery->streams[ret_recovery->count++];
                find(disk, slots, i, did);
                e = settle(disk, slots, i, why);
                find_now(slots, i, did);
        }
        return e;
}
