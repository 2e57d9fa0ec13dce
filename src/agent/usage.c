#include "agent/usage.h"

#include "agent/stream.h"

enum { LEAST_MS = 1000 };        /* between two samples */

struct past_path { char text[sizeof("streams//past") + SLOT_NAME_BYTES]; };
static struct past_path past_path(const struct stream *stream)
{
        struct past_path path;
        snprintf(path.text, sizeof(path.text), "streams/%s/past", stream->config->name);
        return path;
}

static const struct agent_resources *find_limits(const struct agent_stream_config *config)
{
        for (size_t i = 0; i < config->probes.count; i++)
                if (agent_config_probe(config, i)->kind == PROBE_RESOURCES)
                        return &agent_config_probe(config, i)->resources;
        return NULL;
}

void usage_open(struct stream *stream)
{
        struct usage *usage = &stream->usage;
        struct disk *disk = stream->agent->disk;
        struct why why;
        OWN(buf) struct buf bytes;
        buf_init(&bytes, 4096);
        *usage = (struct usage){ .limits = find_limits(stream->config) };
        if (usage->limits && disk->ops->read(disk, past_path(stream).text, &bytes, &why) == OK && past_unpack(bytes.bytes, bytes.length, &usage->past))
                usage->kept = usage->past;
}

void usage_begin(struct stream *stream)
{
        stream->usage.begun_ms = stream->usage.ended_ms = 0;
        stream->usage.watch = (struct past_watch){ 0 };
}

static int64_t for_ms(const struct usage *usage)
{
        return usage->limits->for_s * 1000;
}

static int64_t part_ms(const struct usage *usage)
{
        int64_t part = for_ms(usage) / PAST_PARTS;
        return part < LEAST_MS ? LEAST_MS : part;
}

/* False: it is not there, and no window is open. */
static bool sample(struct stream *stream, struct process_usage *ret_now)
{
        struct why why;
        struct usage *usage = &stream->usage;
        int pid = engine_pid(&stream->engine);
        bool is_same = pid == usage->pid;
        usage->pid = pid;
        if (!pid || process_usage(pid, ret_now, &why))
                return false;
        return is_same || !usage->begun_ms;
}

static void open_window(struct stream *stream, int64_t now_ms)
{
        struct usage *usage = &stream->usage;
        if (sample(stream, &usage->begin))
                usage->begun_ms = now_ms;
}

/* True when it was one: of one process, and not so long that the device must have slept. None is open after it. */
static bool close_window(struct stream *stream, int64_t now_ms, int64_t wanted_ms, struct past_window *ret_window)
{
        struct usage *usage = &stream->usage;
        struct process_usage now;
        bool is_there = sample(stream, &now) && now.start == usage->begin.start;
        int64_t length_ms = now_ms - usage->begun_ms;
        usage->begun_ms = 0;
        if (!is_there || length_ms > 2 * wanted_ms + LEAST_MS)
                return false;
        uint64_t cpu_ms = now.cpu_ms > usage->begin.cpu_ms ? now.cpu_ms - usage->begin.cpu_ms : 0;
        *ret_window = (struct past_window){ { cpu_ms * 1000 / (uint64_t)length_ms, now.memory_kib }, length_ms };
        return true;
}

static void keep(struct stream *stream)
{
        struct usage *usage = &stream->usage;
        struct disk *disk = stream->agent->disk;
        struct why why;
        if (!past_is_news(&usage->past, &usage->kept))
                return;
        const struct past_record record = past_pack(&usage->past);
        usage->kept = usage->past;               /* what a disk does not take is offered again with the next news */
        if (disk->ops->replace(disk, past_path(stream).text, &record, sizeof(record), &why))
                agent_note(stream->agent, EVENT_DEVICE_TROUBLE, stream, why.text);
}

static bool is_settled(const struct stream *stream)
{
        return engine_is_alive(&stream->engine) && !stream->load_by_ms && !stream->settles_by_ms;
}

/* After a window's end no other one begins in the same breath: else each would wake the device for the next. */
static void gather(struct stream *stream, int64_t now_ms)
{
        struct usage *usage = &stream->usage;
        struct past_window window;
        if (!is_settled(stream)) {
                usage->begun_ms = 0;
        } else if (!usage->begun_ms) {
                if (!usage->ended_ms || now_ms >= usage->ended_ms + part_ms(usage))
                        open_window(stream, now_ms);
        } else if (now_ms >= usage->begun_ms + for_ms(usage)) {
                int64_t since_ms = usage->ended_ms ? usage->ended_ms : usage->begun_ms;
                bool is_one = close_window(stream, now_ms, for_ms(usage), &window);
                usage->ended_ms = now_ms;
                if (!is_one)
                        return;
                past_add(&usage->past, &window.use, now_ms - since_ms);
                keep(stream);
        }
}

static void judge(struct stream *stream, int64_t now_ms)
{
        struct usage *usage = &stream->usage;
        struct past_window window;
        const struct past_use most = past_most(&usage->past);
        char text[PAST_TEXT_BYTES], line[SLOT_DETAIL_BYTES];
        if (!close_window(stream, now_ms, part_ms(usage), &window)) {
                usage->watch.cpu_ms = usage->watch.memory_ms = 0;
        } else if (past_judge(&usage->watch, usage->limits, &most, &window, text)) {
                snprintf(line, sizeof(line), "probe resources: %.78s", text);
                stream_harm(stream, SLOT_RESOURCE, line);
                return;
        }
        open_window(stream, now_ms);
}

static void watch(struct stream *stream, int64_t now_ms)
{
        struct usage *usage = &stream->usage;
        if (!stream->is_loaded) {
                usage_begin(stream);
        } else if (!past_is_enough(&usage->past)) {
                if (!usage->is_told)
                        agent_note(stream->agent, EVENT_RELEASE, stream, "probe resources: too little is known of the engine's past, so it is not judged by it");
                usage->is_told = true;
        } else if (!usage->begun_ms) {
                open_window(stream, now_ms);
        } else if (now_ms >= usage->begun_ms + part_ms(usage)) {
                judge(stream, now_ms);
        }
}

void usage_tick(struct stream *stream, int64_t now_ms)
{
        struct usage *usage = &stream->usage;
        if (!usage->limits)
                return;
        if (usage->is_trial != life_is_busy(stream->life))
                usage_begin(stream);
        usage->is_trial = life_is_busy(stream->life);
        if (usage->is_trial)
                watch(stream, now_ms);
        else
                gather(stream, now_ms);
}

int64_t usage_wake_ms(const struct stream *stream)
{
        const struct usage *usage = &stream->usage;
        if (!usage->limits || !usage->begun_ms)
                return INT64_MAX;
        return usage->begun_ms + (life_is_busy(stream->life) ? part_ms(usage) : for_ms(usage));
}

bool usage_is_well(const struct stream *stream)
{
        const struct usage *usage = &stream->usage;
        return !usage->limits || !past_is_enough(&usage->past) || (usage->watch.windows && !past_is_over(&usage->watch));
}
