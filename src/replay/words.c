#include "replay/words.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void words_count(struct buf *into, int64_t count)
{
        char digits[24];
        if (count < 0) {
                buf_add_text(into, "-");
                return;
        }
        size_t length = (size_t)snprintf(digits, sizeof(digits), "%" PRId64, count);
        for (size_t i = 0; i < length; i++) {
                if (i && (length - i) % 3 == 0)
                        buf_add_text(into, ",");
                buf_add(into, &digits[i], 1);
        }
}

/* "2.4e13": of evidence the size counts, not the figures. */
static void add_power_of_ten(struct buf *into, double value)
{
        int power = (int)floor(log10(value)), tenths = (int)(value / pow(10, power) * 10);
        buf_addf(into, "%d.%de%d", tenths / 10, tenths % 10, power);
}

void words_value(struct buf *into, double value)
{
        if (!(value >= 0))                       /* also what is no number */
                buf_add_text(into, "-");
        else if (!isfinite(value))
                buf_add_text(into, "beyond all numbers");
        else if (value >= 1e10)
                add_power_of_ten(into, value);
        else if (value >= 10 || value == floor(value))
                words_count(into, (int64_t)value);
        else
                buf_addf(into, "%d.%d", (int)(value * 10) / 10, (int)(value * 10) % 10);
}

static void two_units(struct buf *into, int64_t large, const char *unit, int64_t small, const char *small_unit)
{
        buf_addf(into, "%" PRId64 " %s", large, unit);
        if (small)
                buf_addf(into, " %" PRId64 " %s", small, small_unit);
}

void words_span(struct buf *into, int64_t seconds)
{
        enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };
        if (seconds < 0)
                buf_add_text(into, "-");
        else if (seconds < 2 * MINUTE)
                buf_addf(into, "%" PRId64 " s", seconds);
        else if (seconds < 2 * HOUR)
                buf_addf(into, "%" PRId64 " min", seconds / MINUTE);
        else if (seconds < 2 * DAY)
                two_units(into, seconds / HOUR, "h", seconds % HOUR / MINUTE, "min");
        else
                two_units(into, seconds / DAY, "d", seconds % DAY / HOUR, "h");
}

void words_ppm(struct buf *into, int64_t ppm)
{
        char text[32];
        size_t length = (size_t)snprintf(text, sizeof(text), "%" PRId64 ".%04" PRId64, ppm / 10000, ppm % 10000);
        while (text[length - 1] == '0')
                length--;
        if (text[length - 1] == '.')
                length--;
        buf_addf(into, "%.*s%%", (int)length, text);
}

void words_stopped(struct buf *into, const struct study_row *row)
{
        const char *between = "";
        bool is_all = false;
        for (unsigned by = ROLLOUT_BY_GATE; by <= ROLLOUT_BY_OPERATOR; by++)
                if (row->stopped[by]) {
                        is_all = row->stopped[by] == row->run_count;
                        buf_addf(into, "%s%s", between, rollout_stopper_word((enum rollout_stopper)by));
                        if (!is_all)
                                buf_addf(into, " %" PRIu32, row->stopped[by]);
                        between = ", ";
                }
        if (!between[0])
                buf_add_text(into, "-");
        else if (!is_all)
                buf_addf(into, " of %zu", row->run_count);
}

void words_row(struct buf *into, const struct study *study, const struct study_row *row)
{
        buf_add_text(into, row->director->name);
        if (study->plan.budget_count > 1 && study_knows_budget(row->director)) {
                buf_add_text(into, ", budget ");
                words_count(into, row->policy.budget);
        }
}

static const struct study_row *find_row(const struct study *study, const struct scenario *scenario, const char *policy)
{
        for (size_t i = 0; i < study->row_count; i++) {
                const struct study_row *row = &study->rows[i];
                if (row->scenario == scenario && study_is_main(study, row) && row->run_count && (!policy || strcmp(row->director->name, policy) == 0))
                        return row;
        }
        return NULL;
}

/* Firebreak's row speaks for the study where there is one. */
static const struct study_row *spokesman(const struct study *study, const struct scenario *scenario)
{
        const struct study_row *row = find_row(study, scenario, "firebreak");
        return row ? row : find_row(study, scenario, NULL);
}

static void add_who(struct buf *into, const struct study_row *row)
{
        bool is_ours = strcmp(row->director->name, "firebreak") == 0;
        buf_addf(into, is_ours ? "Firebreak" : "The policy %s", row->director->name);
        if (!is_ours)
                return;
        buf_add_text(into, " with a harm budget of ");
        words_count(into, row->policy.budget);
}

static void add_hurt(struct buf *into, int64_t hurt, int64_t fleet)
{
        if (hurt)
                words_count(into, hurt);
        buf_add_text(into, hurt ? " of " : "none of ");
        words_count(into, fleet);
        buf_add_text(into, hurt > 1 ? " devices were hurt" : " devices was hurt");
}

/* Complete is not everybody: who was away meanwhile did not get it, and some come for it later. */
static void add_given(struct buf *into, const struct replay_result *run)
{
        buf_add_text(into, "in all ");
        words_count(into, run->exposed);
        buf_add_text(into, " of ");
        words_count(into, run->fleet);
        buf_add_text(into, " devices got it, and ");
        if (run->hurt)
                words_count(into, run->hurt);
        buf_add_text(into, run->hurt ? " of them " : "none of them ");
        buf_add_text(into, run->hurt > 1 ? "were hurt" : "was hurt");
}

static void add_end(struct buf *into, const struct study_row *row, const struct replay_result *run)
{
        bool is_good = row->scenario->faults.count == 0;
        if (run->stop_s >= 0) {
                buf_addf(into, " stopped %s after ", is_good ? "this good release" : "it");
                words_span(into, run->stop_s);
        } else if (run->complete_s >= 0) {
                buf_addf(into, " called %s complete after ", is_good ? "this good release" : "it");
                words_span(into, run->complete_s);
        } else {
                buf_addf(into, " neither stopped %s nor finished it within ", is_good ? "this good release" : "it");
                words_span(into, row->scenario->for_s);
        }
}

/* What would have been without, and what was. */
static void add_others(struct buf *into, const struct study *study, const struct study_row *row)
{
        const struct study_row *other = find_row(study, row->scenario, "all-at-once");
        const struct scenario_history *history = &row->scenario->history;
        if (other && other != row && row->scenario->faults.count) {
                buf_add_text(into, " Given to all at once, it hurt ");
                words_count(into, other->hurt.median);
                buf_add_text(into, ".");
        }
        if (history->hurt >= 0 && row->scenario->faults.count) {
                buf_add_text(into, " As it was, it hurt ");
                words_count(into, history->hurt);
                buf_add_text(into, history->hurt == 1 ? " device." : " devices.");
        }
}

void words_headline(struct buf *into, const struct study *study, const struct scenario *scenario)
{
        const struct study_row *row = spokesman(study, scenario);
        if (!row)
                return;
        const struct replay_result *run = &row->runs[row->typical];
        add_who(into, row);
        add_end(into, row, run);
        buf_add_text(into, "; ");
        if (run->stop_s < 0 && run->complete_s >= 0)
                add_given(into, run);
        else
                add_hurt(into, run->hurt, run->fleet);
        buf_add_text(into, row->run_count > 1 ? " (the middle one of " : ".");
        if (row->run_count > 1)
                buf_addf(into, "%zu runs).", row->run_count);
        add_others(into, study, row);
}

static void add_fleet(struct buf *into, const struct study *study, const struct scenario *scenario)
{
        const struct study_row *row = spokesman(study, scenario);
        words_count(into, row ? row->runs[0].fleet : study->plan.fleet ? study->plan.fleet : scenario->fleet.devices);
        buf_addf(into, " devices from %s UTC on; ", scenario->start);
        words_ppm(into, scenario->fleet.office_ppm);
        buf_add_text(into, " are desktops on in office hours, ");
        words_ppm(into, scenario->fleet.laptop_ppm);
        buf_add_text(into, " laptops on by fits; whatever they run, ");
        words_ppm(into, scenario->weather.dark_ppm);
        buf_add_text(into, " drop out in 12 min and ");
        words_ppm(into, scenario->weather.crash_ppm_per_day);
        buf_add_text(into, " crash in a day");
}

static void add_policy(struct buf *into, const struct rollout_policy *policy)
{
        buf_add_text(into, "bake ");
        words_span(into, policy->bake_s);
        buf_add_text(into, ", gap ");
        words_span(into, policy->gap_s);
        buf_addf(into, ", silence %s; at most ", policy->bound_silence ? "bounded" : "not bounded, explicit signals alone");
        words_count(into, policy->cap_per_bake);
        buf_addf(into, " new exposures in a bake; %" PRId64 " controls for each, ", policy->controls);
        words_ppm(into, policy->holdout_ppm);
        buf_add_text(into, " held out; alpha ");
        words_ppm(into, policy->alpha_ppm);
        buf_add_text(into, "; complete when proven by ");
        words_ppm(into, policy->complete_ppm);
        buf_add_text(into, " of those that check in");
}

void words_assumed(struct buf *into, const struct study *study, const struct scenario *scenario)
{
        const struct study_plan *plan = &study->plan;
        buf_add_text(into, "Assumed: ");
        add_fleet(into, study, scenario);
        buf_add_text(into, "; ");
        add_policy(into, &plan->policy);
        if (plan->seeds > 1)
                buf_addf(into, "; the median of seeds %" PRIu64 " to %" PRIu64 ".", plan->seed, plan->seed + plan->seeds - 1);
        else
                buf_addf(into, "; seed %" PRIu64 ".", plan->seed);
}

/* At the beginning of a word: "TV: " has none. */
static bool has_mark(const char *text, const char *mark)
{
        for (const char *at = text; at && (at = strstr(at, mark)); at++)
                if (at == text || strchr(" (\n", at[-1]))
                        return true;
        return false;
}

void words_marks(struct buf *into, const struct scenario *scenario)
{
        static const struct { const char *mark, *meaning; } marks[] = {
                { "V: ", "V: read in the source that is named" }, { "V2: ", "V2: read in one that quotes it" }, { "M: ", "M: from memory, not verified" },
        };
        const char *between = "";
        for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
                if (has_mark(scenario->source, marks[i].mark) || has_mark(scenario->guessed, marks[i].mark)) {
                        buf_addf(into, "%s%s", between, marks[i].meaning);
                        between = "; ";
                }
        buf_add_text(into, between[0] ? "." : "");
}

/* What a whole catalogue came to under one policy. */
struct tally { uint32_t bad, stopped, good, finished; int64_t most_hurt; };

static struct tally tally_of(const struct study *study)
{
        struct tally tally = { 0 };
        for (size_t i = 0; i < study->plan.scenario_count; i++) {
                const struct scenario *scenario = &study->plan.scenarios[i];
                const struct study_row *row = spokesman(study, scenario);
                bool is_bad = scenario->faults.count, is_stopped = row && row->stop_s.median >= 0;
                tally.bad += is_bad;
                tally.good += !is_bad;
                tally.stopped += is_bad && is_stopped;
                tally.finished += row && !is_bad && !is_stopped && row->complete_s.median >= 0;
                if (is_bad && is_stopped && row->hurt.median > tally.most_hurt)
                        tally.most_hurt = row->hurt.median;
        }
        return tally;
}

void words_overview(struct buf *into, const struct study *study)
{
        struct tally tally = tally_of(study);
        const struct study_row *row = study->plan.scenario_count ? spokesman(study, &study->plan.scenarios[0]) : NULL;
        if (!row)
                return;
        add_who(into, row);
        buf_addf(into, " stopped %" PRIu32 " of %" PRIu32 " bad releases", tally.stopped, tally.bad);
        if (tally.stopped) {
                buf_add_text(into, ", with at most ");
                words_count(into, tally.most_hurt);
                buf_add_text(into, " devices hurt in any of these");
        }
        if (tally.good)
                buf_addf(into, ", and completed %" PRIu32 " of %" PRIu32 " good ones", tally.finished, tally.good);
        buf_add_text(into, ".");
}
