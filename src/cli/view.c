#include "cli/view.h"

#include "cli/print.h"
#include "format/json.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES_MAX = 4096, LINES_BYTES_MAX = 1 << 16, STRATA_LEAST = 3 };
enum { SCREEN_REST = 7 };                                   /* lines of a screen below: blank, title, "and more", three of a message, the cursor's */
enum { LABEL_COLUMNS = 10, BAR_BEGIN = LABEL_COLUMNS + 1 }; /* columns before a text, a bar */
enum { BAR_COLUMNS_LEAST = 10, FLEET_BAR_MAX = 40, BUDGET_BAR_MAX = 20 };

static int64_t number(const struct json *object, const char *key)
{
        return json_int(json_get(object, key), 0);
}

/* So many bytes are so many columns, or all of it; for text without colours. */
static size_t bytes_of(const char *text, unsigned columns)
{
        size_t length = 0;
        for (unsigned used = 0; text[length]; length++) {
                used += ((unsigned char)text[length] & 0xc0) != 0x80;
                if (used > columns)
                        break;
        }
        return length;
}

static unsigned columns_of(const char *text)
{
        unsigned columns = 0;
        for (; *text; text++)
                columns += ((unsigned char)*text & 0xc0) != 0x80;
        return columns;
}

/* The end of a line of which `used` columns are taken; on lines of its own where it does not fit, for half a number would be another one. */
static void add_tail(const struct view *view, const char *text, unsigned used, struct buf *into)
{
        if (used + columns_of(text) <= view->columns) {
                buf_addf(into, "%s\n", text);
                return;
        }
        text += strspn(text, " ");
        buf_addf(into, "\n%*s", LABEL_COLUMNS, "");
        print_wrapped(into, text, view->columns > LABEL_COLUMNS ? view->columns - LABEL_COLUMNS : 1, 0);
}

static void head(const struct view *view, const struct json *rollout, struct buf *into)
{
        const char *state = json_text(json_get(rollout, "state")), *reason = json_text(json_get(rollout, "reason"));
        char name[96];
        snprintf(name, sizeof(name), "%.64s/%lld", json_text(json_get(rollout, "stream")) ? json_text(json_get(rollout, "stream")) : "-",
                 (long long)number(rollout, "counter"));
        print_coloured(into, view->is_colour, BOLD, name);
        buf_add_text(into, "  ");
        print_coloured(into, view->is_colour, state_colour(state), state);
        OWN(buf) struct buf tail;
        buf_init(&tail, LINE_BYTES_MAX);
        if (reason && reason[0]) {
                buf_add_text(&tail, " (");
                print_clean(&tail, reason);
                buf_add_text(&tail, ")");
        }
        if (number(rollout, "started") > 0) {
                buf_add_text(&tail, "  started ");
                print_span(&tail, view->now - number(rollout, "started"));
                buf_add_text(&tail, " ago");
        }
        add_tail(view, buf_text(&tail), columns_of(name) + 2 + (state ? columns_of(state) : 1), into);
}

/* Cells of `width` that `part` of `whole` fills; anything above zero shows. */
static unsigned share_of(int64_t part, int64_t whole, unsigned width)
{
        if (part <= 0 || whole <= 0)
                return 0;
        if (part >= whole)
                return width;
        unsigned cells = (unsigned)((double)part / (double)whole * width);      /* a product of two counts could overflow */
        return cells ? cells : 1;
}

static void add_run(const struct view *view, enum colour colour, char mark, unsigned count, struct buf *into)
{
        char run[256];
        count = count < sizeof(run) ? count : sizeof(run) - 1;
        memset(run, mark, count);
        run[count] = '\0';
        print_coloured(into, view->is_colour && count, colour, run);
}

struct bar_part { char mark; enum colour colour; int64_t count; };

static void add_bar(const struct view *view, unsigned width, const struct bar_part *parts, size_t count, int64_t whole, struct buf *into)
{
        unsigned left = width;
        buf_add_text(into, "[");
        for (size_t i = 0; i < count; i++) {
                unsigned cells = share_of(parts[i].count, whole, width);
                cells = cells < left ? cells : left;
                add_run(view, parts[i].colour, parts[i].mark, cells, into);
                left -= cells;
        }
        add_run(view, DIM, '.', left, into);
        buf_add_text(into, "]");
}

/* As wide as the text beside it leaves room for. */
static unsigned bar_width(const struct view *view, const char *beside, unsigned most)
{
        unsigned taken = BAR_BEGIN + 1 + columns_of(beside), width = view->columns > taken ? view->columns - taken : 0;
        return width > most ? most : width > BAR_COLUMNS_LEAST ? width : BAR_COLUMNS_LEAST;
}

static void fleet_bar(const struct view *view, const struct json *rollout, struct buf *into)
{
        int64_t eligible = number(rollout, "eligible"), kept_back = number(rollout, "kept_back"), held_out = number(rollout, "fleet") - eligible - kept_back;
        const struct bar_part parts[] = { { '!', RED, number(rollout, "hurt") }, { '#', GREEN, number(rollout, "proven") }, { '+', YELLOW, number(rollout, "unanswered") } };
        char beside[LINE_BYTES_MAX];
        int used = snprintf(beside, sizeof(beside), " %lld of %lld", (long long)number(rollout, "proven"), (long long)eligible);
        if (held_out > 0)
                used += snprintf(beside + used, sizeof(beside) - (size_t)used, ", held out %lld", (long long)held_out);
        if (kept_back > 0)
                snprintf(beside + used, sizeof(beside) - (size_t)used, ", kept back %lld", (long long)kept_back);
        unsigned width = bar_width(view, beside, FLEET_BAR_MAX);
        buf_add_text(into, "fleet     ");
        add_bar(view, width, parts, sizeof(parts) / sizeof(parts[0]), eligible, into);
        add_tail(view, beside, BAR_BEGIN + width + 1, into);
}

/* What counts of the harm, in the fleet or the stratum that stands nearest to the budget. */
static void budget_bar(const struct view *view, const struct json *rollout, struct buf *into)
{
        int64_t attributed = number(rollout, "attributed"), to_stop = number(rollout, "to_stop"), budget = number(rollout, "budget");
        const struct bar_part part = { '!', RED, attributed };
        const char *nearest = json_text(json_get(rollout, "nearest"));
        OWN(buf) struct buf beside;
        buf_init(&beside, LINE_BYTES_MAX);
        buf_addf(&beside, " %lld of %lld", (long long)attributed, (long long)budget);
        if (to_stop != attributed)
                buf_addf(&beside, ", %lld towards the stop", (long long)to_stop);
        if (nearest && attributed > 0) {
                buf_add_text(&beside, ", of ");
                print_clean(&beside, nearest);
        }
        unsigned width = bar_width(view, buf_text(&beside), BUDGET_BAR_MAX);
        buf_add_text(into, "budget    ");
        add_bar(view, width, &part, 1, budget, into);
        add_tail(view, buf_text(&beside), BAR_BEGIN + width + 1, into);
}

static void counts(const struct view *view, const struct json *rollout, struct buf *into)
{
        char line[LINE_BYTES_MAX];
        snprintf(line, sizeof(line), "hurt      %lld: harmed %lld, dark %lld; recovered %lld", (long long)number(rollout, "hurt"), (long long)number(rollout, "harmed"),
                 (long long)number(rollout, "dark"), (long long)number(rollout, "recovered"));
        print_wrapped(into, line, view->columns, LABEL_COLUMNS);
        snprintf(line, sizeof(line), "exposed   %lld, unanswered %lld; window %lld, limit %lld; declined %lld, preflight failed %lld",
                 (long long)number(rollout, "exposed"), (long long)number(rollout, "unanswered"), (long long)number(rollout, "window"),
                 (long long)number(rollout, "limit"), (long long)number(rollout, "declined"), (long long)number(rollout, "preflight_failed"));
        print_wrapped(into, line, view->columns, LABEL_COLUMNS);
        snprintf(line, sizeof(line), "control   %lld, of them harmed %lld", (long long)number(rollout, "control"), (long long)number(rollout, "control_harmed"));
        print_wrapped(into, line, view->columns, LABEL_COLUMNS);
        const struct json *watch = json_get(rollout, "watch"), *followers = json_get(rollout, "followers");
        if (number(watch, "watched")) {
                snprintf(line, sizeof(line), "watched   %lld, of them listened to %lld; silent %lld, and of control %lld", (long long)number(watch, "watched"),
                         (long long)number(watch, "listened"), (long long)number(watch, "lost"), (long long)number(watch, "control_lost"));
                print_wrapped(into, line, view->columns, LABEL_COLUMNS);
        }
        if (!number(followers, "given"))
                return;
        snprintf(line, sizeof(line), "later     %lld got it after it was complete, of them hurt %lld; at %lld nobody more does", (long long)number(followers, "given"),
                 (long long)number(followers, "hurt"), (long long)number(rollout, "budget"));
        print_wrapped(into, line, view->columns, LABEL_COLUMNS);
}

/* When nothing new may start, and for how many that is now. */
static void freeze(const struct view *view, const struct json *rollout, struct buf *into)
{
        const struct json *windows = json_get(json_get(rollout, "policy"), "freeze");
        if (!json_count(windows))
                return;
        OWN(buf) struct buf line;
        buf_init(&line, LINE_BYTES_MAX);
        buf_addf(&line, "frozen    %lld now; windows: ", (long long)number(rollout, "frozen"));
        for (size_t i = 0; i < json_count(windows); i++) {
                buf_add_text(&line, i ? ", " : "");
                print_value(&line, json_at(windows, i));
        }
        print_wrapped(into, buf_text(&line), view->columns, LABEL_COLUMNS);
}

/* By their owners, for reasons of their own. */
static void held(const struct view *view, const struct json *rollout, struct buf *into)
{
        const struct json *reasons = json_get(rollout, "held");
        OWN(buf) struct buf line;
        buf_init(&line, LINE_BYTES_MAX);
        buf_add_text(&line, "held      ");
        for (size_t i = 0; i < json_count(reasons); i++) {
                buf_addf(&line, "%s%lld ", i ? ", " : "", (long long)number(reasons, json_key_at(reasons, i)));
                print_clean(&line, json_key_at(reasons, i));
        }
        if (!json_count(reasons))
                return;
        buf_add_text(&line, "; by their owners, and neither harmed nor dark");
        print_wrapped(into, buf_text(&line), view->columns, LABEL_COLUMNS);
}

/* They count as silent all the same; who looks into it knows where to begin. */
static void goodbyes(const struct view *view, const struct json *rollout, struct buf *into)
{
        const struct json *said = json_get(rollout, "goodbyes");
        int64_t unanswered = number(said, "unanswered"), dark = number(said, "dark");
        OWN(buf) struct buf line;
        buf_init(&line, LINE_BYTES_MAX);
        if (unanswered <= 0 && dark <= 0)
                return;
        buf_addf(&line, "goodbyes  %lld of the unanswered and %lld of the dark have said goodbye since; they count as any other", (long long)unanswered,
                 (long long)dark);
        print_wrapped(into, buf_text(&line), view->columns, LABEL_COLUMNS);
}

static const struct {
        const char *key, *word;
} answers[] = { { "proven", "proven" }, { "hurt", "hurt" }, { "declined", "declined" }, { "preflight_failed", "failed the preflight" } };
enum { ANSWERS = sizeof(answers) / sizeof(answers[0]) };

static bool is_anybody_left(const struct json *rollout)
{
        int64_t answered = 0;
        for (size_t i = 0; i < ANSWERS; i++)
                answered += number(rollout, answers[i].key);
        return number(rollout, "unanswered") || answered < number(rollout, "eligible");
}

/* Why it goes no further, when everybody it may go to has answered and that was not enough to complete. */
static void nobody_left(const struct view *view, const struct json *rollout, struct buf *into)
{
        const char *state = json_text(json_get(rollout, "state")), *before = ": ";
        int64_t kept_back = number(rollout, "kept_back"), held_out = number(rollout, "fleet") - number(rollout, "eligible") - kept_back;
        if (!state || strcmp(state, "exposing") != 0 || number(rollout, "eligible") <= 0 || is_anybody_left(rollout))
                return;
        OWN(buf) struct buf line;
        buf_init(&line, LINE_BYTES_MAX);
        buf_add_text(&line, "left      nobody is left to expose");
        if (held_out > 0) {
                buf_addf(&line, "%s%lld held out", before, (long long)held_out);
                before = ", ";
        }
        if (kept_back > 0) {
                buf_addf(&line, "%s%lld kept back with their group", before, (long long)kept_back);
                before = ", ";
        }
        for (size_t i = 0; i < ANSWERS; i++)
                if (number(rollout, answers[i].key) > 0) {
                        buf_addf(&line, "%s%lld %s", before, (long long)number(rollout, answers[i].key), answers[i].word);
                        before = ", ";
                }
        buf_add_text(&line, "; withdraw it, or start a newer release");
        print_wrapped(into, buf_text(&line), view->columns, LABEL_COLUMNS);
}

static void unseen(const struct view *view, const struct json *rollout, struct buf *into)
{
        const struct json *names = json_get(rollout, "unseen");
        OWN(buf) struct buf line;
        buf_init(&line, LINES_BYTES_MAX);
        buf_add_text(&line, "unseen    ");
        for (size_t i = 0; i < json_count(names); i++) {
                buf_add_text(&line, i ? ", " : "");
                print_value(&line, json_at(names, i));
        }
        if (!json_count(names))
                return;
        print_wrapped(into, buf_text(&line), view->columns, LABEL_COLUMNS);
}

static void evidence(const struct view *view, const struct json *rollout, struct buf *into)
{
        OWN(buf) struct buf line;
        buf_init(&line, LINE_BYTES_MAX);
        buf_add_text(&line, "evidence  ");
        if (number(rollout, "evidence") > 1)
                buf_addf(&line, "%lld to 1 that it harms", (long long)number(rollout, "evidence"));
        else
                buf_add_text(&line, "none that it harms");
        buf_addf(&line, ", halts at %lld to 1; verdict ", (long long)number(rollout, "evidence_needed"));
        print_value(&line, json_get(rollout, "verdict"));
        print_wrapped(into, buf_text(&line), view->columns, LABEL_COLUMNS);
}

/* How many strata the screen has room for below what stands in `into`. */
static size_t strata_room(const struct view *view, const struct buf *into)
{
        unsigned used = SCREEN_REST;
        for (const char *at = buf_text(into); (at = strchr(at, '\n')); at++)
                used++;
        if (view->strata_max)
                return view->strata_max;
        return view->rows > used + STRATA_LEAST ? view->rows - used : STRATA_LEAST;
}

/* A line of the table, its head without a row. On a narrow screen the name is cut, at a `~`, and whole columns go. */
static void add_stratum(const struct view *view, const char *name, const struct json *row, struct buf *into)
{
        enum { NAME_LEAST = 12, NAME_MOST = 28, NUMBER = 9 };
        static const struct { const char *title, *key; } columns[] = { { "EXPOSED", "exposed" }, { "HARMED", "harmed" }, { "CONTROL", "control" }, { "WINDOW", "window" } };
        const unsigned most = sizeof(columns) / sizeof(columns[0]);
        unsigned count = view->columns > NAME_LEAST ? (view->columns - NAME_LEAST) / NUMBER : 0;
        count = count < most ? count : most;
        unsigned width = view->columns > count * NUMBER ? view->columns - count * NUMBER : 1;
        width = width < NAME_MOST ? width : NAME_MOST;
        bool is_cut = columns_of(name) > width;
        buf_add(into, name, bytes_of(name, is_cut ? width - 1 : width));
        buf_add_text(into, is_cut ? "~" : "");
        for (unsigned used = columns_of(name); count && used < width; used++)
                buf_add_text(into, " ");
        for (unsigned i = 0; i < count; i++)
                if (row)
                        buf_addf(into, " %8lld", (long long)number(row, columns[i].key));
                else
                        buf_addf(into, " %8s", columns[i].title);
        buf_add_text(into, "\n");
}

static void strata_table(const struct view *view, const struct json *strata, struct buf *into)
{
        size_t most = strata_room(view, into), count = json_count(strata);
        if (!count)
                return;
        buf_add_text(into, "\n");
        add_stratum(view, "STRATUM", NULL, into);
        for (size_t i = 0; i < count && i < most; i++) {
                OWN(buf) struct buf name;
                buf_init(&name, LINE_BYTES_MAX);
                print_value(&name, json_get(json_at(strata, i), "name"));
                add_stratum(view, buf_text(&name), json_at(strata, i), into);
        }
        if (count > most)
                buf_addf(into, "and %zu more strata\n", count - most);
}

static void stop(const struct view *view, const struct json *rollout, struct buf *into)
{
        const char *by = json_text(json_get(rollout, "stopped_by"));
        if (!by)
                return;
        OWN(buf) struct buf line;
        buf_init(&line, LINE_BYTES_MAX);
        buf_add_text(&line, "stopped   by ");
        print_clean(&line, by);
        buf_add_text(&line, " after ");
        print_span(&line, number(rollout, "stop_s"));
        print_wrapped(into, buf_text(&line), view->columns, LABEL_COLUMNS);
}

static void way_back(const struct view *view, const struct json *rollout, struct buf *into)
{
        const struct json *back = json_get(rollout, "roll_back");
        int64_t left_s = number(back, "until") - view->now;
        if (!back || json_type(back) != JSON_OBJECT)
                return;
        OWN(buf) struct buf line;
        buf_init(&line, LINE_BYTES_MAX);
        buf_addf(&line, "back      %lld of %lld run something else again", (long long)number(back, "gone"), (long long)number(back, "devices"));
        if (left_s > 0 && number(back, "over_s")) {
                buf_add_text(&line, "; the last go in ");
                print_span(&line, left_s);
        }
        print_wrapped(into, buf_text(&line), view->columns, LABEL_COLUMNS);
}

void view_rollout(const struct view *view, const struct json *rollout, struct buf *into)
{
        head(view, rollout, into);
        OWN(buf) struct buf sentence;
        buf_init(&sentence, LINE_BYTES_MAX);
        print_value(&sentence, json_get(rollout, "sentence"));
        print_wrapped(into, buf_text(&sentence), view->columns, 0);
        buf_add_text(into, "\n");
        fleet_bar(view, rollout, into);
        budget_bar(view, rollout, into);
        nobody_left(view, rollout, into);
        counts(view, rollout, into);
        freeze(view, rollout, into);
        held(view, rollout, into);
        goodbyes(view, rollout, into);
        evidence(view, rollout, into);
        stop(view, rollout, into);
        way_back(view, rollout, into);
        unseen(view, rollout, into);
        strata_table(view, json_get(rollout, "strata"), into);
}

void view_facts(const struct json *rollout, struct buf *into)
{
        print_value(into, json_get(rollout, "state"));
        buf_addf(into, "  exposed %lld  proven %lld  hurt %lld  budget %lld of %lld  window %lld  ", (long long)number(rollout, "exposed"),
                 (long long)number(rollout, "proven"), (long long)number(rollout, "hurt"), (long long)number(rollout, "attributed"),
                 (long long)number(rollout, "budget"), (long long)number(rollout, "window"));
        print_value(into, json_get(rollout, "sentence"));
        buf_add_text(into, "\n");
}

void view_line(const struct view *view, const struct json *rollout, struct buf *into)
{
        int64_t started = number(rollout, "started");
        OWN(buf) struct buf age;
        buf_init(&age, LINE_BYTES_MAX);
        print_span(&age, started > 0 ? view->now - started : 0);
        buf_addf(into, "%7s  ", buf_text(&age));
        view_facts(rollout, into);
}
