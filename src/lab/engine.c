#include "lab/engine.h"

#include "base/limits.h"
#include "base/mem.h"
#include "platform/disk_folder.h"
#include "platform/file.h"
#include "platform/paths.h"

enum { SAID_MAX = 1 << 20, EXIT_REFUSES = 1 };

/* lab.md: 10 s of processor time, 512 MiB a case; a case here is a whole corpus, so more time. */
const struct sandbox_limits engine_limits = { .wall_ms = 120000, .cpu_s = 60, .memory_bytes = 512u << 20, .file_bytes = 1 << 20, .files = 64 };

OWN_DEFINE(words, const char **, mem_free)

static void keep_log(const struct engine *engine, const char *what, const struct sandbox_result *result)
{
        if (!engine->log)
                return;
        buf_addf(engine->log, "--- %s\n", what);
        buf_add(engine->log, buf_text(&result->output), result->output.length);
        buf_add(engine->log, buf_text(&result->errors), result->errors.length);
        buf_addf(engine->log, "--- %s %d, %lld ms, %lld ms of processor, %llu KiB\n", result->is_timeout ? "time-out" : result->is_signal ? "signal" : "exit",
                 result->code, (long long)result->wall_ms, (long long)result->cpu_ms, (unsigned long long)result->memory_bytes / 1024);
}

static void first_line(const char *text, char *line, int size)
{
        snprintf(line, (size_t)size, "%.*s", (int)strcspn(text, "\n"), text);
}

/* The last line of what it said in complaint: engines tell the cause at the end. */
static void last_line(const struct buf *said, char *line, int size)
{
        size_t end = said->length;
        while (end && said->bytes[end - 1] == '\n')
                end--;
        size_t start = end;
        while (start && said->bytes[start - 1] != '\n')
                start--;
        snprintf(line, (size_t)size, "%.*s", (int)(end - start), buf_text(said) + start);
}

static void judge_end(const struct sandbox_run *run, const struct sandbox_result *result, struct engine_answer *answer)
{
        char end[64], words[240];
        sandbox_end_text(run, result, end, sizeof(end));
        last_line(&result->errors, words, sizeof(words));
        bool is_dead = result->is_signal || result->is_timeout;
        answer->end = is_dead ? ENGINE_DIED : result->code == EXIT_REFUSES ? ENGINE_REFUSES : result->code ? ENGINE_BROKE : ENGINE_DONE;
        if (is_dead)
                snprintf(answer->text, sizeof(answer->text), "the engine died: %s%s%s", end, words[0] ? ": " : "", words);
        else if (result->code)
                snprintf(answer->text, sizeof(answer->text), "%s", words[0] ? words : end);
}

static enum err run(const struct engine *engine, const char *const *argv, struct sandbox_result *result, struct engine_answer *answer, struct why *why)
{
        const struct sandbox_run run = { .argv = argv, .limits = engine->limits ? *engine->limits : engine_limits };
        sandbox_result_init(result, SAID_MAX);
        enum err e = sandbox_run(&run, result, why);
        if (e)
                return DURING(why, e, "running the engine");
        *answer = (struct engine_answer){ .is_cut = result->is_output_cut };
        judge_end(&run, result, answer);
        keep_log(engine, argv[1], result);
        return OK;
}

/* " rules=12" in a line: the number, or -1. */
static int64_t number_after(const char *line, const char *key)
{
        const char *at = strstr(line, key);
        if (!at || (at != line && at[-1] != ' '))
                return -1;
        char *end;
        long long value = strtoll(at + strlen(key), &end, 10);
        return end == at + strlen(key) || value < 0 ? -1 : value;
}

static void not_understood(struct engine_answer *answer, const char *line)
{
        answer->end = ENGINE_BROKE;
        snprintf(answer->text, sizeof(answer->text), "the engine's answer is not understood: \"%.200s\"", line);
}

enum err engine_check(const struct engine *engine, const char *content, struct engine_answer *ret_answer, struct why *why)
{
        OWN(sandbox_result) struct sandbox_result result;
        const char *const argv[] = { engine->path, "--check", "--rules", content, NULL };
        char line[256];
        enum err e = run(engine, argv, &result, ret_answer, why);
        if (e || ret_answer->end != ENGINE_DONE)
                return e;
        first_line(buf_text(&result.output), line, sizeof(line));
        ret_answer->rules = number_after(line, "rules=");
        ret_answer->warnings = number_after(line, "warnings=");
        if (ret_answer->rules < 0 || ret_answer->warnings < 0)
                not_understood(ret_answer, line);
        return OK;
}

/* `match RULE PATH`; cuts the line apart. */
static void take_match(const struct engine_scan *scan, char *line)
{
        char *rule = line + strlen("match "), *space = strchr(rule, ' ');
        if (!space)
                return;
        *space = 0;
        scan->on_match(scan->user, &(struct engine_match){ rule, space + 1 });
}

static void take_output(const struct engine_scan *scan, char *text, struct engine_answer *answer)
{
        bool has_sum = false;
        for (char *line = text, *end; *line; line = end) {
                end = line + strcspn(line, "\n");
                end += *end ? (*end = 0, 1) : 0;
                if (strncmp(line, "match ", 6) == 0)
                        take_match(scan, line);
                if (strncmp(line, "scanned ", 8) != 0)
                        continue;
                answer->files = number_after(line, "files=");
                answer->bytes = number_after(line, "bytes=");
                answer->errors = number_after(line, "errors=");
                has_sum = answer->files >= 0 && answer->bytes >= 0 && answer->errors >= 0;
        }
        if (!has_sum && answer->end == ENGINE_DONE && !answer->is_cut)
                not_understood(answer, "no line of what was scanned");
}

static const char **scan_words(const struct engine *engine, const struct engine_scan *scan)
{
        const char *const first[] = { engine->path, "--rules", scan->content, "--once" };
        enum { FIRST = sizeof(first) / sizeof(first[0]) };
        const char **words = mem_new(FIRST + scan->path_count + 1, sizeof(*words));
        if (!words)
                return NULL;
        memcpy(words, first, sizeof(first));
        if (scan->path_count)
                memcpy(words + FIRST, scan->paths, scan->path_count * sizeof(*words));
        return words;
}

enum err engine_scan(const struct engine *engine, const struct engine_scan *scan, struct engine_answer *ret_answer, struct why *why)
{
        OWN(sandbox_result) struct sandbox_result result;
        sandbox_result_init(&result, SAID_MAX);
        OWN(words) const char **words = scan_words(engine, scan);
        if (!words)
                return FAIL(why, ERR_NOMEM, "%zu files to scan", scan->path_count);
        enum err e = run(engine, words, &result, ret_answer, why);
        if (e)
                return e;
        if (result.output.length)
                take_output(scan, result.output.bytes, ret_answer);
        const char *error = strncmp(buf_text(&result.errors), "error ", 6) == 0 ? buf_text(&result.errors) : strstr(buf_text(&result.errors), "\nerror ");
        if (error)
                first_line(error + (*error == '\n') + strlen("error "), ret_answer->first_error, sizeof(ret_answer->first_error));
        if (ret_answer->end == ENGINE_DONE && !result.output.length)
                not_understood(ret_answer, "it said nothing");
        return OK;
}

static enum err read_version(struct engine *engine, struct why *why)
{
        OWN(sandbox_result) struct sandbox_result result;
        struct engine_answer answer;
        const char *const argv[] = { engine->path, "--version", NULL };
        char line[160];
        enum err e = run(engine, argv, &result, &answer, why);
        if (e)
                return e;
        first_line(buf_text(&result.output), line, sizeof(line));
        sandbox_walls_text(result.walls, engine->walls);
        if (answer.end != ENGINE_DONE || sscanf(line, "%64[A-Za-z0-9._+-] %64[A-Za-z0-9._+-]", engine->name, engine->version) != 2)
                return FAIL(why, ERR_IO, "%.150s --version does not say `NAME VERSION`; is it an engine?", engine->path);
        return OK;
}

enum err engine_open(const char *path, struct engine *engine, struct why *why)
{
        OWN(disk_folder) struct disk *root = NULL;
        uint64_t length;
        enum err e = paths_real(path, engine->path, why);
        if (!e && file_kind(engine->path) != FILE_REGULAR)
                e = FAIL(why, ERR_REFUSED, "%s is not a file: name the engine's program", engine->path);
        if (!e)
                e = disk_folder_open("/", &root, why);
        if (!e)
                e = digest_file(root, engine->path + 1, engine->sha256, &length, why);
        if (!e)
                e = read_version(engine, why);
        return e ? DURING(why, e, "the engine") : OK;
}
