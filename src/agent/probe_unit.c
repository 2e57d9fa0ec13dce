/* A unit of systemd is active, and systemd had not to start it again. */
#include "agent/probe_kinds.h"
#include "agent/systemctl.h"
#include "platform/confine.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_BYTES = 4096 };

const char unit_was_down[] = "-down";

static void keep(char *into, size_t size, const char *value, size_t length)
{
        snprintf(into, size, "%.*s", (int)length, value);
}

static bool read_number(const char *line, size_t length, const char *key, uint64_t *ret_number)
{
        const size_t key_length = strlen(key);
        if (length <= key_length || memcmp(line, key, key_length) != 0)
                return false;
        *ret_number = strtoull(line + key_length, NULL, 10);
        return true;
}

static void read_line(const char *line, size_t length, struct unit_state *state, bool *ret_has_restarts)
{
        uint64_t pid;
        const struct { const char *key; char *into; } texts[] = {
                { "LoadState=", state->load }, { "ActiveState=", state->active }, { "SubState=", state->sub }, { "Result=", state->result },
        };
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                const size_t key = strlen(texts[i].key);
                if (length > key && memcmp(line, texts[i].key, key) == 0)
                        keep(texts[i].into, sizeof(state->load), line + key, length - key);
        }
        *ret_has_restarts |= read_number(line, length, "NRestarts=", &state->restarts);
        (void)!read_number(line, length, "ExecMainCode=", &state->exit_kind);
        (void)!read_number(line, length, "ExecMainStatus=", &state->exit_code);
        if (read_number(line, length, "MainPID=", &pid) && pid < INT32_MAX)
                state->pid = (int)pid;
}

enum err unit_state_read(const char *text, struct unit_state *ret_state, struct why *why)
{
        struct unit_state state = { .load = "" };
        bool has_restarts = false;
        for (const char *line = text; *line;) {
                size_t length = strcspn(line, "\n");
                read_line(line, length, &state, &has_restarts);
                line += length + (line[length] == '\n');
        }
        /* What is no service has no restarts and no result. */
        if (!state.load[0] || !state.active[0])
                return FAIL(why, ERR_SYNTAX, "systemctl says `%.*s`", (int)strcspn(text, "\n"), text);
        if (!has_restarts)
                state.restarts = 0;
        *ret_state = state;
        return OK;
}

static bool is_down(const struct unit_state *state)
{
        return strcmp(state->active, "failed") == 0 || strcmp(state->active, "inactive") == 0 || strcmp(state->sub, "auto-restart") == 0;
}

void unit_state_word(const struct unit_state *state, struct buf *into)
{
        buf_addf(into, "%" PRIu64 "%s", state->restarts, is_down(state) ? unit_was_down : "");
}

void unit_word_since(const char *word, const struct unit_since *since, char ret_word[static BEFORE_WORD_BYTES])
{
        const int digits = (int)strspn(word, "0123456789");
        const bool was_down = strstr(word, unit_was_down) && !since->is_engine;
        snprintf(ret_word, BEFORE_WORD_BYTES, "%.*s%s", since->is_rebooted ? 1 : digits, since->is_rebooted ? "0" : word, was_down ? unit_was_down : "");
}

enum err unit_state_judge(const char *unit, const struct unit_state *state, const char *was, struct why *why)
{
        const bool is_active = strcmp(state->active, "active") == 0 || strcmp(state->active, "reloading") == 0, is_known = was && was[0];
        const uint64_t restarts = is_known ? strtoull(was, NULL, 10) : 0;
        if (is_known && strstr(was, unit_was_down))
                return OK;
        if (strcmp(state->load, "not-found") == 0)
                return FAIL(why, ERR_CONTENT, "there is no unit %s", unit);
        if (!is_active)
                return FAIL(why, ERR_CONTENT, "%s is %s (%s%s%s)", unit, state->active, state->sub, state->result[0] ? ", result " : "", state->result);
        if (is_known && state->restarts > restarts)
                return FAIL(why, ERR_CONTENT, "%s failed, and systemd started it again (%" PRIu64 " times)", unit, state->restarts - restarts);
        return OK;
}

/* Who started us ends us when that takes too long. */
static enum err ask_systemd(const char *unit, struct buf *into, struct why *why)
{
        const char *const argv[] = { "systemctl", "show", "--no-pager", UNIT_PROPERTIES, "--", unit, NULL };
        return systemctl_ask(&(struct systemctl){ .argv = argv }, into, why);
}

enum err probe_look_unit(const struct probe_task *task, struct why *why)
{
        const char *unit = task->probe->unit;
        struct unit_state state;
        OWN(buf) struct buf answer;
        buf_init(&answer, ANSWER_BYTES);
        (void)!confine_to_programs(NULL, why);
        enum err e = ask_systemd(unit, &answer, why);
        if (!e)
                e = unit_state_read(buf_text(&answer), &state, why);
        if (e)
                return e;
        if (!task->before)
                return unit_state_judge(unit, &state, task->was, why);
        unit_state_word(&state, task->before);
        return buf_check(task->before, why);
}
