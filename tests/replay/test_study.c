#include "replay/study.h"

#include "replay/catalogue.h"
#include "replay/hand_made.h"
#include "support/sweep.h"

TEST(study_sum_up, takes_the_middle_and_the_worst)
{
        struct replay_result runs[4] = { { .hurt = 5, .stop_s = 30, .complete_s = -1 }, { .hurt = 9, .stop_s = -1, .complete_s = -1 },
                                         { .hurt = 1, .stop_s = 10, .complete_s = 7 }, { .hurt = 7, .stop_s = 20, .complete_s = 8 } };
        runs[0].stopped_by = runs[2].stopped_by = ROLLOUT_BY_GATE;
        struct study_row row = { .runs = runs, .run_count = 4 };
        CHECK(study_sum_up(&row, NULL) == OK);
        CHECK(row.hurt.median == 7 && row.hurt.worst == 9 && row.typical == 3);
        CHECK(row.stop_s.median == 30 && row.stop_s.worst == -1 && row.complete_s.median == -1);
        CHECK(row.stopped[ROLLOUT_BY_GATE] == 2 && row.stopped[ROLLOUT_BY_NOBODY] == 2);
}

TEST(study_sum_up, keeps_the_series_of_the_typical_run_alone)
{
        OWN(hand_made) struct hand_made made;
        hand_make(&made, 1, 50);
        const struct study_row *row = &made.study.rows[0];
        for (size_t i = 0; i < row->run_count; i++)
                CHECK((row->runs[i].points != NULL) == (i == row->typical));
}

/* A small fleet of July 19, and who decides. */
struct small {
        struct arena *arena;
        struct scenario scenario;
        const struct director_ops *directors[2];
        struct study_plan plan;
};

static void small_release(struct small *small)
{
        arena_free(small->arena);
}

static const int64_t budgets[] = { 5, 20 };

static void small_make(struct small *small)
{
        const struct catalogue_entry *entry = catalogue_find("july-19");
        *small = (struct small){ .arena = arena_new(LIMIT_YAML_BYTES), .directors = { director_find("firebreak"), director_find("all-at-once") } };
        CHECK(small->arena && scenario_read(small->arena, entry->name, entry->bytes, entry->length, &small->scenario, NULL) == OK);
        small->scenario.for_s = 7200;
        small->plan = (struct study_plan){ .scenarios = &small->scenario, .scenario_count = 1, .directors = small->directors, .director_count = 2,
                                           .policy = rollout_policy_default(), .budgets = budgets, .budget_count = 2, .seed = 3, .seeds = 2, .fleet = 500, .points = 1000 };
}

static enum err count_run(void *user, const struct study_row *row, size_t run, struct why *why)
{
        (void)why;
        unsigned *runs = user;
        CHECK(row->runs[run].fleet == 500);
        ++*runs;
        return OK;
}

TEST(study_run, runs_every_combination_but_no_budget_for_who_knows_none)
{
        OWN(small) struct small small;
        OWN(study) struct study study = { .rows = NULL };
        unsigned runs = 0;
        small_make(&small);
        CHECK(study_runs(&small.plan) == 6);
        CHECK(study_run(&small.plan, &(struct study_watch){ .ran = count_run, .user = &runs }, &study, NULL) == OK);
        CHECK(runs == 6 && study.row_count == 3 && study.rows[0].policy.budget == 5 && study.rows[1].policy.budget == 20);
        CHECK(study.rows[2].director == small.directors[1] && study.rows[2].run_count == 2 && study.rows[2].hurt.worst > study.rows[0].hurt.worst);
        CHECK(!study_is_main(&study, &study.rows[0]) && study_is_main(&study, &study.rows[1]) && study_is_main(&study, &study.rows[2]));
        const struct replay_result *run = &study.rows[2].runs[study.rows[2].typical];
        CHECK(run->point_count > 2 && run->point_count < 400);
        for (uint32_t i = 1; i < run->point_count; i++)
                CHECK(run->points[i].at_s > run->points[i - 1].at_s);
}

TEST(study_run, refuses_more_than_a_night_of_work)
{
        OWN(small) struct small small;
        OWN(study) struct study study = { .rows = NULL };
        small_make(&small);
        small.plan.seeds = LIMIT_REPLAY_RUNS;
        CHECK(study_run(&small.plan, &(struct study_watch){ .user = NULL }, &study, NULL) == ERR_LIMIT && !study.rows);
}

static enum err refuse(void *user, const struct study_row *row, size_t run, struct why *why)
{
        (void)user;
        (void)row;
        (void)run;
        return FAIL(why, ERR_IO, "the reader is gone");
}

TEST(study_run, ends_when_nobody_wants_the_results)
{
        OWN(small) struct small small;
        OWN(study) struct study study = { .rows = NULL };
        small_make(&small);
        CHECK(study_run(&small.plan, &(struct study_watch){ .ran = refuse }, &study, NULL) == ERR_IO && !study.rows);
}
