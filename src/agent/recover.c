#include "agent/recover.h"

#include "agent/content.h"
#include "agent/disk_dry.h"
#include "trust/sha.h"

#include <string.h>

/* Beside a copy of the record: what it was a copy of, and what became of that. For one machine. */
struct way_back { char magic[4]; uint32_t version; uint8_t before[32], after[32]; };
_Static_assert(sizeof(struct way_back) == 72, "on disk");
static const struct way_back empty_way = { .magic = "FBWB", .version = 1 };

enum { BEFORE_MAX = 99 };        /* copies of the record that are kept; the last is then written over */

static const char record_path[] = "slots";
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

static enum err keep_way(struct disk *disk, unsigned number, struct why *why)
{
        char before[RECOVER_FILE_BYTES], way[RECOVER_FILE_BYTES];
        OWN(buf) struct buf was, is;
        struct way_back back = empty_way;
        buf_init(&is, 0);
        name_before(number, before);
        name_way(number, way);
        enum err e = read_record(disk, before, &was, back.before, why);
        if (!e)
                e = read_record(disk, record_path, &is, back.after, why);
        return e ? e : disk->ops->replace(disk, way, &back, sizeof(back), why);
}

/* Each time under a name of its own: the first copy is the way back to what ran. */
static enum err keep_before(struct disk *disk, char name[static RECOVER_FILE_BYTES], unsigned *ret_number, struct why *why)
{
        unsigned number = 1;
        name_before(number, name);
        while (number < BEFORE_MAX && is_there(disk, name))
                name_before(++number, name);
        *ret_number = number;
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
        unsigned number = 0;
        enum err e = changes ? keep_before(disk, recovery->before, &number, why) : OK;
        for (size_t i = 0; !e && i < slots_count(slots); i++)
                if (is_wanted(wish, slots_stream(slots, i)->name))
                        e = recover_one(disk, slots, i, wish, &harm, recovery, why);
        if (!e && wish->stream && !recovery->count)
                e = FAIL(why, ERR_NOT_FOUND, "that disk has no stream %.64s", wish->stream);
        return e || !changes || wish->is_dry ? e : keep_way(disk, number, why);
}

/* The folders say which streams there are; each goes to its factory copy, or further. What is left of the record is kept beside the new one. */
static enum err replace_damaged(struct disk *disk, const struct recover_wish *wish, int64_t now_s, struct recovery *recovery, struct why *why)
{
        const struct slot_harm harm = { SLOT_HUMAN, "recovered offline", now_s };
        if (wish->stream)
                return FAIL(why, ERR_REFUSED, "%.300s; then all streams begin again: leave out --stream", recovery->damage.text);
        struct slot_names names;
        OWN(slots) struct slots *slots = NULL;
        enum err e = slots_names(disk, &names, why);
        if (!e)
                e = slots_reset(&(struct slot_reset){ disk, names.each, names.count, now_s }, &slots, why);
        for (size_t i = 0; !e && wish->to == RECOVER_SAFE && i < names.count; i++)
                e = slots_descend(slots, i, &harm, why);
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
                return replace_damaged(disk, wish, now_s, ret_recovery, why);
        if (e)
                return FAIL(why, e, "%s", ret_recovery->damage.text);
        ret_recovery->damage.text[0] = 0;        /* what was only looked for */
        return recover_record(disk, slots, wish, now_s, ret_recovery, why);
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

/* The record is still the one that was left, and the copy the one that was made. */
static enum err check_way(struct disk *disk, unsigned number, struct why *why)
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
        if (!e)
                e = read_record(disk, before, &was_bytes, was, why);
        if (e)
                return e;
        if (memcmp(was, back.before, sizeof(was)) != 0)
                return FAIL(why, ERR_SYNTAX, "%s is not what was kept there: nothing was done", before);
        if (memcmp(now, back.after, sizeof(now)) != 0)
                return FAIL(why, ERR_REFUSED, "the device has run since it was recovered, or its record was changed: what was is no longer what is; nothing was done");
        return OK;
}

/* The record first: cut short, it is put back, and says then that it was changed. */
static enum err put_back(struct disk *disk, unsigned number, struct why *why)
{
        char before[RECOVER_FILE_BYTES], way[RECOVER_FILE_BYTES];
        name_before(number, before);
        name_way(number, way);
        enum err e = copy(disk, before, record_path, why);
        if (!e)
                e = disk->ops->remove_tree(disk, way, why);
        return e ? e : disk->ops->remove_tree(disk, before, why);
}

enum err recover_undo(struct disk *disk, bool is_dry, struct recovery *ret_recovery, struct why *why)
{
        *ret_recovery = (struct recovery){ .count = 0 };
        const unsigned number = newest_way(disk);
        if (!number)
                return FAIL(why, ERR_NOT_FOUND, "there is nothing to undo: no slots.after-recover in the state folder");
        name_before(number, ret_recovery->before);
        enum err e = check_way(disk, number, why);
        if (!e && !is_dry)
                e = put_back(disk, number, why);
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
