#include "replay/page_scenario.h"

#include "replay/page_assume.h"
#include "replay/page_curves.h"
#include "replay/page_html.h"
#include "replay/words.h"

#include <inttypes.h>
#include <math.h>

enum { RUNS_SHOWN_MAX = 40 };                    /* more of them are folded up */

static bool has_seeds(const struct study *study)
{
        return study->plan.seeds > 1;
}

/* By the logarithm: one hurt device is to be seen beside a million. */
static void add_bar(int64_t hurt, int64_t fleet, unsigned style, struct buf *into)
{
        if (hurt <= 0 || fleet <= 0)
                return;
        double width = 100 * log1p((double)hurt) / log1p((double)fleet);
        buf_addf(into, "<span class=\"bar l%u\" style=\"width:", style % 8);
        page_tenths(into, fmin(width, 100));
        buf_add_text(into, "%\"></span>");
}

static bool has_history(const struct scenario *scenario)
{
        return scenario->history.hurt >= 0 || scenario->history.exposed >= 0 || scenario->history.stop_s >= 0;
}

static void add_history(const struct study *study, const struct scenario *scenario, struct buf *into)
{
        const struct scenario_history *history = &scenario->history;
        if (!has_history(scenario))
                return;
        buf_add_text(into, "<tr class=\"was\"><th scope=\"row\">as it was</th>");
        page_count_cell(history->hurt, into);
        if (has_seeds(study))
                page_text_cell("", into);
        buf_add_text(into, "<td></td>");
        page_count_cell(history->exposed, into);
        page_text_cell(history->stop_s >= 0 ? "people" : "-", into);
        page_span_cell(history->stop_s, into);
        page_span_cell(-1, into);
        buf_add_text(into, "</tr>\n");
}

static void add_outcome(const struct study *study, const struct study_row *row, struct buf *into)
{
        buf_add_text(into, "<tr><th scope=\"row\">");
        page_row_name(study, row, into);
        buf_add_text(into, "</th>");
        page_count_cell(row->hurt.median, into);
        if (has_seeds(study))
                page_count_cell(row->hurt.worst, into);
        buf_add_text(into, "<td class=\"bars\">");
        add_bar(row->hurt.median, row->runs[0].fleet, page_line_of(study, row), into);
        buf_add_text(into, "</td>");
        page_count_cell(row->exposed.median, into);
        buf_add_text(into, "<td>");
        words_stopped(into, row);
        buf_add_text(into, "</td>");
        page_span_cell(row->stop_s.median, into);
        page_span_cell(row->complete_s.median, into);
        buf_add_text(into, "</tr>\n");
}

/* The event's fleet, where another size is simulated: counts of the two are not to be set against each other. */
static void add_note(const struct study *study, const struct scenario *scenario, struct buf *into)
{
        buf_add_text(into, "<p class=\"note\">Counts are devices. The bars are logarithmic: their whole width is the fleet.");
        buf_add_text(into, " Complete: ");
        words_ppm(into, study->plan.policy.complete_ppm);
        buf_add_text(into, " of the devices that had checked in by then, held-out ones left out, have it proven.");
        if (has_seeds(study))
                buf_addf(into, " Each row sums up %u runs; medians, and the worst of them.", study->plan.seeds);
        if (study->plan.fleet && study->plan.fleet != scenario->fleet.devices && has_history(scenario)) {
                buf_add_text(into, " As it was, the fleet had ");
                words_count(into, scenario->fleet.devices);
                buf_add_text(into, " devices; ");
                words_count(into, study->plan.fleet);
                buf_add_text(into, " are simulated.");
        }
        buf_add_text(into, "</p>\n");
}

static void add_outcomes(const struct study *study, const struct scenario *scenario, struct buf *into)
{
        static const char *const one[] = { "Policy", ">Hurt", "", ">Exposed", "Stopped by", ">Stopped after", ">Complete after" };
        static const char *const many[] = { "Policy", ">Hurt, median", ">Hurt, worst", "", ">Exposed", "Stopped by", ">Stopped after", ">Complete after" };
        page_table_begin("What came of it", into);
        page_heads(has_seeds(study) ? many : one, has_seeds(study) ? 8 : 7, into);
        buf_add_text(into, "<tbody>\n");
        add_history(study, scenario, into);
        for (size_t i = 0; i < study->row_count; i++)
                if (study->rows[i].scenario == scenario && study->rows[i].run_count)
                        add_outcome(study, &study->rows[i], into);
        buf_add_text(into, "</tbody>\n");
        page_table_end(into);
        add_note(study, scenario, into);
}

/* What it came to first, as in the table of all policies; what it is made of may lie behind the edge. */
static void add_run(const struct study *study, const struct study_row *row, size_t at, struct buf *into)
{
        const struct replay_result *run = &row->runs[at];
        const int64_t counts[] = { run->susceptible, run->stop_s >= 0 ? (int64_t)run->hurt_at_stop : -1, run->seen_hurt, run->dark, run->recovered };
        const char *stopper = rollout_stopper_word(run->stopped_by);
        buf_add_text(into, "<tr><th scope=\"row\">");
        page_row_name(study, row, into);
        buf_addf(into, "</th><td class=\"n\">%" PRIu64 "</td>", row->seed + at);
        page_count_cell(run->hurt, into);
        page_count_cell(run->exposed, into);
        page_text_cell(run->was_stopped_wrongly ? "wrongly" : stopper ? stopper : "-", into);
        page_span_cell(run->stop_s, into);
        page_span_cell(run->complete_s, into);
        buf_add_text(into, "<td class=\"words\">");
        page_escape(run->sentence, into);
        buf_add_text(into, "</td>");
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
                page_count_cell(counts[i], into);
        page_value_cell(round(run->device_hours_lost), into);
        buf_add_text(into, "</tr>\n");
}

static void add_runs(const struct study *study, const struct scenario *scenario, struct buf *into)
{
#define SPACE "\302\240"                          /* where no line ends: two lines are enough for each */
        static const char *const titles[] = { "Policy", ">Seed", ">Hurt", ">Exposed", "Stopped by", ">Stopped after", ">Complete after", "In its own words", ">Susceptible",
                                              ">Hurt" SPACE "at the" SPACE "stop", ">Counted as" SPACE "hurt", ">Of" SPACE "the hurt," SPACE "dark", ">Well again",
                                              ">Device\342\200\221hours lost" };
#undef SPACE
        size_t runs = 0;
        for (size_t i = 0; i < study->row_count; i++)
                runs += study->rows[i].scenario == scenario ? study->rows[i].run_count : 0;
        bool is_folded = runs > RUNS_SHOWN_MAX;
        buf_add_text(into, "<h3>All runs</h3>\n");
        if (is_folded)
                buf_addf(into, "<details><summary>All %zu of them</summary>\n", runs);
        page_table_begin("All runs", into);
        page_heads(titles, sizeof(titles) / sizeof(titles[0]), into);
        buf_add_text(into, "<tbody>\n");
        for (size_t i = 0; i < study->row_count; i++)
                for (size_t r = 0; study->rows[i].scenario == scenario && r < study->rows[i].run_count; r++)
                        add_run(study, &study->rows[i], r, into);
        buf_add_text(into, "</tbody>\n");
        page_table_end(into);
        buf_add_text(into, is_folded ? "</details>\n" : "");
        buf_add_text(into, "<p class=\"note\">Hurt is what the simulator knows: devices that the release harmed. Counted as hurt is what the policy saw, whatever the cause: "
                           "reports of harm, and for a policy that minds it, silence.</p>\n");
}

static void add_head(const struct study *study, const struct scenario *scenario, struct buf *into)
{
        OWN(buf) struct buf text;
        buf_init(&text, 4096);
        buf_addf(into, "<section id=\"s-");
        page_escape(scenario->name, into);
        buf_add_text(into, "\">\n<h1>");
        page_escape(scenario->title, into);
        buf_add_text(into, "</h1>\n<p class=\"meta\">");
        if (scenario->when && scenario->when[0])
                buf_addf(&text, "%s \302\267 ", scenario->when);
        buf_addf(&text, "%s \302\267 ", scenario->class);
        for (size_t i = 0; i < study->row_count; i++)
                if (study->rows[i].scenario == scenario && study->rows[i].run_count) {
                        words_count(&text, study->rows[i].runs[0].fleet);
                        buf_add_text(&text, " devices simulated");
                        break;
                }
        page_escape(buf_text(&text), into);
        buf_add_text(into, "</p>\n<p class=\"headline\">");
        buf_clear(&text);
        words_headline(&text, study, scenario);
        page_escape(buf_text(&text), into);
        buf_add_text(into, "</p>\n");
}

static void add_background(const struct scenario *scenario, struct buf *into)
{
        OWN(buf) struct buf marks;
        buf_init(&marks, 256);
        words_marks(&marks, scenario);
        buf_add_text(into, "<h2>What is known, and what is guessed</h2>\n<dl>\n");
        page_term("What happened", scenario->history.text, into);
        page_term("Source", scenario->source, into);
        page_term("Guessed", scenario->guessed, into);
        page_term("Marks", buf_text(&marks), into);
        page_term("Why no gate can see it in time", scenario->unseen, into);
        page_term("What contains it on the device", scenario->contained, into);
        buf_add_text(into, "</dl>\n");
}

enum err page_scenario(const struct study *study, const struct scenario *scenario, struct buf *into, struct why *why)
{
        add_head(study, scenario, into);
        add_outcomes(study, scenario, into);
        buf_add_text(into, "<h2>Over time</h2>\n");
        page_legend(study, scenario, into);
        enum err e = page_curves(study, scenario, into, why);
        if (has_seeds(study))
                buf_add_text(into, "<p class=\"note\">Of each policy the run in the middle by hurt devices is drawn.</p>\n");
        if (!e)
                e = page_trade_off(study, scenario, into, why);
        if (e)
                return e;
        add_background(scenario, into);
        page_assume_scenario(scenario, into);
        add_runs(study, scenario, into);
        buf_add_text(into, "</section>\n");
        return buf_check(into, why);
}
