#include "agent/probe.h"

#include "agent/content.h"
#include "agent/probe_kinds.h"

#include <string.h>

enum { MEMORY_BYTES = 512 << 20, FILE_BYTES = 1, FILES = 64, WORD_BYTES = 256 };

/* What no row has, the supervisor sees to itself. */
static const struct { probe_look *look; bool has_before; } looks[PROBE_KINDS] = {
        [PROBE_HTTP] = { probe_look_http, false }, [PROBE_HASH] = { probe_look_hash, false },
        [PROBE_UNIT] = { probe_look_unit, true },  [PROBE_FILES] = { probe_look_files, true },
};

static enum err start_command(const struct probe_of *of, struct probe *probe, struct why *why)
{
        struct engine_command command;
        enum err e = engine_command(&of->probe->command, of->words, &command, why);
        const int end = probe->said.write_end;
        return e ? e : child_start(&(struct child_setup){ command.argv, -1, end, end, NULL, NULL, NULL }, &probe->child, why);
}

static enum err start_ours(const struct probe_of *of, struct probe *probe, struct why *why)
{
        char number[24];
        snprintf(number, sizeof(number), "%zu", of->number);
        const char *argv[12] = { child_self, "probe", "--config", of->config_copy ? child_input : of->config_path, "--stream", of->stream, "--number", number };
        if (of->is_before) {
                argv[8] = "--before";
        } else if (of->was && of->was[0]) {
                argv[8] = "--was";
                argv[9] = of->was;
        }
        const struct child_limits limits = { .cpu_s = (uint64_t)of->probe->timeout_ms / 1000 + 1, .memory_bytes = MEMORY_BYTES, .file_bytes = FILE_BYTES, .files = FILES };
        return child_start(&(struct child_setup){ argv, of->config_copy ? of->config_copy : -1, probe->said.write_end, of->errors, &limits, NULL, NULL }, &probe->child, why);
}

enum err probe_start(const struct probe_of *of, int64_t now_ms, struct probe *probe, struct why *why)
{
        *probe = (struct probe){ .kind = of->probe->kind, .until_ms = now_ms + of->probe->timeout_ms };
        enum err e = murmur_open(&probe->said, why);
        if (e)
                return e;
        e = probe->kind == PROBE_COMMAND ? start_command(of, probe, why) : start_ours(of, probe, why);
        if (e)
                murmur_close(&probe->said);
        return e;
}

int probe_file(const struct probe *probe)
{
        return probe->child.pid ? probe->said.read_end : -1;
}

/* Somebody reads it in a report, on a terminal perhaps. */
static void keep_line(struct probe *probe, const char *line)
{
        size_t length = 0;
        if (probe->line[0])
                return;
        for (const char *at = line; *at && length < sizeof(probe->line) - 1; at++)
                probe->line[length++] = *at >= ' ' && *at <= '~' ? *at : *at == '\t' ? ' ' : '?';
        probe->line[length] = 0;
}

struct hearing { struct probe *probe; murmur_say *say; void *user; };

static void hear(void *user, const char *line)
{
        const struct hearing *hearing = user;
        keep_line(hearing->probe, line);
        if (hearing->say && hearing->probe->kind == PROBE_COMMAND)
                hearing->say(hearing->user, line);
}

void probe_listen(struct probe *probe, int64_t now_ms, murmur_say *say, void *user)
{
        struct hearing hearing = { probe, say, user };
        if (probe->child.pid)
                murmur_take(&probe->said, now_ms, hear, &hearing);
}

static void done(struct probe *probe)
{
        murmur_close(&probe->said);
        probe->child.pid = 0;
}

/* "probe: exit 3: no connection to clamd"; ours say by themselves what kind they are of. */
static void describe(const struct probe *probe, const char *how, char text[SLOT_DETAIL_BYTES])
{
        const char *line = probe->line;
        if (probe->kind == PROBE_COMMAND)
                snprintf(text, SLOT_DETAIL_BYTES, "probe: %s%s%.70s", how, line[0] ? ": " : "", line);
        else if (line[0])
                snprintf(text, SLOT_DETAIL_BYTES, "%s", line);
        else
                snprintf(text, SLOT_DETAIL_BYTES, "probe %s: %s", agent_probe_kind_name(probe->kind), how);
}

/* What was written since the last look, and a last line that nobody ended. */
static void hear_rest(struct probe *probe, int64_t now_ms)
{
        struct hearing hearing = { probe, NULL, NULL };
        murmur_take(&probe->said, now_ms, hear, &hearing);
        probe->said.line[probe->said.length] = 0;
        keep_line(probe, probe->said.line);
}

bool probe_ended(struct probe *probe, int64_t now_ms, struct probe_end *ret_end)
{
        struct child_end end;
        char how[32] = "took too long";
        bool has_ended = probe->child.pid && child_ended(&probe->child, &end);
        if (!has_ended && (!probe->child.pid || now_ms < probe->until_ms))
                return false;
        if (has_ended)
                child_end_text(&end, how, sizeof(how));
        else
                child_kill(&probe->child);
        hear_rest(probe, now_ms);
        ret_end->has_passed = has_ended && !end.is_signal && !end.code;
        describe(probe, how, ret_end->text);
        done(probe);
        return true;
}

void probe_kill(struct probe *probe)
{
        if (!probe->child.pid)
                return;
        child_kill(&probe->child);
        done(probe);
}

static enum err find_paths(const struct agent_config *config, const struct probe_of *of, const struct agent_probe *probe, struct engine_command *ret_paths, struct why *why)
{
        char folder[1024], current[CONTENT_CURRENT_BYTES];
        const struct yaml_texts one = { 1, (const char **)&probe->hash.file }, *paths = probe->kind == PROBE_HASH ? &one : &probe->files;
        snprintf(folder, sizeof(folder), "%s/streams/%s", config->state_dir, of->stream);
        content_current(config->state_dir, of->stream, current);
        return engine_command(paths, &(struct engine_words){ folder, current, NULL, NULL }, ret_paths, why);
}

static void say(const char *name, const char *text)
{
        printf("probe %s: %s\n", name, text);
        (void)fflush(stdout);
}

static enum err look(const struct probe_of *of, const struct agent_probe *probe, const struct engine_command *paths, struct why *why)
{
        OWN(buf) struct buf word;
        buf_init(&word, WORD_BYTES);
        const struct probe_task task = { .probe = probe, .paths = paths->argv, .was = of->was, .before = of->is_before ? &word : NULL };
        enum err e = looks[probe->kind].look(&task, why);
        if (e)
                say(agent_probe_kind_name(probe->kind), why->text);
        else if (of->is_before)
                printf("%s\n", buf_text(&word));
        return e ? DURING(why, e, "probe %s", agent_probe_kind_name(probe->kind)) : OK;
}

enum err probe_main(const struct probe_of *of, struct why *why)
{
        OWN(agent_config) struct agent_config *config = NULL;
        enum err e = agent_config_open(of->config_path, &config, why);
        if (e)
                return e;
        const struct agent_stream_config *stream = agent_config_find(config, of->stream);
        if (!stream || of->number >= stream->probes.count)
                return FAIL(why, ERR_USAGE, "stream %s has no probe %zu", of->stream, of->number);
        const struct agent_probe *probe = agent_config_probe(stream, of->number);
        if (!looks[probe->kind].look || (of->is_before && !looks[probe->kind].has_before))
                return FAIL(why, ERR_USAGE, "probe %zu of stream %s is not looked at here", of->number, of->stream);
        struct engine_command paths;
        e = find_paths(config, of, probe, &paths, why);
        return e ? e : look(of, probe, &paths, why);
}
