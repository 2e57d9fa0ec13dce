/* Follow a rollout: a picture that is redrawn on a terminal, a line or a document a change elsewhere. */
#include "cli/facts.h"
#include "cli/release_id.h"
#include "cli/view.h"
#include "format/json.h"
#include "format/near.h"
#include "platform/clock.h"

#include <string.h>

enum { LOOK_MS = 500, PAUSE_MS_MAX = 8000, TEXT_BYTES_MAX = 16 << 20 };

/* How watching ends when nobody said --until; `is_final` states end it in any case. */
static const struct ending {
        const char *state, *reason;      /* NULL: for any reason */
        bool is_end, is_final;
        enum err err;
} endings[] = {
        { "draft", NULL, false, false, OK },              { "proving", NULL, false, false, OK },
        { "ready", NULL, false, false, OK },              { "exposing", NULL, false, false, OK },
        { "holding", "budget", true, false, ERR_CONTENT }, { "complete", NULL, true, false, OK },
        { "watched", NULL, true, true, OK },              { "halted", NULL, true, false, ERR_CONTENT },
        { "rolling_back", NULL, false, false, ERR_CONTENT }, { "withdrawn", NULL, true, true, ERR_CONTENT },
        { "superseded", NULL, true, true, ERR_REFUSED },  { "cancelled", NULL, true, true, ERR_REFUSED },
};
enum { ENDINGS = sizeof(endings) / sizeof(endings[0]) };

struct watch {
        struct cli *cli;
        struct api *api;
        const char *until;         /* comma-separated states, or NULL */
        char path[160];
        bool is_redrawn, is_seen;  /* on a terminal; the server answered once */
        struct buf last, picture;  /* what was printed last, and what stands on a terminal of the rollout */
        struct buf trouble;        /* why the server is away; empty: it is there */
        int64_t away_ms, next_ms, pause_ms;      /* steady: since when it is away, when it is asked again, after which pause */
        unsigned lines;            /* of what stands on the terminal */
};

static int64_t steady_ms(const struct watch *watch)
{
        return watch->cli->clock->ops->steady_ms(watch->cli->clock);
}

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

/* The picture, and below it, when the server is away, that it is not of now. */
static enum err redraw(struct watch *watch, struct why *why)
{
        OWN(buf) struct buf screen, line;
        buf_init(&screen, TEXT_BYTES_MAX);
        buf_init(&line, TEXT_BYTES_MAX);
        if (watch->lines)
                buf_addf(&screen, "\x1b[%uA\r\x1b[J", watch->lines);
        size_t begin = screen.length;
        buf_add(&screen, buf_text(&watch->picture), watch->picture.length);
        if (watch->trouble.length) {
                buf_add_text(&line, "server away since ");
                print_span(&line, (steady_ms(watch) - watch->away_ms) / 1000);
                buf_addf(&line, ": %s; trying again", buf_text(&watch->trouble));
                print_wrapped(&screen, buf_text(&line), watch->cli->columns, 0);
        }
        watch->lines = 0;
        for (const char *at = buf_text(&screen) + begin; (at = strchr(at, '\n')); at++)
                watch->lines++;
        enum err e = buf_check(&watch->picture, why);
        return e ? e : print_buf(watch->cli, &screen, why);
}

/* For logs and programs: `text`, unless `facts` are those that were printed last. */
static enum err print_news(struct watch *watch, const struct buf *facts, const struct buf *text, struct why *why)
{
        if (strcmp(buf_text(facts), buf_text(&watch->last)) == 0)
                return OK;
        buf_clear(&watch->last);
        buf_add(&watch->last, buf_text(facts), facts->length);
        enum err e = buf_check(facts, why);
        return e ? e : print_buf(watch->cli, text, why);
}

static enum err draw(struct watch *watch, const struct json *rollout, struct why *why)
{
        struct cli *cli = watch->cli;
        struct view view = { .columns = cli->columns, .rows = cli->rows, .is_colour = cli->is_colour, .now = cli_now(cli) };
        OWN(buf) struct buf facts, line;
        buf_init(&facts, TEXT_BYTES_MAX);
        buf_init(&line, TEXT_BYTES_MAX);
        if (watch->is_redrawn) {
                buf_clear(&watch->picture);
                view_rollout(&view, rollout, &watch->picture);
                return redraw(watch, why);
        }
        if (arg_has(cli->args, OPTION_JSON)) {
                enum err e = json_write(rollout, 0, &facts, why);
                buf_add_text(&facts, "\n");
                return e ? e : print_news(watch, &facts, &facts, why);
        }
        view_facts(rollout, &facts);
        view_line(&view, rollout, &line);
        return print_news(watch, &facts, &line, why);
}

static bool is_ending(const struct ending *ending, const struct json *rollout)
{
        const char *reason = json_text(json_get(rollout, "reason"));
        return strcmp(ending->state, json_text(json_get(rollout, "state"))) == 0 && (!ending->reason || (reason && strcmp(ending->reason, reason) == 0));
}

static enum err end_as(const struct watch *watch, const struct ending *ending, struct why *why)
{
        if (watch->until)
                return FAIL(why, ending->err ? ending->err : ERR_REFUSED, "it ended %s, not %s", ending->state, watch->until);
        if (ending->reason)
                return FAIL(why, ending->err, "it holds, its harm budget is spent; withdraw it, or override with two people and a reason");
        return ending->err ? FAIL(why, ending->err, "it ended %s", ending->state) : OK;
}

/* The ceiling is signed: nobody more gets it, whoever waits, and those who have it have answered. */
static bool is_at_last_step(const struct json *rollout)
{
        static const struct ending at_ceiling = { "holding", "ceiling", true, false, OK };
        const struct json *until = json_get(rollout, "until"), *unanswered = json_get(rollout, "unanswered");
        return is_ending(&at_ceiling, rollout) && until && json_type(until) == JSON_NULL && unanswered && !json_int(unanswered, 1);
}

/* People or harm can still stop it there. */
static bool is_stop_awaited(const char *until)
{
        for (size_t i = 0; i < ENDINGS; i++)
                if (endings[i].err && is_listed(until, endings[i].state))
                        return true;
        return false;
}

static enum err end_at_last_step(const struct watch *watch, struct why *why)
{
        return watch->until ? FAIL(why, ERR_REFUSED, "as many have it as its signed ceiling ever allows: it does not get to be %s", watch->until) : OK;
}

/* True when it is over; *ret_end then says how. */
static bool is_over(const struct watch *watch, const struct json *rollout, enum err *ret_end, struct why *why)
{
        *ret_end = OK;
        if (watch->until && is_listed(watch->until, json_text(json_get(rollout, "state"))))
                return true;
        if (is_at_last_step(rollout) && !is_stop_awaited(watch->until)) {
                *ret_end = end_at_last_step(watch, why);
                return true;
        }
        for (size_t i = 0; i < ENDINGS; i++)
                if (is_ending(&endings[i], rollout) && (watch->until ? endings[i].is_final : endings[i].is_end)) {
                        *ret_end = end_as(watch, &endings[i], why);
                        return true;
                }
        return false;
}

/* Equal but for numbers: the network's complaints count milliseconds. */
static bool is_same_cause(const char *a, const char *b)
{
        static const char digits[] = "0123456789";
        for (;; a++, b++) {
                a += strspn(a, digits);
                b += strspn(b, digits);
                if (!*a || *a != *b)
                        return *a == *b;
        }
}

/* The server may be restarting. A log gets each cause once. */
static enum err note_away(struct watch *watch, struct why *why)
{
        OWN(buf) struct buf text;
        buf_init(&text, TEXT_BYTES_MAX);
        print_clean(&text, why->text);
        if (!watch->trouble.length)
                watch->away_ms = steady_ms(watch);
        bool is_news = !is_same_cause(buf_text(&text), buf_text(&watch->trouble));
        buf_clear(&watch->trouble);
        buf_add(&watch->trouble, buf_text(&text), text.length);
        watch->next_ms = steady_ms(watch) + watch->pause_ms;
        watch->pause_ms = watch->pause_ms * 2 < PAUSE_MS_MAX ? watch->pause_ms * 2 : PAUSE_MS_MAX;
        if (watch->is_redrawn)
                return redraw(watch, why);
        if (is_news)
                fprintf(watch->cli->err, "firebreak: server away: %s; trying again\n", buf_text(&watch->trouble));
        return OK;
}

static void note_there(struct watch *watch)
{
        if (watch->trouble.length && !watch->is_redrawn)
                fprintf(watch->cli->err, "firebreak: the server answers again\n");
        buf_clear(&watch->trouble);
        watch->is_seen = true;
        watch->pause_ms = LOOK_MS;
}

static enum err judge(struct watch *watch, const struct json *rollout, bool *ret_over, struct why *why)
{
        note_there(watch);
        enum err end = OK, e = draw(watch, rollout, why);
        if (!e && !json_text(json_get(rollout, "state")))
                e = FAIL(why, ERR_SYNTAX, "the server's rollout has no state");
        *ret_over = e || is_over(watch, rollout, &end, why);
        return e ? e : end;
}

/* One look. Only a server that answered before is asked again when it cannot be reached: else the address may be wrong. */
static enum err look(struct watch *watch, bool *ret_over, struct why *why)
{
        OWN(json) struct json *rollout = NULL;
        enum err e = OK;
        if (steady_ms(watch) < watch->next_ms) {
                e = watch->is_redrawn ? redraw(watch, why) : OK;
                *ret_over = e;
                return e;
        }
        e = api_get(watch->api, watch->path, &rollout, why);
        if (!e)
                return judge(watch, rollout, ret_over, why);
        if (watch->is_seen && err_info(e)->retry)
                e = note_away(watch, why);
        *ret_over = e;
        return e;
}

static enum err follow(struct watch *watch, struct why *why)
{
        struct clock *clock = watch->cli->clock;
        int64_t began = steady_ms(watch), most_ms = arg_int(watch->cli->args, OPTION_TIMEOUT, 0) * 1000;
        for (bool over = false;;) {
                enum err e = look(watch, &over, why);
                if (over)
                        return e;
                if (most_ms && steady_ms(watch) - began >= most_ms)
                        return FAIL(why, ERR_TIMEOUT, "not there after %lld s", (long long)(most_ms / 1000));
                clock->ops->sleep_ms(clock, LOOK_MS);
        }
}

static void watch_release(struct watch *watch)
{
        api_close(watch->api);
        buf_done(&watch->last);
        buf_done(&watch->picture);
        buf_done(&watch->trouble);
}

enum err cmd_rollout_watch(struct cli *cli, struct why *why)
{
        OWN(watch) struct watch watch = { .cli = cli, .until = arg_text(cli->args, OPTION_UNTIL, NULL), .pause_ms = LOOK_MS,
                                          .is_redrawn = cli->is_live && !arg_has(cli->args, OPTION_JSON) };
        buf_init(&watch.last, TEXT_BYTES_MAX);
        buf_init(&watch.picture, TEXT_BYTES_MAX);
        buf_init(&watch.trouble, TEXT_BYTES_MAX);
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
