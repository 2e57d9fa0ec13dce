/* A device's disk, mounted somewhere else: back to what was good, without starting anything of it. */
#include "agent/command.h"
#include "agent/content.h"
#include "platform/clock.h"
#include "platform/disk_folder.h"
#include "platform/file.h"

#include <inttypes.h>

static void explain(const struct slots *slots, size_t i)
{
        const struct slot_stream *now = slots_stream(slots, i);
        enum slot_id current = (enum slot_id)now->current, good = (enum slot_id)now->last_good;
        printf("stream %s: runs slot %s (release %" PRIu64 ")%s; last good is slot %s (release %" PRIu64 ")\n", now->name, slot_name(current),
               slots_in(slots, i, current)->counter, slots_on_trial(slots, i) ? ", on trial" : "", slot_name(good), slots_in(slots, i, good)->counter);
}

/* On trial: give it up. Otherwise what runs was good once and is suspected now: one level down. */
static enum err step_back(struct slots *slots, size_t i, struct why *why)
{
        struct clock *clock = clock_system();
        const struct slot_harm harm = { SLOT_HUMAN, "recovered offline", clock->ops->wall_s(clock) };
        return slots_on_trial(slots, i) ? slots_give_up(slots, i, &harm, why) : slots_descend(slots, i, &harm, why);
}

static enum err recover(struct disk *disk, struct slots *slots, bool is_dry, struct why *why)
{
        for (size_t i = 0; i < slots_count(slots); i++) {
                explain(slots, i);
                if (slots_stream(slots, i)->current == SLOT_NONE) {
                        printf("  it is in safe mode already: nothing to do\n");
                        continue;
                }
                if (is_dry) {
                        printf("  would %s\n", slots_on_trial(slots, i) ? "give up the release on trial" : "go one level down");
                        continue;
                }
                enum err e = step_back(slots, i, why);
                if (!e)
                        e = content_settle(disk, slots, i, why);
                if (e)
                        return e;
                printf("  now at slot %s; reported when the device is back\n", slot_name((enum slot_id)slots_stream(slots, i)->current));
        }
        return OK;
}

static enum err keep_before(struct disk *disk, struct why *why)
{
        OWN(buf) struct buf before;
        buf_init(&before, sizeof(struct slot_record));
        enum err e = disk->ops->read(disk, "slots", &before, why);
        return e ? e : disk->ops->replace(disk, "slots.before-recover", before.bytes, before.length, why);
}

enum err cmd_recover(const struct command_line *line, struct why *why)
{
        char path[1024];
        if (!line->root)
                return FAIL(why, ERR_USAGE, "recover needs --root DIR, where the device's disk is mounted");
        snprintf(path, sizeof(path), "%s/%s", line->root, line->state ? line->state : "var/lib/firebreak");
        if (file_kind(path) != FILE_FOLDER)
                return FAIL(why, ERR_NOT_FOUND, "%.180s is no state folder; name it with --state", path);
        OWN(disk_folder) struct disk *disk = NULL;
        OWN(slots) struct slots *slots = NULL;
        enum err e = disk_folder_open(path, &disk, why);
        if (!e)
                e = slots_open_all(disk, &slots, why);
        if (e)
                return e;
        if (!slots_count(slots))
                printf("no release was ever installed here: the device runs its factory content\n");
        if (!line->is_dry && slots_count(slots))
                e = keep_before(disk, why);
        if (!e)
                e = recover(disk, slots, line->is_dry, why);
        if (!e && !line->is_dry && slots_count(slots))
                printf("to undo: put %s/slots.before-recover back as %s/slots before the device starts\n", path, path);
        return e;
}
