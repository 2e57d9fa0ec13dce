#include "agent/preflight.h"

#include "agent/content.h"
#include "agent/engine.h"
#include "platform/channel.h"
#include "platform/sandbox.h"

#include <string.h>

enum { FILE_BYTES = 1 << 20, TEMPORARY_BYTES = 64 << 20, FILES = 256, OUTPUT_BYTES = 4096, STANDARD_OUTPUT = 1 };

enum err preflight_start(const struct preflight_of *of, struct preflight *ret_preflight, struct why *why)
{
        int ends[2];
        enum err e = channel_open(ends, why);
        if (e)
                return e;
        const char *const argv[] = { child_self, "preflight", "--config", of->config_copy ? child_input : of->config_path, "--config-path", of->config_path, "--stream", of->stream, "--slot", slot_name(of->slot), NULL };
        e = child_start(&(struct child_setup){ .argv = argv, .input = of->config_copy ? of->config_copy : -1, .output = ends[1], .errors = -1, .user = of->user }, &ret_preflight->child, why);
        channel_close(ends[1]);
        if (e)
                channel_close(ends[0]);
        else
                ret_preflight->channel = ends[0];
        return e;
}

void preflight_kill(struct preflight *preflight)
{
        if (!preflight->child.pid)
                return;
        child_kill(&preflight->child);
        channel_close(preflight->channel);
}

static enum err verdict_of_exit(int code)
{
        static const enum err known[] = { OK, ERR_CONTENT, ERR_BUSY };
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
                if (code == err_info(known[i])->exit)
                        return known[i];
        return ERR_IO;
}

bool preflight_ended(struct preflight *preflight, enum err *ret_verdict, char text[PREFLIGHT_TEXT_BYTES])
{
        struct child_end end;
        if (!preflight->child.pid || !child_ended(&preflight->child, &end))
                return false;
        size_t length = 0;
        struct why why;
        if (channel_receive(preflight->channel, text, PREFLIGHT_TEXT_BYTES - 1, &length, &why))
                length = (size_t)snprintf(text, PREFLIGHT_TEXT_BYTES, "preflight ended without a word");
        text[length] = 0;
        channel_close(preflight->channel);
        *ret_verdict = end.is_signal ? ERR_IO : verdict_of_exit(end.code);
        return true;
}

/* Only what a program says of its content is final: its exit codes below those of the system (sysexits.h), and its own crash. Killed
 * from outside (the kernel is short of memory, somebody shuts down), or slow without having worked (a device that slept, that
 * swaps): that is this moment's fault, and it is tried again later. */
static enum err verdict_of(const struct sandbox_result *result, int64_t wall_ms)
{
        enum { SIGNAL_KILL = 9, SIGNAL_TERM = 15, SYSTEM_EXITS = 64 };
        if (result->is_timeout)
                return result->cpu_ms >= wall_ms / 2 ? ERR_CONTENT : ERR_BUSY;
        if (result->is_signal)
                return result->code == SIGNAL_KILL || result->code == SIGNAL_TERM ? ERR_BUSY : ERR_CONTENT;
        return result->code == 0 ? OK : result->code >= SYSTEM_EXITS ? ERR_BUSY : ERR_CONTENT;
}

static enum err say(const char *text, struct why *why)
{
        size_t length = strlen(text);
        return channel_send(STANDARD_OUTPUT, text, length < PREFLIGHT_TEXT_BYTES ? length : PREFLIGHT_TEXT_BYTES - 1, why);
}

static enum err run(const struct agent_stream_config *stream, const struct engine_command *command, struct why *why)
{
        const struct sandbox_run what = {
                .argv = command->argv,
                .limits = {
                        .wall_ms = stream->preflight_ms, .cpu_s = (uint64_t)stream->preflight_ms / 1000 + 1, .file_bytes = FILE_BYTES, .files = FILES, .temporary_bytes = TEMPORARY_BYTES,
                        .may_start_processes = true, .may_set_up_network = stream->preflight_network,
#ifndef __SANITIZE_ADDRESS__
                        .memory_bytes = (uint64_t)stream->preflight_memory_mb << 20,            /* shadow memory alone is terabytes */
#endif
                },
        };
        OWN(sandbox_result) struct sandbox_result result;
        char ended[48], walls[SANDBOX_WALLS_TEXT_MAX], text[2 * PREFLIGHT_TEXT_BYTES];
        sandbox_result_init(&result, OUTPUT_BYTES);
        enum err e = sandbox_run(&what, &result, why);
        struct why unsaid;
        if (e) {
                (void)!say(why->text, &unsaid);
                return e;
        }
        sandbox_end_text(&what, &result, ended, sizeof(ended));
        sandbox_walls_text(result.walls, walls);
        snprintf(text, sizeof(text), "%s; walls: %s", ended, walls);
        e = say(text, why);
        enum err verdict = verdict_of(&result, stream->preflight_ms);
        return e || !verdict ? e : FAIL(why, verdict, "preflight: %s", ended);
}

enum err preflight_main(const struct preflight_of *of, struct why *why)
{
        OWN(agent_config) struct agent_config *config = NULL;
        enum err e = agent_config_open(of->config_path, &config, why);
        if (e)
                return e;
        const struct agent_stream_config *stream = agent_config_find(config, of->stream);
        if (!stream || !stream->preflight.count)
                return FAIL(why, ERR_USAGE, "stream %s has no preflight", of->stream);
        char folder[1024], current[CONTENT_CURRENT_BYTES], candidate[1200];
        snprintf(folder, sizeof(folder), "%s/streams/%s", config->state_dir, of->stream);
        content_current(config->state_dir, of->stream, current);
        snprintf(candidate, sizeof(candidate), "%s/%s", config->state_dir, content_slot(of->stream, of->slot).text);
        struct engine_command command;
        e = engine_command(&stream->preflight, &(struct engine_words){ folder, current, candidate, of->config_name }, &command, why);
        return e ? e : run(stream, &command, why);
}
