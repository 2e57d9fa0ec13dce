/* A device's disk, mounted somewhere else: what recover.h does there, said for people and programs. */
#include "agent/agent.h"
#include "agent/command.h"
#include "agent/recover.h"
#include "base/utc.h"
#include "format/json.h"
#include "platform/clock.h"
#include "platform/disk_folder.h"

#include <inttypes.h>
#include <string.h>

static const char default_state[] = "var/lib/firebreak";

static const char *state_of(const struct command_line *line)
{
        return line->state ? line->state : default_state;
}

/* "release 7 in slot b", "the factory copy" */
struct content_text { char text[64]; };

static struct content_text content_text(enum slot_id slot, uint64_t counter)
{
        struct content_text content;
        if (slot == SLOT_FACTORY)
                snprintf(content.text, sizeof(content.text), "the factory copy");
        else if (slot == SLOT_NONE)
                snprintf(content.text, sizeof(content.text), "safe mode: no content");
        else
                snprintf(content.text, sizeof(content.text), "release %" PRIu64 " in slot %s", counter, slot_name(slot));
        return content;
}

static uint64_t counter_in(const struct slot_stream *stream, enum slot_id slot)
{
        return slot < SLOT_FACTORY ? stream->release[slot].counter : 0;
}

static void print_found(const struct recovered *stream)
{
        const struct slot_stream *found = &stream->found;
        const enum slot_id current = (enum slot_id)found->current, good = (enum slot_id)found->last_good;
        printf("  found: %s%s; last good is %s\n", content_text(current, stream->counter).text, found->trial.lease ? ", on trial" : "",
               content_text(good, counter_in(found, good)).text);
        if (found->trial.lease) {
                char since[21];
                utc_text_s(found->trial.started, since);
                printf("         the trial began at %s: %u of at most %u crashes, %u of at most %u starts cut short\n", since, found->crashes,
                       found->trial.crashes_max, found->boots, found->trial.boots_max);
        } else if (found->crashes) {
                printf("         its engine crashed %u times in a row\n", found->crashes);
        }
        if (strcmp(stream->link, slot_name(current)) != 0)
                printf("         the link `current` %s%s: the record counts\n", stream->link[0] ? "points to " : "is missing or no link", stream->link);
}

static void print_done(const struct recovered *stream, bool is_dry)
{
        static const char *const did[] = { [RECOVER_GAVE_UP] = "gave up what was on trial", [RECOVER_WENT_DOWN] = "went down", [RECOVER_RESET] = "began again" };
        static const char *const would[] = { [RECOVER_GAVE_UP] = "would give up what is on trial", [RECOVER_WENT_DOWN] = "would go down", [RECOVER_RESET] = "would begin again" };
        if (stream->step)
                printf("  %s; the next start runs %s\n", (is_dry ? would : did)[stream->step], content_text(stream->slot, stream->now).text);
        else if (stream->slot == SLOT_NONE)
                printf("  it is in safe mode already: nothing to do\n");
        else
                printf("  it runs the factory copy: nothing to do\n");
}

static bool has_changed(const struct recovery *recovery)
{
        for (size_t i = 0; i < recovery->count; i++)
                if (recovery->streams[i].step)
                        return true;
        return false;
}

static void print_way_back(const struct command_line *line, const struct recovery *recovery)
{
        if (recovery->damage.text[0])
                printf("what was left of the record is kept as slots.damaged beside the new one\n");
        else if (recovery->before[0])
                printf("reported when the device is back\nto undo, before the device starts: firebreak-agent recover --root %s%s%s --undo\n", line->root,
                       line->state ? " --state " : "", line->state ? line->state : "");
}

static void print_text(const struct command_line *line, const struct recovery *recovery)
{
        if (recovery->damage.text[0])
                printf("%s\n", recovery->damage.text);
        if (!recovery->count)
                printf("no release was ever installed here: the device runs its factory content\n");
        for (size_t i = 0; i < recovery->count; i++) {
                const struct recovered *stream = &recovery->streams[i];
                printf("stream %s\n", stream->name);
                if (stream->step != RECOVER_RESET)
                        print_found(stream);
                print_done(stream, line->is_dry);
        }
        if (line->is_dry)
                printf("nothing was changed: a dry run\n");
        else if (has_changed(recovery))
                print_way_back(line, recovery);
}

static struct json *content_json(enum slot_id slot, uint64_t counter)
{
        struct json *json = json_new_object();
        json_set_text(json, "slot", slot_name(slot));
        json_set_int(json, "counter", (int64_t)counter);
        return json;
}

static struct json *stream_json(const struct recovered *stream)
{
        static const char *const steps[] = { "nothing", "gave_up", "went_down", "reset" };
        const struct slot_stream *found = &stream->found;
        const enum slot_id current = (enum slot_id)found->current, good = (enum slot_id)found->last_good;
        struct json *json = json_new_object();
        json_set_text(json, "stream", stream->name);
        if (stream->step != RECOVER_RESET) {
                json_set(json, "found", content_json(current, stream->counter));
                json_set(json, "last_good", content_json(good, counter_in(found, good)));
                json_set_bool(json, "on_trial", found->trial.lease != SLOT_LEASE_NONE);
                json_set_int(json, "crashes", found->crashes);
                json_set_int(json, "starts_cut_short", found->boots);
        }
        json_set(json, "link", stream->link[0] ? json_new_text(stream->link) : json_new_null());
        json_set_text(json, "step", steps[stream->step]);
        json_set(json, "now", content_json(stream->slot, stream->now));
        return json;
}

static enum err print_json(const struct command_line *line, const struct recovery *recovery, struct why *why)
{
        OWN(json) struct json *json = json_new_object();
        struct json *streams = json_new_array();
        for (size_t i = 0; i < recovery->count; i++)
                json_add(streams, stream_json(&recovery->streams[i]));
        json_set_bool(json, "dry_run", line->is_dry);
        json_set_bool(json, "undone", line->is_undo);
        json_set(json, "damage", recovery->damage.text[0] ? json_new_text(recovery->damage.text) : json_new_null());
        json_set(json, "before", recovery->before[0] ? json_new_text(recovery->before) : json_new_null());
        json_set(json, "streams", streams);
        OWN(buf) struct buf text;
        buf_init(&text, 1 << 20);
        enum err e = json_write(json, 2, &text, why);
        if (!e)
                puts(buf_text(&text));
        return e;
}

static void print_undone(const struct command_line *line, const struct recovery *recovery)
{
        printf("%s back the record %s\n", line->is_dry ? "would put" : "put", recovery->before);
        for (size_t i = 0; i < recovery->count; i++)
                printf("stream %s: the next start runs %s\n", recovery->streams[i].name, content_text(recovery->streams[i].slot, recovery->streams[i].now).text);
}

static enum err recover(const struct command_line *line, struct disk *disk, struct recovery *recovery, struct why *why)
{
        struct recover_wish wish = { .stream = line->stream, .is_dry = line->is_dry };
        enum err e = line->to ? recover_to_read(line->to, &wish.to, why) : OK;
        if (!e && line->is_undo && (line->to || line->stream))
                e = FAIL(why, ERR_USAGE, "--undo puts the whole record back: leave out --to and --stream");
        if (!e && !line->is_dry)
                e = disk_folder_lock(disk, why);
        if (e)
                return e;
        return line->is_undo ? recover_undo(disk, line->is_dry, recovery, why) : recover_run(disk, &wish, agent_trusted_s(clock_system()), recovery, why);
}

enum err cmd_recover(const struct command_line *line, struct why *why)
{
        struct recovery recovery;
        OWN(disk_folder) struct disk *disk = NULL;
        enum err e = disk_folder_find(line->root, state_of(line), &disk, why);
        if (e)
                return DURING(why, e, "no state folder there; name it with --state");
        e = recover(line, disk, &recovery, why);
        if (e)
                return e;
        if (line->is_json)
                return print_json(line, &recovery, why);
        (line->is_undo ? print_undone : print_text)(line, &recovery);
        return OK;
}
