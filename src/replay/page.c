#include "replay/page.h"

#include "replay/page_assume.h"
#include "replay/page_html.h"
#include "replay/page_scenario.h"
#include "replay/words.h"

/* Minutes say nothing beside hours. */
static void add_rough_span(int64_t seconds, struct buf *into)
{
        enum { HOUR = 3600 };
        words_span(into, seconds >= 2 * HOUR ? (seconds + HOUR / 2) / HOUR * HOUR : seconds);
}

/* What one scenario came to under one policy, in two lines. */
static void add_overview_cell(const struct study_row *row, struct buf *into)
{
        bool is_stopped = row->stop_s.median >= 0, is_bad = row->scenario->faults.count;
        buf_addf(into, "<td class=\"n%s\">", is_bad != is_stopped ? " missed" : "");
        words_count(into, row->hurt.median);
        buf_add_text(into, "<small>");
        if (is_stopped) {
                buf_add_text(into, "stopped ");
                add_rough_span(row->stop_s.median, into);
        } else if (row->complete_s.median >= 0) {
                buf_add_text(into, "complete ");
                add_rough_span(row->complete_s.median, into);
        } else {
                buf_add_text(into, "neither");
        }
        buf_add_text(into, "</small></td>");
}

static void add_overview_row(const struct study *study, const struct scenario *scenario, struct buf *into)
{
        buf_add_text(into, "<tr><th scope=\"row\" class=\"name\"><a href=\"#s-");
        page_escape(scenario->name, into);
        buf_add_text(into, "\">");
        page_escape(scenario->title, into);
        buf_add_text(into, "</a><small>");
        page_escape(scenario->class, into);
        buf_add_text(into, "</small></th>");
        for (size_t i = 0; i < study->row_count; i++)
                if (study->rows[i].scenario == scenario && study_is_main(study, &study->rows[i]))
                        add_overview_cell(&study->rows[i], into);
        buf_add_text(into, "</tr>\n");
}

static void add_overview(const struct study *study, struct buf *into)
{
        const struct study_plan *plan = &study->plan;
        OWN(buf) struct buf text;
        buf_init(&text, 4096);
        words_overview(&text, study);
        buf_addf(into, "<section id=\"overview\">\n<h1>%zu releases replayed</h1>\n<p class=\"headline\">", plan->scenario_count);
        page_escape(buf_text(&text), into);
        buf_add_text(into, "</p>\n");
        page_table_begin("All scenarios", into);
        buf_add_text(into, "<thead><tr><th scope=\"col\">Scenario</th>");
        for (size_t i = 0; i < plan->director_count; i++) {
                buf_add_text(into, "<th scope=\"col\" class=\"n\">");
                page_escape(plan->directors[i]->name, into);
                buf_add_text(into, "</th>");
        }
        buf_add_text(into, "</tr></thead>\n<tbody>\n");
        for (size_t i = 0; i < plan->scenario_count; i++)
                add_overview_row(study, &plan->scenarios[i], into);
        buf_add_text(into, "</tbody>\n");
        page_table_end(into);
        buf_add_text(into, "<p class=\"note\">Hurt devices, the median over the seeds; below it, how the rollout ended. In italics: a bad release that was not stopped, or a good one that was.</p>\n</section>\n");
}

static void add_title(const struct study *study, struct buf *into)
{
        buf_add_text(into, "<title>");
        if (study->plan.scenario_count == 1)
                page_escape(study->plan.scenarios[0].title, into);
        else
                buf_addf(into, "%zu releases", study->plan.scenario_count);
        buf_add_text(into, " - firebreak replay</title>\n");
}

enum err page_write(const struct study *study, const char *command, struct buf *into, struct why *why)
{
        enum err e = OK;
        buf_add_text(into, "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
                           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<meta name=\"color-scheme\" content=\"light dark\"/>\n"
                           "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n");
        add_title(study, into);
        buf_addf(into, "<style>\n%s</style>\n</head>\n<body>\n<main>\n<p class=\"kicker\">Firebreak replay \302\267 simulated with the code that runs rollouts</p>\n", page_style);
        if (study->plan.scenario_count > 1)
                add_overview(study, into);
        for (size_t i = 0; !e && i < study->plan.scenario_count; i++)
                e = page_scenario(study, &study->plan.scenarios[i], into, why);
        if (e)
                return e;
        page_assume_study(study, command, into);
        buf_add_text(into, "</main>\n</body>\n</html>\n");
        return buf_check(into, why);
}
