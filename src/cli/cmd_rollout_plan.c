/* What a rollout would do to this fleet, before it is started: the server tells who there is, the simulator runs the rollout's own code over them. */
#include "cli/api.h"
#include "cli/bar.h"
#include "cli/plan_json.h"
#include "cli/plan_view.h"
#include "cli/policy.h"
#include "cli/print.h"
#include "cli/release_id.h"
#include "format/json.h"
#include "replay/words.h"

#include <inttypes.h>

struct planning {
        struct cli *cli;
        struct bar bar;
        struct arena *arena;
        struct json *answer, *release;           /* the server's: of the fleet, of the release */
        struct plan plan;
};

static void planning_release(struct planning *planning)
{
        study_done(&planning->plan.study);
        arena_free(planning->arena);
        json_close(planning->answer);
        json_close(planning->release);
}

/* Windows are read, for a wrong one is told now, and not simulated. */
static enum err read_freeze(struct planning *planning, struct why *why)
{
        OWN(json) struct json *said = NULL;
        enum err e = policy_read(planning->cli->args, &said, why);
        planning->plan.has_freeze = !e && json_count(json_get(said, "freeze"));
        return e;
}

/* Before the server is asked: nobody waits to be told of a typing error. */
static enum err read_options(struct planning *planning, struct release_id *id, struct why *why)
{
        struct plan *plan = &planning->plan;
        const struct args *args = planning->cli->args;
        enum err e = release_id_parse(args->words[0], id, why);
        if (!e)
                e = policy_fill(args, &plan->policy, why);
        if (!e)
                e = policy_fill_rollback(args, &plan->rollback_s, why);
        if (!e)
                e = budgets_read(args, plan->policy.budget, &plan->budgets, why);
        if (!e && plan->budgets.count == 1)
                budgets_spread(&plan->budgets);
        plan->policy.budget = plan->budgets.first;
        return e ? e : read_freeze(planning, why);
}

static enum err check_fleet(const struct plan_fleet *fleet, struct why *why)
{
        if (!fleet->devices)
                return FAIL(why, ERR_REFUSED, "no device may get %s/%" PRId64 ": none of its platforms was enrolled before it was published; enrol some"
                                              " (firebreak token new, firebreak-agent enrol), then publish a new release", fleet->stream, fleet->counter);
        if (fleet->present)
                return OK;
        OWN(buf) struct buf devices;
        buf_init(&devices, 32);
        words_count(&devices, fleet->devices);
        return FAIL(why, ERR_REFUSED, "none of the %s devices has checked in for a week; see `firebreak device list`, and whether they reach the server", buf_text(&devices));
}

/* Of the devices, as far as it is open by `now`. */
static int64_t open_ppm(const struct json *release, int64_t now)
{
        const struct json *steps = json_get(release, "ceiling");
        int64_t start = json_int(json_get(release, "start"), 0), ppm = 0;
        for (size_t i = 0; i < json_count(steps); i++)
                if (start + json_int(json_get(json_at(steps, i), "after_s"), 0) <= now)
                        ppm = json_int(json_get(json_at(steps, i), "ppm"), 0);
        return ppm;
}

/* Most releases are open to all from their start on. */
static enum err ask_ceiling(struct planning *planning, struct api *api, const struct release_id *id, struct why *why)
{
        enum { ALL = 1000000 };
        char path[160];
        release_id_path(id, "/releases", "", path);
        enum err e = api_get(api, path, &planning->release, why);
        if (!e && json_count(json_get(planning->release, "ceiling")) && open_ppm(planning->release, planning->plan.fleet.now) < ALL)
                planning->plan.ceiling = json_get(planning->release, "ceiling");
        return e;
}

static enum err ask_server(struct planning *planning, const struct release_id *id, struct why *why)
{
        OWN(api) struct api *api = NULL;
        char path[160];
        release_id_path(id, "/releases", "/fleet", path);
        planning->arena = arena_new(LIMIT_ANSWER_BYTES);
        if (!planning->arena)
                return FAIL(why, ERR_NOMEM, "the fleet");
        enum err e = api_open(planning->cli, &api, why);
        if (!e)
                e = api_get(api, path, &planning->answer, why);
        if (!e)
                e = plan_fleet_read(planning->arena, planning->answer, &planning->plan.fleet, why);
        if (!e)
                e = check_fleet(&planning->plan.fleet, why);
        return e ? e : ask_ceiling(planning, api, id, why);
}

static void draw_bar(void *user, double done, const struct study_row *row, uint64_t seed)
{
        struct planning *planning = user;
        char what[120];
        snprintf(what, sizeof(what), "%s, budget %" PRId64 ", run %" PRIu64, row->scenario->name, row->policy.budget, seed);
        bar_draw(&planning->bar, done, what);
}

/* A minute or two on one core, whatever the size, up to a million devices. */
static uint32_t seeds_for(int64_t devices)
{
        enum { SMALL = 20000, LARGE = 200000, MANY = 9, SOME = 3 };
        return devices <= SMALL ? MANY : devices <= LARGE ? SOME : 1;
}

static enum err simulate(struct planning *planning, struct why *why)
{
        static const struct director_ops *const directors[] = { &director_firebreak };
        struct plan *plan = &planning->plan;
        plan_cases_make(&plan->fleet, &plan->policy, &plan->cases);
        const struct study_plan study = {
                .scenarios = plan->cases.scenarios, .scenario_count = plan->cases.count, .directors = directors, .director_count = 1,
                .policy = plan->policy, .rollback_s = plan->rollback_s, .tail_s = plan->cases.tail_s, .budgets = plan->budgets.items, .budget_count = plan->budgets.count, .seed = 1,
                .seeds = (uint32_t)arg_int(planning->cli->args, OPTION_PLAN_SEEDS, seeds_for(plan->fleet.present)),
        };
        const struct study_watch watch = { .progress = planning->cli->is_err_live ? draw_bar : NULL, .user = planning };
        enum err e = study_run(&study, &watch, &plan->study, why);
        bar_wipe(&planning->bar);
        return e;
}

static enum err show(struct planning *planning, struct why *why)
{
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_ANSWER_BYTES);
        if (arg_has(planning->cli->args, OPTION_JSON)) {
                OWN(json) struct json *json = plan_json(&planning->plan, planning->answer);
                return print_json(planning->cli, json, why);
        }
        enum err e = plan_view(planning->cli, &planning->plan, &text, why);
        return e ? e : print_buf(planning->cli, &text, why);
}

enum err cmd_rollout_plan(struct cli *cli, struct why *why)
{
        OWN(planning) struct planning planning = { .cli = cli, .bar = { .cli = cli } };
        struct release_id id;
        enum err e = read_options(&planning, &id, why);
        if (!e)
                e = ask_server(&planning, &id, why);
        if (!e)
                e = simulate(&planning, why);
        return e ? e : show(&planning, why);
}
