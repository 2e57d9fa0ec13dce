#include "replay/page_curves.h"

#include "base/mem.h"
#include "replay/page_html.h"
#include "replay/page_plot.h"
#include "replay/words.h"

#include <stdio.h>
#include <string.h>

enum { LINES_MAX = 16, LABEL_MAX = 96 };         /* lines of one plot: policies, or budgets of one command line */

static size_t place_of(const struct study *study, const struct scenario *scenario)
{
        return (size_t)(scenario - study->plan.scenarios);
}

unsigned page_line_of(const struct study *study, const struct study_row *row)
{
        const struct study_plan *plan = &study->plan;
        for (unsigned i = 0; plan->director_count == 1 && i < plan->budget_count; i++)
                if (plan->budgets[i] == row->policy.budget)
                        return i;
        for (unsigned i = 0; i < plan->director_count; i++)
                if (plan->directors[i] == row->director)
                        return i;
        return 0;
}

/* Those of a scenario that are drawn. */
static size_t choose_rows(const struct study *study, const struct scenario *scenario, const struct study_row *rows[static LINES_MAX])
{
        size_t count = 0;
        for (size_t i = 0; i < study->row_count && count < LINES_MAX; i++) {
                const struct study_row *row = &study->rows[i];
                if (row->scenario == scenario && row->run_count && (study->plan.director_count == 1 || study_is_main(study, row)))
                        rows[count++] = row;
        }
        return count;
}

static double exposed_at(const struct replay_point *point) { return point->exposed; }
static double hurt_at(const struct replay_point *point) { return point->hurt; }
static double window_at(const struct replay_point *point) { return point->window; }
static double evidence_at(const struct replay_point *point) { return point->evidence; }

static const struct curve {
        const char *id, *title, *about;
        double (*value)(const struct replay_point *point);
        bool has_alarm;                          /* the level at which evidence halts is drawn */
} curves[] = {
        { "exposed", "Exposed devices", "How many devices were given the release.", exposed_at, false },
        { "hurt", "Hurt devices", "How many devices the release had harmed, whether anybody knew it yet or not.", hurt_at, false },
        { "window", "Window", "How many more devices the policy would expose at that moment.", window_at, false },
        { "evidence", "Evidence against the release", "How strongly the answers speak against it: 1 is nothing, and what is far beyond proof is cut off. Not every policy weighs it.", evidence_at, true },
};

/* The last value that was there at that time. */
static double value_at(const struct curve *curve, const struct replay_result *run, int64_t at_s)
{
        double value = 0;
        for (uint32_t i = 0; i < run->point_count && run->points[i].at_s <= at_s; i++)
                value = curve->value(&run->points[i]);
        return value;
}

static int64_t end_of(const struct replay_result *run)
{
        return run->point_count ? run->points[run->point_count - 1].at_s : 0;
}

/* Lines and marks of one plot, and the texts that they borrow. */
struct drawing {
        struct plot_line lines[LINES_MAX];
        struct plot_mark marks[2 * LINES_MAX];
        char labels[2 * LINES_MAX][LABEL_MAX];
        struct plot_xy *points;                  /* of all lines */
        size_t line_count, mark_count, point_count;
};

static void drawing_release(struct drawing *drawing)
{
        mem_free(drawing->points);
}

static void add_drawing_mark(struct drawing *drawing, const struct plot_mark *mark, const char *word, const char *name)
{
        OWN(buf) struct buf text;
        char *label = drawing->labels[drawing->mark_count];
        buf_init(&text, LABEL_MAX);
        words_span(&text, (int64_t)mark->at.x);
        snprintf(label, LABEL_MAX, "%s: %s after %s", name, word, buf_text(&text));
        drawing->marks[drawing->mark_count] = *mark;
        drawing->marks[drawing->mark_count++].text = label;
}

static void draw_row(struct drawing *drawing, const struct study *study, const struct study_row *row, const struct curve *curve)
{
        const struct replay_result *run = &row->runs[row->typical];
        struct plot_xy *points = drawing->points + drawing->point_count;
        unsigned style = page_line_of(study, row);
        OWN(buf) struct buf name;
        buf_init(&name, LABEL_MAX);
        words_row(&name, study, row);
        for (uint32_t i = 0; i < run->point_count; i++)
                points[i] = (struct plot_xy){ (double)run->points[i].at_s, curve->value(&run->points[i]) };
        drawing->lines[drawing->line_count++] = (struct plot_line){ style, points, run->point_count };
        drawing->point_count += run->point_count;
        if (run->stop_s >= 0)
                add_drawing_mark(drawing, &(struct plot_mark){ PLOT_STOP, style, { (double)run->stop_s, value_at(curve, run, run->stop_s) }, NULL }, "stopped", buf_text(&name));
        if (run->complete_s >= 0)
                add_drawing_mark(drawing, &(struct plot_mark){ PLOT_COMPLETE, style, { (double)run->complete_s, value_at(curve, run, run->complete_s) }, NULL }, "complete",
                                 buf_text(&name));
}

/* Most policies weigh no evidence: they have no line there. */
static size_t keep_rows_with(const struct curve *curve, const struct study_row **rows, size_t count)
{
        size_t kept = 0;
        for (size_t i = 0; i < count; i++) {
                const struct replay_result *run = &rows[i]->runs[rows[i]->typical];
                bool has_any = !curve->has_alarm;
                for (uint32_t p = 0; !has_any && p < run->point_count; p++)
                        has_any = curve->value(&run->points[p]) > 0;
                if (has_any)
                        rows[kept++] = rows[i];
        }
        return kept;
}

/* "2 d" is two days and up to an hour. */
static bool reads_as(int64_t seconds, int64_t other)
{
        OWN(buf) struct buf text, other_text;
        buf_init(&text, LABEL_MAX);
        buf_init(&other_text, LABEL_MAX);
        words_span(&text, seconds);
        words_span(&other_text, other);
        return text.length && strcmp(buf_text(&text), buf_text(&other_text)) == 0;      /* no length: no memory */
}

/* When the table beside a plot looks; what lies beyond the end is left out, and the end added. */
static size_t choose_times(const struct study_row *const *rows, size_t count, int64_t times[static 10])
{
        static const int64_t looks[] = { 300, 900, 3600, 14400, 43200, 86400, 172800, 345600 };
        int64_t end = 0;
        size_t chosen = 0;
        for (size_t i = 0; i < count; i++)
                end = end_of(&rows[i]->runs[rows[i]->typical]) > end ? end_of(&rows[i]->runs[rows[i]->typical]) : end;
        for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]) && looks[i] < end; i++)
                times[chosen++] = looks[i];
        chosen -= chosen && reads_as(times[chosen - 1], end);      /* no two columns of one name */
        times[chosen++] = end;
        return chosen;
}

static void add_curve_table(const struct study *study, const struct study_row *const *rows, size_t count, const struct curve *curve, struct buf *into)
{
        int64_t times[10];
        size_t time_count = choose_times(rows, count, times);
        buf_add_text(into, "<details><summary>The same as a table</summary>\n");
        page_table_begin(curve->title, into);
        buf_add_text(into, "<thead><tr><th scope=\"col\">After</th>");
        for (size_t t = 0; t < time_count; t++) {
                buf_add_text(into, "<th scope=\"col\" class=\"n\">");
                words_span(into, times[t]);
                buf_add_text(into, "</th>");
        }
        buf_add_text(into, "</tr></thead>\n<tbody>\n");
        for (size_t i = 0; i < count; i++) {
                buf_add_text(into, "<tr><th scope=\"row\">");
                page_row_name(study, rows[i], into);
                buf_add_text(into, "</th>");
                for (size_t t = 0; t < time_count; t++)
                        page_value_cell(value_at(curve, &rows[i]->runs[rows[i]->typical], times[t]), into);
                buf_add_text(into, "</tr>\n");
        }
        buf_add_text(into, "</tbody>\n");
        page_table_end(into);
        buf_add_text(into, "</details>\n");
}

/* For who does not see the picture: where each line ends. */
static void describe(const struct study *study, const struct study_row *const *rows, size_t count, const struct curve *curve, struct buf *into)
{
        buf_addf(into, "%s Over time, by a logarithmic scale.", curve->about);
        for (size_t i = 0; i < count; i++) {
                const struct replay_result *run = &rows[i]->runs[rows[i]->typical];
                buf_add_text(into, " ");
                words_row(into, study, rows[i]);
                buf_add_text(into, " ends at ");
                words_value(into, value_at(curve, run, end_of(run)));
                if (run->stop_s >= 0) {
                        buf_add_text(into, ", stopped after ");
                        words_span(into, run->stop_s);
                }
                if (run->complete_s >= 0) {
                        buf_add_text(into, ", complete after ");
                        words_span(into, run->complete_s);
                }
                buf_add_text(into, ".");
        }
}

static void figure_begin(const char *title, const char *about, struct buf *into)
{
        buf_add_text(into, "<figure><figcaption><h3>");
        page_escape(title, into);
        buf_add_text(into, "</h3><p>");
        page_escape(about, into);
        buf_add_text(into, "</p></figcaption>\n");
}

static double alarm_level(const struct study_row *row)
{
        enum { MILLION = 1000000 };
        return row->policy.alpha_ppm > 0 ? MILLION / (double)row->policy.alpha_ppm : 0;
}

static enum err add_curve(const struct study *study, const struct scenario *scenario, const struct curve *curve, struct buf *into, struct why *why)
{
        const struct study_row *rows[LINES_MAX];
        OWN(drawing) struct drawing drawing = { .points = NULL };
        OWN(buf) struct buf about;
        buf_init(&about, LIMIT_PAGE_BYTES);
        char id[64];
        size_t count = keep_rows_with(curve, rows, choose_rows(study, scenario, rows)), points = 1;
        for (size_t i = 0; i < count; i++)
                points += rows[i]->runs[rows[i]->typical].point_count;
        drawing.points = mem_new(points, sizeof(*drawing.points));
        if (!drawing.points)
                return FAIL(why, ERR_NOMEM, "a plot of %zu points", points);
        for (size_t i = 0; i < count; i++)
                draw_row(&drawing, study, rows[i], curve);
        describe(study, rows, count, curve, &about);
        snprintf(id, sizeof(id), "s%zu-%s", place_of(study, scenario), curve->id);
        struct plot plot = { .id = id, .title = curve->title, .about = buf_text(&about), .x = { .title = "since the start", .unit = PLOT_SECONDS, .is_log = true },
                             .y = { .unit = PLOT_COUNT, .is_log = true }, .lines = drawing.lines, .line_count = drawing.line_count, .marks = drawing.marks,
                             .mark_count = drawing.mark_count };
        if (curve->has_alarm && count && study_knows_budget(rows[0]->director)) {
                plot.rule = alarm_level(rows[0]);
                plot.rule_text = "Firebreak halts here";
                plot.y.max = plot.rule * 1e4;    /* what is far beyond proof needs no room */
        }
        figure_begin(curve->title, curve->about, into);
        plot_write(&plot, into);
        add_curve_table(study, rows, count, curve, into);
        buf_add_text(into, "</figure>\n");
        return buf_check(&about, why);
}

enum err page_curves(const struct study *study, const struct scenario *scenario, struct buf *into, struct why *why)
{
        enum err e = OK;
        buf_add_text(into, "<div class=\"plots\">\n");
        for (size_t i = 0; !e && i < sizeof(curves) / sizeof(curves[0]); i++)
                e = add_curve(study, scenario, &curves[i], into, why);
        buf_add_text(into, "</div>\n");
        return e;
}

void page_legend(const struct study *study, const struct scenario *scenario, struct buf *into)
{
        const struct study_row *rows[LINES_MAX];
        size_t count = choose_rows(study, scenario, rows);
        buf_add_text(into, "<ul class=\"legend\">\n");
        for (size_t i = 0; i < count; i++) {
                buf_add_text(into, "<li>");
                plot_line_sample(page_line_of(study, rows[i]), into);
                page_row_name(study, rows[i], into);
                buf_add_text(into, "</li>\n");
        }
        buf_add_text(into, "<li>");
        plot_sample(PLOT_STOP, PLOT_STYLES - 1, into);
        buf_add_text(into, "stopped itself</li><li>");
        plot_sample(PLOT_COMPLETE, PLOT_STYLES - 1, into);
        buf_add_text(into, "complete</li></ul>\n");
}

/* The rows of one policy that knows a budget, as points of a curve over the budget. */
static size_t budget_points(const struct study *study, const struct scenario *scenario, bool is_time, struct plot_xy points[static LINES_MAX])
{
        size_t count = 0;
        for (size_t i = 0; i < study->row_count && count < LINES_MAX; i++) {
                const struct study_row *row = &study->rows[i];
                int64_t value = is_time ? row->complete_s.median : row->hurt.median;
                if (row->scenario == scenario && study_knows_budget(row->director) && row->run_count && value >= 0)
                        points[count++] = (struct plot_xy){ (double)row->policy.budget, (double)value };
        }
        return count;
}

/* Beneath the plot itself: what a budget costs in time is nothing without it. */
static void add_assumed(const struct study *study, const struct scenario *scenario, struct buf *into)
{
        OWN(buf) struct buf text;
        buf_init(&text, 4096);
        words_assumed(&text, study, scenario);
        buf_add_text(into, "<p class=\"note\">");
        page_escape(buf_text(&text), into);
        buf_add_text(into, "</p>\n");
}

static void add_trade(const struct study *study, const struct scenario *scenario, bool is_time, struct buf *into)
{
        struct plot_xy points[LINES_MAX];
        struct plot_mark marks[LINES_MAX];
        char id[64];
        size_t count = budget_points(study, scenario, is_time, points);
        const char *title = is_time ? "Budget against time to completion" : "Budget against hurt devices";
        const char *about = is_time ? "How long until the release is complete, by harm budget." : "How many devices the release hurts in all, by harm budget.";
        figure_begin(title, about, into);
        if (count) {
                const struct plot_line line = { 0, points, count };
                for (size_t i = 0; i < count; i++)
                        marks[i] = (struct plot_mark){ PLOT_DOT, 0, points[i], NULL };
                snprintf(id, sizeof(id), "s%zu-trade-%s", place_of(study, scenario), is_time ? "time" : "hurt");
                const int64_t *budgets = study->plan.budgets;
                size_t budget_count = study->plan.budget_count;
                struct plot plot = { .id = id, .title = title, .about = "The table below the plots has the same figures.", .lines = &line, .line_count = 1, .marks = marks, .mark_count = count,
                                     .x = { .title = "harm budget", .is_log = true, .max = (double)budgets[budget_count - 1] * 2, .ticks = budgets, .tick_count = budget_count },
                                     .y = { .unit = is_time ? PLOT_SECONDS : PLOT_COUNT, .is_log = true } };
                plot_write(&plot, into);
                add_assumed(study, scenario, into);
        } else {
                buf_add_text(into, "<p class=\"empty\">With none of these budgets was it complete. What a budget costs in time shows with a good release.</p>\n");
        }
        buf_add_text(into, "</figure>\n");
}

static void add_trade_table(const struct study *study, const struct scenario *scenario, struct buf *into)
{
        static const char *const titles[] = { ">Budget", ">Hurt, median", ">Hurt, worst", ">Exposed", "Stopped by", ">Stopped after", ">Complete after", ">at worst" };
        page_table_begin("Budgets", into);
        page_heads(titles, sizeof(titles) / sizeof(titles[0]), into);
        buf_add_text(into, "<tbody>\n");
        for (size_t i = 0; i < study->row_count; i++) {
                const struct study_row *row = &study->rows[i];
                if (row->scenario != scenario || !study_knows_budget(row->director))
                        continue;
                buf_add_text(into, "<tr><th scope=\"row\" class=\"n\">");
                words_count(into, row->policy.budget);
                buf_add_text(into, "</th>");
                page_count_cell(row->hurt.median, into);
                page_count_cell(row->hurt.worst, into);
                page_count_cell(row->exposed.median, into);
                buf_add_text(into, "<td>");
                words_stopped(into, row);
                buf_add_text(into, "</td>");
                page_span_cell(row->stop_s.median, into);
                page_span_cell(row->complete_s.median, into);
                page_span_cell(row->complete_s.worst, into);
                buf_add_text(into, "</tr>\n");
        }
        buf_add_text(into, "</tbody>\n");
        page_table_end(into);
}

enum err page_trade_off(const struct study *study, const struct scenario *scenario, struct buf *into, struct why *why)
{
        struct plot_xy points[LINES_MAX];
        if (study->plan.budget_count < 2 || !budget_points(study, scenario, false, points))
                return OK;
        buf_add_text(into, "<h2>What a budget costs</h2>\n<div class=\"plots\">\n");
        add_trade(study, scenario, true, into);
        add_trade(study, scenario, false, into);
        buf_add_text(into, "</div>\n");
        add_trade_table(study, scenario, into);
        return buf_check(into, why);
}
