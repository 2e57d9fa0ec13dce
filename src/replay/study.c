#include "replay/study.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Of the practices that Firebreak is compared with, none counts harm against a budget. */
bool study_knows_budget(const struct director_ops *director)
{
        return strcmp(director->name, "firebreak") == 0;
}

bool study_is_main(const struct study *study, const struct study_row *row)
{
        return !study_knows_budget(row->director) || row->policy.budget == study->plan.budgets[study->plan.budget_count / 2];
}

static size_t rows_of(const struct study_plan *plan)
{
        size_t rows = 0;
        for (size_t i = 0; i < plan->director_count; i++)
                rows += study_knows_budget(plan->directors[i]) ? plan->budget_count : 1;
        return rows * plan->scenario_count;
}

size_t study_runs(const struct study_plan *plan)
{
        return rows_of(plan) * plan->seeds;
}

/* "Not" comes after everything. */
static int compare(const void *left, const void *right)
{
        uint64_t a = (uint64_t) * (const int64_t *)left, b = (uint64_t) * (const int64_t *)right;
        return (a > b) - (a < b);
}

static struct study_spread spread_of(int64_t *values, size_t count)
{
        qsort(values, count, sizeof(*values), compare);
        return (struct study_spread){ .median = values[count / 2], .worst = values[count - 1] };
}

static void keep_typical_series(struct study_row *row)
{
        for (size_t i = row->run_count; i-- > 0;)
                if (row->runs[i].hurt == row->hurt.median)
                        row->typical = i;
        for (size_t i = 0; i < row->run_count; i++)
                if (i != row->typical) {
                        mem_free(row->runs[i].points);      /* replay_result_done() would do, but the counts stay */
                        row->runs[i].points = NULL;
                        row->runs[i].point_count = 0;
                }
}

enum err study_sum_up(struct study_row *row, struct why *why)
{
        enum { HURT, EXPOSED, STOP, COMPLETE, REACHED, SPREADS };
        int64_t *values[SPREADS] = { NULL };
        int64_t *all = mem_new(SPREADS * row->run_count, sizeof(*all));
        if (!all)
                return FAIL(why, ERR_NOMEM, "what %zu runs say", row->run_count);
        for (size_t s = 0; s < SPREADS; s++)
                values[s] = all + s * row->run_count;
        for (size_t i = 0; i < row->run_count; i++) {
                const struct replay_result *run = &row->runs[i];
                values[HURT][i] = run->hurt;
                values[EXPOSED][i] = run->exposed;
                values[STOP][i] = run->stop_s;
                values[COMPLETE][i] = run->complete_s;
                values[REACHED][i] = run->reached_s;
                row->stopped[run->stopped_by]++;
        }
        row->hurt = spread_of(values[HURT], row->run_count);
        row->exposed = spread_of(values[EXPOSED], row->run_count);
        row->stop_s = spread_of(values[STOP], row->run_count);
        row->complete_s = spread_of(values[COMPLETE], row->run_count);
        row->reached_s = spread_of(values[REACHED], row->run_count);
        mem_free(all);
        keep_typical_series(row);
        return OK;
}

/* Plots show time by its logarithm: points that come a fortieth of the time since the start apart are as many as can be told apart. */
static void thin_series(struct replay_result *run)
{
        enum { MINUTE = 60, APART = 40 };
        uint32_t kept = run->point_count ? 1 : 0;
        for (uint32_t i = 1; i < run->point_count; i++) {
                int64_t last = run->points[kept - 1].at_s;
                if (i == run->point_count - 1 || run->points[i].at_s - last >= (last + MINUTE) / APART)
                        run->points[kept++] = run->points[i];
        }
        run->point_count = kept;
}

/* Where it is, for those who wait: called from within a run. */
struct study_step {
        const struct study_watch *watch;
        const struct study_row *row;
        uint64_t seed;
        size_t before, runs;                     /* how many replays were done before this one, and are to do in all */
};

static void tell_progress(void *user, double done)
{
        const struct study_step *step = user;
        step->watch->progress(step->watch->user, ((double)step->before + done) / (double)step->runs, step->row, step->seed);
}

static enum err run_row(struct study *study, struct study_row *row, struct study_step *step, struct why *why)
{
        for (uint32_t i = 0; i < study->plan.seeds; i++, step->before++) {
                step->seed = row->seed + i;
                const struct replay_config config = {
                        .scenario = row->scenario, .director = row->director, .policy = row->policy, .fleet = study->plan.fleet, .seed = step->seed,
                        .rollback_s = study_knows_budget(row->director) ? study->plan.rollback_s : 0,
                        .points = study->plan.points, .tail_s = study->plan.tail_s, .progress = step->watch->progress ? tell_progress : NULL, .user = step,
                };
                enum err e = replay_run(&config, &row->runs[i], why);
                if (e)
                        return DURING(why, e, "%s under %s, seed %llu", row->scenario->name, row->director->name, (unsigned long long)step->seed);
                row->run_count++;
                thin_series(&row->runs[i]);
                if (step->watch->ran)
                        e = step->watch->ran(step->watch->user, row, i, why);
                if (e)
                        return e;
        }
        return study_sum_up(row, why);
}

static enum err add_row(struct study *study, const struct study_row *made, struct study_step *step, struct why *why)
{
        struct study_row *row = &study->rows[study->row_count++];
        *row = *made;
        row->seed = study->plan.seed;
        row->runs = mem_new(study->plan.seeds, sizeof(*row->runs));
        step->row = row;
        return row->runs ? run_row(study, row, step, why) : FAIL(why, ERR_NOMEM, "%u runs", study->plan.seeds);
}

static enum err run_scenario(struct study *study, const struct scenario *scenario, struct study_step *step, struct why *why)
{
        const struct study_plan *plan = &study->plan;
        enum err e = OK;
        for (size_t d = 0; !e && d < plan->director_count; d++)
                for (size_t b = 0; !e && b < (study_knows_budget(plan->directors[d]) ? plan->budget_count : 1); b++) {
                        struct study_row row = { .scenario = scenario, .director = plan->directors[d], .policy = plan->policy };
                        row.policy.budget = plan->budgets[b];
                        e = add_row(study, &row, step, why);
                }
        return e;
}

enum err study_run(const struct study_plan *plan, const struct study_watch *watch, struct study *ret_study, struct why *why)
{
        OWN(study) struct study study = { .plan = *plan };
        struct study_step step = { .watch = watch, .runs = study_runs(plan) };
        enum err e = OK;
        if (step.runs > LIMIT_REPLAY_RUNS)
                return FAIL(why, ERR_LIMIT, "%zu replays at once; %d is the limit", step.runs, LIMIT_REPLAY_RUNS);
        study.rows = mem_new(rows_of(plan), sizeof(*study.rows));
        if (!study.rows)
                return FAIL(why, ERR_NOMEM, "%zu rows", rows_of(plan));
        for (size_t s = 0; !e && s < plan->scenario_count; s++)
                e = run_scenario(&study, &plan->scenarios[s], &step, why);
        if (e)
                return e;
        *ret_study = study;
        study = (struct study){ 0 };
        return OK;
}

void study_done(struct study *study)
{
        for (size_t i = 0; i < study->row_count; i++) {
                for (size_t r = 0; r < study->rows[i].run_count; r++)
                        replay_result_done(&study->rows[i].runs[r]);
                mem_free(study->rows[i].runs);
        }
        mem_free(study->rows);
        *study = (struct study){ 0 };
}
