/* At boot, before any engine: the slot record alone decides. Small and quick; no network, no content. */
#include "agent/agent.h"
#include "agent/command.h"
#include "agent/content.h"
#include "agent/report.h"
#include "platform/clock.h"
#include "platform/disk_folder.h"

#include <inttypes.h>

/* What slots_boot() made of each trial; `seen` is the newest report before it. */
static void explain(const struct slots *slots, uint64_t seen)
{
        bool is_idle = true;
        for (const struct slot_report *new; (new = slots_report_after(slots, seen)); seen = new->seq) {
                printf("stream %s: %s\n", new->stream, report_line(new).text);
                is_idle = false;
        }
        for (size_t i = 0; i < slots_count(slots); i++) {
                const struct slot_stream *now = slots_stream(slots, i);
                if (!slots_on_trial(slots, i))
                        continue;
                printf("stream %s: release %" PRIu64 " stays on trial: %u of at most %u starts\n", now->name,
                       slots_in(slots, i, (enum slot_id)now->current)->counter, now->boots, now->trial.boots_max);
                is_idle = false;
        }
        if (is_idle)
                printf("no release was on trial: nothing to do\n");
}

static void count_boot(struct slots *slots)
{
        uint64_t seen = slots_report_newest(slots);
        slots_boot(slots, SLOT_START_GUARD, agent_trusted_s(clock_system()));
        explain(slots, seen);
}

static enum err settle_all(struct disk *disk, const struct slots *slots, struct why *why)
{
        enum err worst = OK;
        for (size_t i = 0; i < slots_count(slots); i++) {
                enum err e = content_settle(disk, slots, i, why);
                if (e && e != ERR_NOT_FOUND)     /* a stream that never ran has no folder */
                        worst = e;
        }
        return worst;
}

/* A damaged record says nothing about what is good: the engines that start next get the factory copies. */
static enum err open_slots(const struct agent_config *config, struct disk *disk, struct slots **ret_slots, struct why *why)
{
        enum err e = slots_open_all(disk, ret_slots, why);
        if (e != ERR_SYNTAX)
                return e;
        printf("%s: all streams go to their factory copies\n", why->text);
        const char *names[LIMIT_STREAMS];
        for (size_t i = 0; i < config->streams.count; i++)
                names[i] = agent_config_stream(config, i)->name;
        return slots_reset(&(struct slot_reset){ disk, names, config->streams.count, agent_trusted_s(clock_system()) }, ret_slots, why);
}

enum err cmd_guard(const struct command_line *line, struct why *why)
{
        OWN(agent_config) struct agent_config *config = NULL;
        OWN(disk_folder) struct disk *disk = NULL;
        OWN(slots) struct slots *slots = NULL;
        enum err e = agent_config_open(line->config, &config, why);
        if (!e)
                e = disk_folder_open(config->state_dir, &disk, why);
        if (!e)
                e = disk_folder_lock(disk, why);
        if (!e)
                e = open_slots(config, disk, &slots, why);
        if (e)
                return e;
        count_boot(slots);
        e = settle_all(disk, slots, why);
        return e ? e : slots_save(slots, why);
}
