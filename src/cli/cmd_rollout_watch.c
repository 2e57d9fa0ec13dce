#include "base/limits.h"
#include "cli/facts.h"
#include "cli/release_id.h"
#include "cli/view.h"
#include "format/json.h"
#include "format/near.h"
#include "platform/clock.h"

#include <string.h>

enum { LOOK_MS = 500, SCREEN_BYTES_MAX = 1 << 20 };

/* How watching ends when nobody said --until; `is_final` states end it in any case. */
static const struct ending {
        const char *state;
        bool is_end, is_final;
        enum err err;
} endings[] = {
        { "draft", false, false, OK },          { "proving", false, false, OK },           { "ready", false, false, OK },
        { "exposing", false, false, OK },       { "holding", false, false, OK },           { "complete", true, false, OK },
        { "watched", true, true, OK },          { "halted", true, false, ERR_CONTENT },    { "rolling_back", false, false, ERR_CONTENT },
        { "withdrawn", true, true, ERR_CONTENT }, { "superseded", true, true, ERR_REFUSED }, { "cancelled", true, true, ERR_REFUSED },
};
enum { ENDINGS = sizeof(endings) / sizeof(endings[0]) };

struct watch {
        struct cli *cli;
        struct api *api;
        const char *until;         /* comma-separated states, or NULL */
        char path[160];
        struct buf last, screen;   /* what was printed last; what will be */
        unsigned lines;            /* of what stands on the terminal */
};

static bool is_listed(const char *list, const char *state)
{
        size_t length = strlen(state);
        for (const char *at = list; at && *at;) {
                size_t own = strcspn(at, ",");
                if (own == length && memcmp(at, state, own) == 0)
                        return true;
                at += own + (at[own] == ',');
        }
        return false;
}

static enum err check_until(const char *until, struct why *why)
{
        for (const char *at = until; at && *at;) {
                size_t length = strcspn(at, ",");
                char state[48];
                snprintf(state, sizeof(state), "%.*s", (int)length, at);
                struct near near = { .word = state };
                bool is_known = false;
                for (size_t i = 0; i < ENDINGS; i++) {
                        is_known = is_known || strcmp(endings[i].state, state) == 0;
                        near_consider(&near, endings[i].state);
                }
                if (!is_known)
                        return FAIL(why, ERR_USAGE, "--until: no state `%s`; did you mean `%s`?", state, near.best ? near.best : "complete");
                at += length + (at[length] == ',');
        }
        return OK;
}

/* A live screen is redrawn over itself; a log gets a line whenever something changed. */
static enum err draw(struct watch *watch, const struct json *rollout, struct why *why)
{
        struct cli *cli = watch->cli;
        struct view view = { .columns = cli->columns, .rows = cli->rows, .is_colour = cli->is_colour, .now = cli_now(cli) };
        buf_clear(&watch->screen);
        if (cli->is_live) {
                if (watch->lines)
                        buf_addf(&watch->screen, "\x1b[%uA\r\x1b[J", watch->lines);
                view_rollout(&view, rollout, &watch->screen);
                watch->lines = 0;
                for (const char *at = buf_text(&watch->screen); (at = strchr(at, '\n')); at++)
                        watch->lines++;
                return print_buf(cli, &watch->screen, why);
        }
        view_line(&view, rollout, &watch->screen);
        const char *text = buf_text(&watch->screen), *before = buf_text(&watch->last);
        const char *fact = strstr(text, " s  "), *old = strstr(before, " s  ");
        if (fact && old && strcmp(fact, old) == 0)
                return OK;
        buf_clear(&watch->last);
        buf_add_text(&watch->last, text);
        return print_buf(cli, &watch->screen, why);
}

/* True when it is over; *ret_end then says how. */
static bool is_over(const struct watch *watch, const char *state, enum err *ret_end, struct why *why)
{
        if (watch->until && is_listed(watch->until, state)) {
                *ret_end = OK;
                return true;
        }
        for (size_t i = 0; i < ENDINGS; i++) {
                const struct ending *ending = &endings[i];
                if (strcmp(ending->state, state) != 0 || !(watch->until ? ending->is_final : ending->is_end))
                        continue;
                if (watch->until)
                        *ret_end = FAIL(why, ending->err ? ending->err : ERR_REFUSED, "it ended %s, not %s", state, watch->until);
                else
                        *ret_end = ending->err ? FAIL(why, ending->err, "it ended %s", state) : OK;
                return true;
        }
        return false;
}

/* One look. A server that cannot be reached just now is asked again: it may be restarting. */
static enum err look(struct watch *watch, bool *ret_over, struct why *why)
{
        OWN(json) struct json *rollout = NULL;
        enum err e = api_get(watch->api, watch->path, &rollout, why), end = OK;
        *ret_over = e && !err_info(e)->retry;
        if (e) {
                if (!*ret_over && !watch->cli->is_live)
                        fprintf(watch->cli->err, "firebreak: %s; trying again\n", why->text);
                return *ret_over ? e : OK;
        }
        e = draw(watch, rollout, why);
        const char *state = json_text(json_get(rollout, "state"));
        if (!e && !state)
                e = FAIL(why, ERR_SYNTAX, "the server's rollout has no state");
        *ret_over = e || is_over(watch, state, &end, why);
        return e ? e : end;
}

static enum err follow(struct watch *watch, struct why *why)
{
        struct clock *clock = watch->cli->clock;
        int64_t began = clock->ops->steady_ms(clock), most_ms = arg_int(watch->cli->args, OPTION_TIMEOUT, 0) * 1000;
        for (bool over = false;;) {
                enum err e = look(watch, &over, why);
                if (over)
                        return e;
                if (most_ms && clock->ops->steady_ms(clock) - began >= most_ms)
                        return FAIL(why, ERR_TIMEOUT, "not there after %lld s", (long long)(most_ms / 1000));
                clock->ops->sleep_ms(clock, LOOK_MS);
        }
}

static void watch_release(struct watch *watch)
{
        api_close(watch->api);
        buf_done(&watch->last);
        buf_done(&watch->screen);
}

enum err cmd_rollout_watch(struct cli *cli, struct why *why)
{
        OWN(watch) struct watch watch = { .cli = cli, .until = arg_text(cli->args, OPTION_UNTIL, NULL) };
        buf_init(&watch.last, SCREEN_BYTES_MAX);
        buf_init(&watch.screen, SCREEN_BYTES_MAX);
        struct release_id id;
        enum err e = release_id_parse(cli->args->words[0], &id, why);
        if (!e)
                e = check_until(watch.until, why);
        if (!e)
                e = api_open(cli, &watch.api, why);
        if (e)
                return e;
        release_id_path(&id, "/rollouts", "", watch.path);
        return follow(&watch, why);
}
