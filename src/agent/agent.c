#include "agent/agent.h"

#include "agent/content.h"
#include "agent/heir.h"
#include "agent/refresh.h"
#include "agent/report.h"
#include "agent/reporting.h"
#include "agent/source_state.h"
#include "agent/stream.h"
#include "base/mem.h"
#include "platform/boot.h"
#include "platform/channel.h"
#include "platform/log_file.h"
#include "platform/disk_folder.h"
#include "platform/file.h"
#include "wire/device.h"

#include <inttypes.h>
#include <string.h>

enum {
        FIRST_PACE_MS = 1000,            /* before the server has named one */
        UPDATES_RETRY_MS = 60000,        /* to what they need and was not there */
        SAVE_RETRY_MS = 1000, SAVE_RETRY_MAX_MS = 600000,
        STOP_SPARE_MS = 1000,            /* for a killed engine to be gone */
        IDLE_STEP_MS = 20,               /* never spin, whatever a deadline says */
};

int64_t agent_steady_ms(const struct agent *agent)
{
        return agent->clock->ops->steady_ms(agent->clock);
}

int64_t agent_trusted_s(struct clock *clock)
{
        struct trusted_time time;
        trusted_time_init(&time);
        return trusted_time_s(&time, clock->ops->wall_s(clock));
}

int64_t agent_time_s(const struct agent *agent)
{
        return trusted_time_s(&agent->time, agent->clock->ops->wall_s(agent->clock));
}

int64_t agent_jitter_ms(const struct agent *agent, int64_t span_ms)
{
        uint32_t dice;
        agent->random->ops->fill(agent->random, &dice, sizeof(dice));
        return span_ms - span_ms / 4 + (int64_t)(dice % (uint64_t)(span_ms / 2 + 1));
}

void agent_note(const struct agent *agent, enum log_event event, const struct stream *stream, const char *text)
{
        if (stream)
                LOG(&agent->log, event, log_text("stream", stream->config->name), log_text("what", text));
        else
                LOG(&agent->log, event, log_text("what", text));
}

/* Root is what it should not be, where somebody else could be. */
static bool is_weak(const struct worker_state *state)
{
        const struct confined *confined = &state->confined;
        return state->lacks_unit || !confined->landlock || !confined->has_filter || confined->has_capabilities || !confined->user;
}

void agent_note_worker(struct agent *agent, enum worker worker, const struct worker_state *state)
{
        struct why why;
        char text[WORKER_TEXT_MAX];
        if (memcmp(&agent->states.each[worker], state, sizeof(*state)) == 0)
                return;
        agent->states.each[worker] = *state;
        worker_text(worker, state, text);
        agent_note(agent, is_weak(state) ? EVENT_UNCONFINED : EVENT_CONFINED, NULL, text);
        if (worker_states_write(agent->disk, &agent->states, &why))
                agent_note(agent, EVENT_DEVICE_TROUBLE, NULL, why.text);
}

/* Kept for `status`: when a release is there, and when a mirror is put aside, which is also said aloud. */
void agent_note_sources(struct agent *agent)
{
        struct sources *sources = caller_sources(agent->caller);
        const int64_t now_ms = agent_steady_ms(agent);
        struct source_news news;
        struct why why;
        char text[SOURCE_NAME_BYTES + 160];
        while (sources_news(sources, now_ms, &news)) {
                snprintf(text, sizeof(text), "%.100s: %s%s; not asked for %" PRId64 " s", agent->config->mirrors.items[news.source - 1], news.has_lied ? "other bytes than it should" : "failed: ",
                         news.has_lied ? "" : caller_reason(agent->caller, news.source), news.aside_ms / 1000);
                agent_note(agent, EVENT_MIRROR_ASIDE, NULL, text);
        }
        const struct source_states states = source_states_of(sources, agent->config->mirrors.items, now_ms, agent_time_s(agent));
        if (source_states_write(agent->disk, &states, &why))
                agent_note(agent, EVENT_DEVICE_TROUBLE, NULL, why.text);
}

bool agent_is_busy(const struct agent *agent)
{
        for (size_t i = 0; i < agent->stream_count; i++)
                if (life_is_busy(agent->streams[i].life))
                        return true;
        return false;
}

/* Harm is counted against what ran at the time, so two releases must not start at once. */
bool agent_may_ask(const struct agent *agent)
{
        return !agent_is_busy(agent) && !slots_report(agent->slots);
}

/* Oftener while on trial; never seldomer than the configuration says, whether the server is there or not. */
static int64_t pace_ms(const struct agent *agent)
{
        const struct agent_config *config = agent->config;
        int64_t pace = agent->pace_ms < config->poll_ms_max ? agent->pace_ms : config->poll_ms_max;
        return agent_is_busy(agent) && config->busy_poll_ms < pace ? config->busy_poll_ms : pace;
}

int64_t agent_again_ms(const struct agent *agent)
{
        int64_t now_ms = agent_steady_ms(agent);
        return caller_is_free(agent->caller, now_ms) ? now_ms + agent_jitter_ms(agent, pace_ms(agent)) : now_ms;
}

static void checkin_done(void *user, enum err e, const struct fetch_answer *answer)
{
        struct agent *agent = user;
        if (e || answer->status != 200) {
                agent_note(agent, EVENT_SERVER_AWAY, NULL, answer ? answer->text : "the fetcher ended");
                agent->checkin_at_ms = agent_again_ms(agent);
                return;
        }
        struct worker_state state;
        if (caller_state(agent->caller, &state))
                agent_note_worker(agent, WORKER_FETCH, &state);
        agent->pace_ms = answer->pace_ms;
        agent->checkin_at_ms = agent_steady_ms(agent) + agent_jitter_ms(agent, pace_ms(agent));
        if (!agent->has_called_in || answer->epoch != agent->epoch)
                refresh_want(agent->refresh);
        agent->has_called_in = true;
        agent->epoch = answer->epoch;
}

static void checkin_call(struct agent *agent)
{
        const struct wire_checkin checkin = { agent->epoch, agent_is_busy(agent) };
        OWN(buf) struct buf body;
        buf_init(&body, LIMIT_DEVICE_REQUEST_BYTES - 1);
        wire_checkin_write(&checkin, &body);
        agent->checkin_at_ms = INT64_MAX;
        caller_post(agent->caller, &(struct caller_post){ "/v1/checkin", buf_text(&body), FETCH_PACE, false }, checkin_done, agent);
}

/* One request at a time: what is dearest first. */
static void call(struct agent *agent, int64_t now_ms)
{
        if (!caller_is_free(agent->caller, now_ms))
                return;
        if (reporting_call(agent, now_ms))
                return;
        if (now_ms >= agent->checkin_at_ms) {
                checkin_call(agent);
                return;
        }
        if (refresh_call(agent->refresh))
                return;
        for (size_t i = 0; i < agent->stream_count; i++)
                if (stream_call(&agent->streams[i]))
                        return;
}

static int64_t sooner(int64_t a, int64_t b)
{
        return a < b ? a : b;
}

/* When to look again if nothing comes. What waits for something else than time (the caller to be free, a report to be gone, an offer)
 * has no time of its own: it is looked at after whatever happens. */
static int64_t wake_ms(const struct agent *agent, int64_t now_ms)
{
        int64_t wake = agent->caller ? caller_wake_ms(agent->caller) : agent->updates_at_ms;
        if (caller_is_free(agent->caller, now_ms)) {
                wake = sooner(wake, sooner(refresh_wake_ms(agent->refresh), agent->checkin_at_ms));
                if (slots_report(agent->slots))
                        wake = sooner(wake, agent->report_at_ms);
        }
        bool is_working = false;
        for (size_t i = 0; i < agent->stream_count; i++) {
                wake = sooner(wake, stream_wake_ms(&agent->streams[i]));
                is_working |= agent->streams[i].life == LIFE_UNPACKING || rechecking_holds(&agent->streams[i], now_ms);
        }
        if (slots_is_owed(agent->slots))
                wake = sooner(wake, agent->save_at_ms);
        wake = sooner(wake, heir_wake_ms(agent));
        int64_t least = now_ms + (is_working ? 0 : IDLE_STEP_MS);
        return wake < least ? least : wake;
}

/* What the disk would not take is offered to it again, seldomer and seldomer. */
static void save_owed(struct agent *agent, int64_t now_ms)
{
        const char *trouble = slots_take_trouble(agent->slots);
        if (trouble)
                agent_note(agent, EVENT_DEVICE_TROUBLE, NULL, trouble);
        if (!slots_is_owed(agent->slots)) {
                agent->save_pause_ms = agent->save_at_ms = 0;
                return;
        }
        if (now_ms < agent->save_at_ms)
                return;
        struct why why;
        int64_t pause = agent->save_pause_ms ? 2 * agent->save_pause_ms : SAVE_RETRY_MS;
        agent->save_pause_ms = pause < SAVE_RETRY_MAX_MS ? pause : SAVE_RETRY_MAX_MS;
        agent->save_at_ms = now_ms + agent->save_pause_ms;
        if (slots_save(agent->slots, &why))
                agent_note(agent, EVENT_DEVICE_TROUBLE, NULL, why.text);
}

bool agent_ends(struct agent *agent, int64_t wait_ms)
{
        int64_t until_ms = agent_steady_ms(agent) + wait_ms, left_ms = wait_ms;
        for (; !agent->ends && left_ms >= 0; left_ms = until_ms - agent_steady_ms(agent)) {
                bool ready = false;
                struct why why;
                if (channel_wait(&agent->signals, 1, left_ms, &ready, &why))
                        break;
                agent->ends = ready && channel_signals_take(agent->signals);      /* a child's end is a signal, too */
                if (!left_ms)
                        break;
        }
        return agent->ends;
}

static enum err wait(struct agent *agent, int64_t until_ms, struct why *why)
{
        enum { OTHERS = 2, FILES_MAX = OTHERS + 3 * LIMIT_STREAMS };
        int files[FILES_MAX] = { agent->signals, caller_file(agent->caller) };
        bool ready[FILES_MAX];
        _Static_assert(FILES_MAX <= (int)CHANNEL_WAIT_MAX, "one wait for all");
        const size_t probes = OTHERS + agent->stream_count, askings = probes + agent->stream_count;
        for (size_t i = 0; i < agent->stream_count; i++) {
                files[OTHERS + i] = agent->streams[i].murmur.read_end;
                files[probes + i] = probe_file(&agent->streams[i].probing.probe);
                files[askings + i] = agent->streams[i].asking.channel;
        }
        enum err e = channel_wait(files, askings + agent->stream_count, until_ms - agent_steady_ms(agent), ready, why);
        if (e)
                return e;
        for (size_t i = 0; i < agent->stream_count; i++) {
                if (ready[OTHERS + i] || ready[probes + i])
                        stream_listen(&agent->streams[i]);
                if (ready[askings + i])
                        asking_take(&agent->streams[i]);
        }
        agent->ends |= ready[0] && channel_signals_take(agent->signals);
        if (ready[1])
                caller_take(agent->caller);
        if (ready[1] && sources_have_news(caller_sources(agent->caller)))
                agent_note_sources(agent);
        return OK;
}

static bool are_engines_gone(struct agent *agent)
{
        bool are_gone = true;
        for (size_t i = 0; i < agent->stream_count; i++) {
                struct child_end end;
                stream_listen(&agent->streams[i]);
                (void)engine_died(&agent->streams[i].engine, agent_steady_ms(agent), &end);
                are_gone &= !agent->streams[i].engine.child.pid;
        }
        return are_gone;
}

/* Each in the time that it was given. */
enum err agent_end_engines(struct agent *agent, struct why *why)
{
        int64_t most = 0;
        for (size_t i = 0; i < agent->stream_count; i++) {
                stream_stop(&agent->streams[i]);
                if (agent->streams[i].config->engine.stop_ms > most)
                        most = agent->streams[i].config->engine.stop_ms;
        }
        int64_t until = agent_steady_ms(agent) + most + STOP_SPARE_MS;
        while (!are_engines_gone(agent) && agent_steady_ms(agent) < until) {
                bool ready;
                enum err e = channel_wait(&agent->signals, 1, 100, &ready, why);
                if (e)
                        return e;
                if (ready)
                        (void)channel_signals_take(agent->signals);
        }
        return OK;
}

/* Engines end first, then the record is told that this was planned. */
static enum err stop(struct agent *agent, struct why *why)
{
        enum err e = agent_end_engines(agent, why);
        if (e)
                return e;
        heir_stop(agent);
        return slots_stop(agent->slots, why);
}

/* Both pinned ones are sound, and what is left out of what was kept is said. */
static enum err anchors_ready(struct agent *agent, struct why *why)
{
        anchors_close(agent->anchors);
        agent->anchors = NULL;
        enum err e = anchors_open(agent->config->trust, agent->disk, &agent->anchors, why);
        for (unsigned repository = 0; !e && repository < BUNDLE_REPOSITORIES; repository++) {
                const char *text = anchors_passed_over(agent->anchors, (enum bundle_repository)repository);
                if (text)
                        agent_note(agent, EVENT_DEVICE_TROUBLE, NULL, text);
        }
        return e;
}

/* Whoever fetches owns the spool, and nothing else of the device. */
static enum err workers_ready(struct agent *agent, struct why *why)
{
        enum err e = workers_find(agent->config, &agent->workers, why);
        const struct user *user = workers_user(&agent->workers, WORKER_FETCH);
        snprintf(agent->spool, sizeof(agent->spool), "%s/spool", agent->config->state_dir);
        return e || !user ? e : user_give_folder(agent->spool, user, why);
}

static enum err updates_open(struct agent *agent, struct why *why)
{
        enum err e = file_check_own(agent->config->state_dir, why);
        if (!e)
                e = identity_load(agent->disk, &agent->identity, why);
        if (!e && !agent->identity.is_enrolled)
                e = FAIL(why, ERR_REFUSED, "enrolment was not finished; run `firebreak-agent enrol` again");
        if (!e)
                e = anchors_ready(agent, why);
        if (e)
                return e;
        identity_text(&agent->identity, agent->device);
        e = workers_ready(agent, why);
        if (e)
                return e;
        const struct caller_setup setup = {
                agent->config_path, &agent->identity, agent->clock, agent->random, agent->config->poll_ms_max, &agent->workers, agent->spool, agent->config->bandwidth.bytes_per_s, agent->config->mirrors.count,
        };
        return caller_new(&setup, &agent->caller, why);
}

/* What only updates need is no reason to leave an engine down. It may come: it is looked for again, and missed aloud once. */
static void updates_tick(struct agent *agent, int64_t now_ms)
{
        struct why why;
        if (agent->caller || now_ms < agent->updates_at_ms)
                return;
        enum err e = updates_open(agent, &why);
        if (!e) {
                agent_note(agent, EVENT_STARTED, NULL, agent->device);
        } else if (!agent->updates_at_ms) {
                char text[WHY_TEXT_MAX];
                snprintf(text, sizeof(text), "the engines run, but there are no updates until this is right: %.400s", why.text);
                agent_note(agent, EVENT_DEVICE_TROUBLE, NULL, text);
        }
        agent->updates_at_ms = now_ms + UPDATES_RETRY_MS;
}

static enum err loop(struct agent *agent, struct why *why)
{
        enum err e = OK;
        while (!e && !agent_ends(agent, 0)) {
                for (size_t i = 0; i < agent->stream_count; i++)
                        stream_tick(&agent->streams[i]);
                heir_tick(agent);
                int64_t now_ms = agent_steady_ms(agent);
                updates_tick(agent, now_ms);
                save_owed(agent, now_ms);
                caller_tick(agent->caller);
                call(agent, now_ms);
                e = wait(agent, wake_ms(agent, now_ms), why);
        }
        return e ? e : stop(agent, why);
}

static void stream_names(const struct agent_config *config, const char *names[LIMIT_STREAMS])
{
        for (size_t i = 0; i < config->streams.count; i++)
                names[i] = agent_config_stream(config, i)->name;
}

static void note_report(struct agent *agent, const struct slot_report *report)
{
        LOG(&agent->log, EVENT_RELEASE, log_text("stream", report->stream), log_text("what", report_line(report).text));
}

/* A fall-back is decided here, before any stream is there to say so. */
static void count_boot(struct agent *agent)
{
        uint64_t seen = slots_report_newest(agent->slots);
        slots_boot(agent->slots, agent->self.is_handed ? SLOT_START_HANDED : SLOT_START_SUPERVISOR, agent_time_s(agent));
        for (const struct slot_report *new; (new = slots_report_after(agent->slots, seen)); seen = new->seq)
                note_report(agent, new);
}

static enum err slots_ready(struct agent *agent, struct why *why)
{
        const char *names[LIMIT_STREAMS];
        stream_names(agent->config, names);
        size_t count = agent->config->streams.count;
        enum err e = slots_open(agent->disk, names, count, &agent->slots, why);
        if (e == ERR_SYNTAX) {
                agent_note(agent, EVENT_SLOTS_DAMAGED, NULL, why->text);
                e = slots_reset(&(struct slot_reset){ agent->disk, names, count, agent_time_s(agent) }, &agent->slots, why);
        }
        if (!e)
                count_boot(agent);
        return e;
}

/* One that cannot run is no reason to leave the others down. */
static enum err open_streams(struct agent *agent, struct why *why)
{
        agent->streams = mem_new(agent->config->streams.count, sizeof(*agent->streams));
        if (!agent->streams)
                return FAIL(why, ERR_NOMEM, "opening the streams");
        enum err e = OK;
        for (size_t i = 0; i < agent->config->streams.count; i++) {
                enum err bad = stream_open(agent, i, &agent->streams[agent->stream_count], why);
                if (!bad) {
                        agent->stream_count++;
                        continue;
                }
                e = DURING(why, bad, "stream %s is left out", agent_config_stream(agent->config, i)->name);
                agent_note(agent, EVENT_DEVICE_TROUBLE, NULL, why->text);
        }
        return agent->stream_count ? OK : e;
}

static enum err folders(struct agent *agent, struct why *why)
{
        static const char *const names[] = { "trust", "spool", "streams" };
        enum err e = OK;
        for (size_t i = 0; !e && i < sizeof(names) / sizeof(names[0]); i++)
                e = agent->disk->ops->make_folder(agent->disk, names[i], why);
        return e ? e : agent->disk->ops->sync_folder(agent->disk, "", why);
}

static enum err agent_init(struct agent *agent, struct why *why)
{
        struct why trouble;
        if (folders(agent, &trouble))
                agent_note(agent, EVENT_DEVICE_TROUBLE, NULL, trouble.text);
        if (trusted_time_read(&agent->time, agent->disk, &trouble))
                agent_note(agent, EVENT_DEVICE_TROUBLE, NULL, trouble.text);
        enum err e = slots_ready(agent, why);
        if (e)
                return e;
        heir_start(agent);
        e = refresh_open(agent, &agent->refresh, why);
        return e ? e : open_streams(agent, why);
}

static void agent_done(struct agent *agent)
{
        for (size_t i = 0; i < agent->stream_count; i++)
                stream_done(&agent->streams[i]);
        mem_free(agent->streams);
        heir_done(agent);
        refresh_close(agent->refresh);
        caller_free(agent->caller);
        anchors_close(agent->anchors);
        slots_close(agent->slots);
        identity_wipe(&agent->identity);
}

static int64_t log_now_ms(void *user)
{
        struct clock *clock = user;
        return clock->ops->wall_ms(clock);
}

/* Once, and a copy for children: a file that somebody edits must not make a probe of another one, and a release be blamed for it. */
static enum err read_config(const char *path, struct agent_config **ret_config, int *ret_copy, struct why *why)
{
        OWN(buf) struct buf bytes;
        struct why trouble;
        buf_init(&bytes, LIMIT_YAML_BYTES);
        enum err e = file_read(path, &bytes, why);
        if (e)
                return DURING(why, e, "reading the configuration");
        e = agent_config_parse(path, buf_text(&bytes), bytes.length, ret_config, why);
        if (!e && channel_memory(bytes.bytes, bytes.length, ret_copy, &trouble))
                *ret_copy = 0;
        return e;
}

/* Between two agents it is free for a moment, and may be the guard's or somebody's `recover`. */
static enum err take_lock(struct disk *disk, const char *handed, struct why *why)
{
        enum { TRIES = 100, PAUSE_MS = 50 };
        struct why unsaid;
        enum err e = disk_folder_lock(disk, why);
        for (int tries = 0; handed && e == ERR_BUSY && tries < TRIES; tries++) {
                (void)!channel_wait(NULL, 0, PAUSE_MS, NULL, &unsaid);
                e = disk_folder_lock(disk, why);
        }
        return e;
}

enum err agent_run(const char *config_path, const char *units, const char *handed, struct why *why)
{
        OWN(agent_config) struct agent_config *config = NULL;
        OWN(disk_folder) struct disk *disk = NULL;
        int signals, copy = 0;
        enum err e = read_config(config_path, &config, &copy, why);
        if (!e)
                e = disk_folder_open(config->state_dir, &disk, why);
        if (!e)
                e = take_lock(disk, handed, why);
        if (!e)
                e = channel_signals(&signals, why);
        if (e)
                return e;
        struct agent agent = {
                .config_path = config_path, .config_copy = copy, .config = config, .disk = disk, .clock = clock_system(), .random = random_system(),
                .pace_ms = FIRST_PACE_MS, .boot = boot_number(), .signals = signals, .workers.units = units,
        };
        log_init(&agent.log, log_now_ms, agent.clock);
        trusted_time_init(&agent.time);
        FILE *lines = log_file_open();
        if (lines)
                agent.log.to = lines;
        e = log_configure(&agent.log, getenv("FIREBREAK_LOG"), why);
        if (e) {
                e = DURING(why, e, "FIREBREAK_LOG");
                agent_note(&agent, EVENT_DEVICE_TROUBLE, NULL, why->text);
        }
        e = self_open(&agent, handed, why);
        if (!e)
                e = agent_init(&agent, why);
        if (!e)
                e = loop(&agent, why);
        agent_done(&agent);
        if (lines)
                fclose(lines);
        channel_close(signals);
        channel_close(copy ? copy : -1);
        return e;
}
