/* A device's disk, mounted somewhere else: back to what was good, without starting anything of it. */
#include "agent/agent.h"
#include "agent/command.h"
#include "agent/content.h"
#include "platform/clock.h"
#include "platform/disk_folder.h"

#include <inttypes.h>
#include <string.h>

enum { BEFORE_MAX = 99, BEFORE_BYTES = 32 };        /* copies of the record that are kept; the last is then written over */

static void explain(const struct slots *slots, size_t i)
{
        const struct slot_stream *now = slots_stream(slots, i);
        enum slot_id current = (enum slot_id)now->current, good = (enum slot_id)now->last_good;
        printf("stream %s: runs slot %s (release %" PRIu64 ")%s; last good is slot %s (release %" PRIu64 ")\n", now->name, slot_name(current),
               slots_in(slots, i, current)->counter, slots_on_trial(slots, i) ? ", on trial" : "", slot_name(good), slots_in(slots, i, good)->counter);
}

static bool is_release_on_trial(const struct slots *slots, size_t i)
{
        return slots_stream(slots, i)->trial.lease == SLOT_LEASE_EXPOSURE;
}

/* On trial: give it up. Otherwise what runs was good once and is suspected now, also where it runs as a shadow: one level down. */
static enum err step_back(struct slots *slots, size_t i, struct why *why)
{
        const struct slot_harm harm = { SLOT_HUMAN, "recovered offline", agent_trusted_s(clock_system()) };
        bool was_exposed = is_release_on_trial(slots, i);
        enum err e = slots_on_trial(slots, i) ? slots_give_up(slots, i, &harm, why) : OK;
        return e || was_exposed ? e : slots_descend(slots, i, &harm, why);
}

static enum err recover(struct disk *disk, struct slots *slots, bool is_dry, struct why *why)
{
        for (size_t i = 0; i < slots_count(slots); i++) {
                explain(slots, i);
                if (slots_stream(slots, i)->current == SLOT_NONE) {
                        printf("  it is in safe mode already: nothing to do\n");
                        continue;
                }
                if (slots_stream(slots, i)->current == SLOT_FACTORY) {
                        printf("  it runs the factory copy: nothing to do\n");
                        continue;
                }
                if (is_dry) {
                        printf("  would %s\n", is_release_on_trial(slots, i) ? "give up the release on trial" : "go one level down");
                        continue;
                }
                enum err e = step_back(slots, i, why);
                if (!e)
                        e = slots_save(slots, why);
                if (!e)
                        e = content_settle(disk, slots, i, why);
                if (e && e != ERR_NOT_FOUND)     /* a stream that never ran has no folder */
                        return e;
                printf("  now at slot %s; reported when the device is back\n", slot_name((enum slot_id)slots_stream(slots, i)->current));
        }
        return OK;
}

static bool is_there(struct disk *disk, const char *name)
{
        struct why why;
        OWN(buf) struct buf bytes;
        buf_init(&bytes, sizeof(struct slot_record));
        return disk->ops->read(disk, name, &bytes, &why) != ERR_NOT_FOUND;
}

/* Each time under a name of its own: the first copy is the way back to what ran. */
static enum err keep_before(struct disk *disk, char name[static BEFORE_BYTES], struct why *why)
{
        OWN(buf) struct buf before;
        buf_init(&before, sizeof(struct slot_record));
        snprintf(name, BEFORE_BYTES, "slots.before-recover");
        for (unsigned number = 2; number <= BEFORE_MAX && is_there(disk, name); number++)
                snprintf(name, BEFORE_BYTES, "slots.before-recover.%u", number);
        enum err e = disk->ops->read(disk, "slots", &before, why);
        return e ? e : disk->ops->replace(disk, name, before.bytes, before.length, why);
}

/* Is there a stream that runs a release? */
static bool has_work(const struct slots *slots)
{
        for (size_t i = 0; i < slots_count(slots); i++)
                if (slots_stream(slots, i)->current < SLOT_FACTORY)
                        return true;
        return false;
}

/* The folders say which streams there are; each goes to its factory copy. */
static enum err replace_damaged(struct disk *disk, const char *damage, bool is_dry, struct why *why)
{
        struct slot_names found;
        enum err e = slots_names(disk, &found, why);
        if (e)
                return e;
        printf("%s\n", damage);
        for (size_t i = 0; i < found.count; i++)
                printf("stream %s: %s its factory copy\n", found.text[i], is_dry ? "would go to" : "goes to");
        if (is_dry)
                return OK;
        OWN(slots) struct slots *slots = NULL;
        e = slots_reset(&(struct slot_reset){ disk, found.each, found.count, agent_trusted_s(clock_system()) }, &slots, why);
        if (!e)
                e = slots_save(slots, why);
        for (size_t i = 0; !e && i < found.count; i++)
                e = content_settle(disk, slots, i, why);
        if (!e)
                printf("what was left of the record is kept as slots.damaged beside the new one\n");
        return e;
}

static enum err recover_disk(const struct command_line *line, const char *state, struct disk *disk, struct why *why)
{
        OWN(slots) struct slots *slots = NULL;
        enum err e = line->is_dry ? OK : disk_folder_lock(disk, why);
        if (e)
                return e;
        e = slots_open_all(disk, &slots, why);
        if (e == ERR_SYNTAX) {
                struct why damage = *why;
                return replace_damaged(disk, damage.text, line->is_dry, why);
        }
        if (e)
                return e;
        if (!slots_count(slots)) {
                printf("no release was ever installed here: the device runs its factory content\n");
                return OK;
        }
        char before[BEFORE_BYTES];
        bool changes = !line->is_dry && has_work(slots);
        if (changes)
                e = keep_before(disk, before, why);
        if (!e)
                e = recover(disk, slots, line->is_dry, why);
        if (!e && changes)
                printf("to undo: in %s of that disk, put %s back as slots before the device starts\n", state, before);
        return e;
}

enum err cmd_recover(const struct command_line *line, struct why *why)
{
        OWN(disk_folder) struct disk *disk = NULL;
        const char *state = line->state ? line->state : "var/lib/firebreak";
        enum err e = disk_folder_find(line->root, state, &disk, why);
        if (e)
                return DURING(why, e, "no state folder there; name it with --state");
        return recover_disk(line, state, disk, why);
}
