/* hand_made.h - a study whose figures nobody ran: two policies, one scenario, three seeds. */
#pragma once

#include "base/mem.h"
#include "replay/study.h"
#include "support/test.h"

#include <string.h>

enum { HAND_SEEDS = 3, HAND_ROWS = 4 };

static const struct director_ops hand_ours = { .name = "firebreak", .what = "the rollout library" };
static const struct director_ops hand_rings = { .name = "rings", .what = "1%, then <all> & \"everybody\"" };

struct hand_made {
        struct scenario scenario;
        struct scenario_fault fault;
        const struct director_ops *directors[2];
        int64_t budgets[3];
        struct study study;
};

static inline void hand_made_release(struct hand_made *made)
{
        for (size_t i = 0; i < made->study.row_count; i++) {
                for (size_t r = 0; r < made->study.rows[i].run_count; r++)
                        mem_free(made->study.rows[i].runs[r].points);
                mem_free(made->study.rows[i].runs);
        }
        mem_free(made->study.rows);
}

static inline void hand_run(struct replay_result *run, uint32_t hurt, int64_t stop_s, uint32_t points)
{
        *run = (struct replay_result){ .fleet = 200000, .susceptible = 200000, .exposed = hurt + 2, .hurt = hurt, .dark = hurt, .stop_s = stop_s, .complete_s = stop_s < 0 ? 9000 : -1,
                                       .stopped_by = stop_s < 0 ? ROLLOUT_BY_NOBODY : ROLLOUT_BY_GATE, .sentence = "It says <what> & \"why\".", .point_count = points };
        run->points = points ? mem_new(points, sizeof(*run->points)) : NULL;
        for (uint32_t i = 0; i < points; i++)
                run->points[i] = (struct replay_point){ i * 60, hurt * i / points, 0, hurt * i / points, 0, 30, i };
}

/* Rows: firebreak with each of the budgets, and rings. `points`: of each series. */
static inline void hand_make(struct hand_made *made, size_t budgets, uint32_t points)
{
        *made = (struct hand_made){ .fault = { .name = "reads <past> the end", .onset = "load", .sign = "silence", .heals = "hand", .heals_after_s = 259200,
                                               .susceptible_ppm = 1000000, .harm_ppm = 1000000, .told_ppm = 1000000 },
                                    .directors = { &hand_ours, &hand_rings }, .budgets = { 10, 30, 100 } };
        made->scenario = (struct scenario){ .name = "odd&name", .title = "A <title> & more", .when = "2024-07-19", .class = "brick", .source = "it's \"said\"", .guessed = "all",
                                            .unseen = "", .contained = "", .start = "fri 04:09", .for_s = 345600, .faults = { 1, &made->fault },
                                            .history = { 8500000, 4680, -1, "<script>alert(1)</script>" } };
        made->study.plan = (struct study_plan){ .scenarios = &made->scenario, .scenario_count = 1, .directors = made->directors, .director_count = 2, .policy = rollout_policy_default(),
                                                .budgets = budgets > 1 ? made->budgets : made->budgets + 1, .budget_count = budgets, .seed = 7, .seeds = HAND_SEEDS };
        made->study.rows = mem_new(HAND_ROWS, sizeof(*made->study.rows));
        for (size_t i = 0; i < budgets + 1; i++) {
                struct study_row *row = &made->study.rows[made->study.row_count++];
                *row = (struct study_row){ .scenario = &made->scenario, .director = i < budgets ? &hand_ours : &hand_rings, .policy = rollout_policy_default(), .seed = 7 };
                row->policy.budget = made->study.plan.budgets[i < budgets ? i : 0];
                row->runs = mem_new(HAND_SEEDS, sizeof(*row->runs));
                for (uint32_t r = 0; r < HAND_SEEDS; r++)
                        hand_run(&row->runs[row->run_count++], (uint32_t)(i < budgets ? 31 + r : 60000 - r), i < budgets ? 720 + (int64_t)r : -1, points);
                CHECK(study_sum_up(row, NULL) == OK);
        }
}
