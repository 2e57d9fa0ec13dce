#include "agent/agent.h"
#include "agent/asked.h"
#include "agent/back.h"
#include "agent/command.h"
#include "agent/policy_facts.h"
#include "agent/source_state.h"
#include "base/utc.h"
#include "format/json.h"
#include "platform/channel.h"
#include "platform/clock.h"
#include "platform/disk_folder.h"
#include "platform/local.h"

#include <inttypes.h>
#include <string.h>

struct status { struct disk *disk; const struct slots *slots; const char *device; const struct agent_config *config; };

/* When the device goes back from what runs in a stream, because it was withdrawn; 0: it does not. */
static int64_t goes_back_s(const struct status *status, size_t i)
{
        const struct slot_stream *now = slots_stream(status->slots, i);
        const struct slot_release *release = slots_in(status->slots, i, (enum slot_id)now->current);
        struct withdrawal withdrawal;
        if (!back_read(status->disk, now->name, &withdrawal) || withdrawal.counter != release->counter)
                return 0;
        return back_moment_ms(&withdrawal, release, status->device, agent_trusted_s(clock_system())) / 1000;
}

/* What the breaker of a stream says of itself since it was started; false: it has none, or there is no answer. */
struct counts { uint64_t asked, allowed, denied, known; };
static bool read_counts(const struct status *status, size_t i, struct counts *ret_counts)
{
        enum { WAIT_MS = 500, LINE_BYTES = 256 };
        const struct agent_stream_config *stream = agent_config_find(status->config, slots_stream(status->slots, i)->name);
        char line[LINE_BYTES] = "";
        size_t length = 0;
        struct why why;
        bool is_ready = false;
        int end = -1;
        if (!stream || !stream->breaker.socket || local_connect(stream->breaker.socket, &end, &why))
                return false;
        if (local_give(end, asked_counts, sizeof(asked_counts)) && !channel_wait(&end, 1, WAIT_MS, &is_ready, &why) && is_ready)
                (void)local_take(end, line, sizeof(line) - 1, &length);
        channel_close(end);
        return sscanf(line, "counts asked=%" SCNu64 " allowed=%" SCNu64 " denied=%" SCNu64 " known=%" SCNu64, &ret_counts->asked, &ret_counts->allowed,
                      &ret_counts->denied, &ret_counts->known) == 4;
}

static struct json *breaker_json(const struct status *status, size_t i)
{
        struct counts counts;
        if (!read_counts(status, i, &counts))
                return json_new_null();
        struct json *json = json_new_object();
        json_set_int(json, "asked", (int64_t)counts.asked);
        json_set_int(json, "allowed", (int64_t)counts.allowed);
        json_set_int(json, "denied", (int64_t)counts.denied);
        json_set_int(json, "platform_names", (int64_t)counts.known);
        return json;
}

/* What the owner's policy says to a newer release now; the supervisor need not run. False: nothing is held. */
static bool read_hold(const struct status *status, size_t i, struct policy_answer *ret_answer, enum policy_step *ret_step)
{
        const struct slot_stream *now = slots_stream(status->slots, i);
        const struct agent_stream_config *stream = agent_config_find(status->config, now->name);
        if (!stream || !stream->policy.is_given)
                return false;
        struct policy_machine machine;
        const int64_t now_s = agent_trusted_s(clock_system());
        policy_look(&stream->policy, now_s, &machine);
        struct policy_facts facts = policy_facts(&machine, now_s);
        facts.running = slots_in(status->slots, i, (enum slot_id)now->current)->counter;
        facts.offered = facts.newest = UINT64_MAX;
        for (*ret_step = POLICY_FETCH; *ret_step <= POLICY_BEGIN; ++*ret_step) {
                *ret_answer = policy_decide(&stream->policy.rules, &facts, *ret_step);
                if (ret_answer->hold != WIRE_HOLD_NONE)
                        return true;
        }
        return false;
}

static struct json *hold_json(const struct status *status, size_t i)
{
        struct policy_answer answer;
        enum policy_step step;
        if (!read_hold(status, i, &answer, &step))
                return json_new_null();
        struct json *json = json_new_object();
        json_set_text(json, "reason", wire_hold_word(answer.hold));
        json_set(json, "until", answer.until_s == CALENDAR_NEVER ? json_new_null() : json_new_int(answer.until_s));
        json_set_bool(json, "fetches", step == POLICY_BEGIN);
        return json;
}

static void print_hold(const struct status *status, size_t i)
{
        struct policy_answer answer;
        enum policy_step step;
        char text[POLICY_TEXT_BYTES];
        if (!read_hold(status, i, &answer, &step))
                return;
        policy_text(&agent_config_find(status->config, slots_stream(status->slots, i)->name)->policy.rules, &answer, text);
        printf("; a newer release is %s", text);
}

static struct json *slot_json(const struct slots *slots, size_t i, enum slot_id slot)
{
        struct json *json = json_new_object();
        json_set_text(json, "slot", slot_name(slot));
        json_set_int(json, "counter", (int64_t)slots_in(slots, i, slot)->counter);
        if (slot < SLOT_FACTORY)
                json_set_text(json, "state", slot_state_name((enum slot_state)slots_stream(slots, i)->state[slot]));
        return json;
}

static struct json *stream_json(const struct status *status, size_t i)
{
        const struct slots *slots = status->slots;
        int64_t back_s = goes_back_s(status, i);
        const struct slot_stream *now = slots_stream(slots, i);
        struct json *json = json_new_object(), *denied = json_new_array();
        json_set_text(json, "stream", now->name);
        json_set(json, "current", slot_json(slots, i, (enum slot_id)now->current));
        json_set(json, "last_good", slot_json(slots, i, (enum slot_id)now->last_good));
        json_set_bool(json, "on_trial", slots_on_trial(slots, i));
        json_set_bool(json, "safe_mode", now->current == SLOT_NONE);
        json_set(json, "goes_back_at", back_s ? json_new_int(back_s) : json_new_null());
        for (unsigned k = 0; k < now->denied_count; k++)
                json_add(denied, json_new_int((int64_t)now->denied[k]));
        json_set(json, "given_up", denied);
        json_set_int(json, "starts", (int64_t)now->counters.starts);
        json_set_int(json, "crashes", (int64_t)now->counters.crashes);
        json_set_int(json, "fallbacks", (int64_t)now->counters.fallbacks);
        json_set_int(json, "proven", (int64_t)now->counters.proven);
        json_set(json, "breaker", breaker_json(status, i));
        json_set(json, "held", hold_json(status, i));
        return json;
}

static struct json *process_json(enum worker worker, const struct worker_state *state)
{
        const struct confined *confined = &state->confined;
        struct json *json = json_new_object();
        json_set_text(json, "process", worker_name(worker));
        json_set_bool(json, "unit", state->is_unit);
        json_set_int(json, "user", confined->user);
        json_set_int(json, "landlock", confined->landlock);
        json_set_bool(json, "system_calls_limited", confined->has_filter);
        json_set_bool(json, "capabilities", confined->has_capabilities);
        return json;
}

static struct json *processes_json(struct disk *disk)
{
        struct json *json = json_new_array();
        struct worker_states states;
        worker_states_read(disk, &states);
        for (enum worker worker = 0; worker < WORKERS; worker++)
                if (states.each[worker].is_known)
                        json_add(json, process_json(worker, &states.each[worker]));
        return json;
}

static struct json *source_json(const struct source_state *state)
{
        struct json *json = json_new_object();
        json_set_text(json, "source", state->name[0] ? state->name : "server");
        json_set_int(json, "bytes", (int64_t)state->bytes);
        json_set_int(json, "failures", state->failures);
        json_set_int(json, "wrong", state->lies);
        json_set(json, "aside_until", state->aside_until_s > agent_trusted_s(clock_system()) ? json_new_int(state->aside_until_s) : json_new_null());
        return json;
}

static struct json *fetched_json(const struct status *status)
{
        struct json *json = json_new_object(), *from = json_new_array();
        struct source_states states;
        source_states_read(status->disk, &states);
        for (size_t i = 0; i < states.count; i++)
                json_add(from, source_json(&states.each[i]));
        const int64_t limit = status->config->bandwidth.bytes_per_s;
        json_set(json, "bytes_per_s_max", limit ? json_new_int(limit) : json_new_null());
        json_set(json, "from", from);
        return json;
}

static enum err print_json(const struct status *status, struct why *why)
{
        OWN(json) struct json *json = json_new_object();
        struct json *streams = json_new_array();
        for (size_t i = 0; i < slots_count(status->slots); i++)
                json_add(streams, stream_json(status, i));
        json_set_text(json, "device", status->device);
        json_set_int(json, "reports_waiting", (int64_t)slots_report_count(status->slots));
        json_set(json, "streams", streams);
        json_set(json, "fetched", fetched_json(status));
        json_set(json, "processes", processes_json(status->disk));
        OWN(buf) struct buf text;
        buf_init(&text, 1 << 20);
        enum err e = json_write(json, 2, &text, why);
        if (!e)
                puts(buf_text(&text));
        return e;
}

static void print_back(const struct status *status, size_t i)
{
        int64_t back_s = goes_back_s(status, i);
        char moment[21];
        utc_text_s(back_s, moment);
        if (back_s)
                printf("; withdrawn, goes back at %s", moment);
}

static void print_breaker(const struct status *status, size_t i)
{
        struct counts counts;
        if (read_counts(status, i, &counts))
                printf("; breaker asked %" PRIu64 " times, denied %" PRIu64, counts.asked, counts.denied);
}

static void print_text(const struct status *status)
{
        const struct slots *slots = status->slots;
        const char *device = status->device;
        size_t waiting = slots_report_count(slots);
        printf("device %s, %zu %s to be sent\n", device[0] ? device : "is not enrolled", waiting, waiting == 1 ? "report waits" : "reports wait");
        for (size_t i = 0; i < slots_count(slots); i++) {
                const struct slot_stream *now = slots_stream(slots, i);
                enum slot_id current = (enum slot_id)now->current, good = (enum slot_id)now->last_good;
                printf("%s: release %" PRIu64 " in slot %s%s, last good %" PRIu64 " in %s", now->name, slots_in(slots, i, current)->counter,
                       slot_name(current), slots_on_trial(slots, i) ? " on trial" : "", slots_in(slots, i, good)->counter, slot_name(good));
                printf("; %" PRIu64 " crashes, %" PRIu64 " fall-backs, %" PRIu64 " proven", now->counters.crashes, now->counters.fallbacks,
                       now->counters.proven);
                for (unsigned k = 0; k < now->denied_count; k++)
                        printf("%s%" PRIu64, k ? " " : "; given up: ", now->denied[k]);
                print_back(status, i);
                print_breaker(status, i);
                print_hold(status, i);
                printf("%s\n", current == SLOT_NONE ? "; SAFE MODE: the engine runs without content" : "");
        }
}

/* As it was when a release was there last, or a mirror was put aside. */
static void print_fetched(const struct status *status)
{
        struct source_states states;
        char moment[21];
        source_states_read(status->disk, &states);
        for (size_t i = 0; i < states.count; i++) {
                const struct source_state *state = &states.each[i];
                printf("fetched %" PRIu64 " bytes from %s", state->bytes, state->name[0] ? state->name : "the server");
                if (state->failures + state->lies)
                        printf("; failed %" PRIu32 " times, gave wrong bytes %" PRIu32 " times", state->failures, state->lies);
                utc_text_s(state->aside_until_s, moment);
                if (state->aside_until_s > agent_trusted_s(clock_system()))
                        printf("; not asked until %s", moment);
                printf("\n");
        }
        if (status->config->bandwidth.bytes_per_s)
                printf("fetches at most %" PRId64 " bytes a second\n", status->config->bandwidth.bytes_per_s);
}

/* As they were heard last, perhaps by a supervisor that has ended since. */
static void print_processes(struct disk *disk)
{
        struct worker_states states;
        char text[WORKER_TEXT_MAX];
        worker_states_read(disk, &states);
        for (enum worker worker = 0; worker < WORKERS; worker++) {
                if (!states.each[worker].is_known)
                        continue;
                worker_text(worker, &states.each[worker], text);
                printf("%s\n", text);
        }
}

static enum err open_slots(const struct agent_config *config, struct disk *disk, struct slots **ret_slots, struct why *why)
{
        const char *names[LIMIT_STREAMS];
        for (size_t i = 0; i < config->streams.count; i++)
                names[i] = agent_config_stream(config, i)->name;
        return slots_open(disk, names, config->streams.count, ret_slots, why);
}

enum err cmd_status(const struct command_line *line, struct why *why)
{
        OWN(agent_config) struct agent_config *config = NULL;
        OWN(disk_folder) struct disk *disk = NULL;
        OWN(slots) struct slots *slots = NULL;
        struct identity identity;
        char device[33] = "";
        enum err e = agent_config_open(line->config, &config, why);
        if (e)
                return e;
        e = disk_folder_find(config->state_dir, NULL, &disk, why);
        if (e == ERR_NOT_FOUND)
                return DURING(why, e, "this device is not enrolled; run `firebreak-agent enrol`");
        if (!e)
                e = open_slots(config, disk, &slots, why);
        if (e)
                return e;
        e = identity_load(disk, &identity, why);
        if (!e && identity.is_enrolled)
                identity_text(&identity, device);
        if (e && e != ERR_NOT_FOUND)
                return e;
        identity_wipe(&identity);
        const struct status status = { disk, slots, device, config };
        if (line->is_json)
                return print_json(&status, why);
        print_text(&status);
        print_fetched(&status);
        print_processes(disk);
        return OK;
}
