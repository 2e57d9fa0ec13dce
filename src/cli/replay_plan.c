#include "cli/replay_plan.h"

#include "cli/policy.h"
#include "format/json.h"
#include "format/near.h"
#include "platform/file.h"
#include "replay/catalogue.h"

#include <string.h>

static bool is_file(const char *word)
{
        size_t length = strlen(word);
        return strchr(word, '/') || (length > 5 && strcmp(word + length - 5, ".yaml") == 0);
}

static enum err read_file(struct arena *arena, const char *path, struct scenario *ret_scenario, struct why *why)
{
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_YAML_BYTES);
        enum err e = file_check_regular(path, why);
        if (!e)
                e = file_read(path, &text, why);
        return e ? e : scenario_read(arena, path, buf_text(&text), text.length, ret_scenario, why);
}

static enum err read_named(struct arena *arena, const char *name, struct scenario *ret_scenario, struct why *why)
{
        const struct catalogue_entry *entry = catalogue_find(name);
        struct near near = { .word = name };
        near_consider(&near, "all");
        for (size_t i = 0; i < catalogue_count(); i++)
                near_consider(&near, catalogue_at(i)->name);
        if (entry)
                return scenario_read(arena, entry->name, entry->bytes, entry->length, ret_scenario, why);
        if (near.best)
                return FAIL(why, ERR_NOT_FOUND, "no scenario `%.60s`; did you mean `%s`? A file is written with a slash, or ends .yaml", name, near.best);
        return FAIL(why, ERR_NOT_FOUND, "no scenario `%.60s`; `firebreak replay` lists those there are; a file is written with a slash, or ends .yaml", name);
}

enum err replay_read_all(struct arena *arena, struct scenario **ret_scenarios, size_t *ret_count, struct why *why)
{
        struct scenario *scenarios = arena_alloc(arena, catalogue_count(), sizeof(*scenarios));
        enum err e = scenarios ? OK : FAIL(why, ERR_NOMEM, "the scenarios");
        for (size_t i = 0; !e && i < catalogue_count(); i++)
                e = read_named(arena, catalogue_at(i)->name, &scenarios[i], why);
        if (e)
                return e;
        *ret_scenarios = scenarios;
        *ret_count = catalogue_count();
        return OK;
}

static enum err read_scenarios(struct replay_plan *plan, const char *word, struct why *why)
{
        struct scenario *scenarios = NULL;
        if (strcmp(word, "all") == 0) {
                plan->study.fleet = REPLAY_ALL_FLEET;
                enum err e = replay_read_all(plan->arena, &scenarios, &plan->study.scenario_count, why);
                plan->study.scenarios = scenarios;
                return e;
        }
        scenarios = arena_alloc(plan->arena, 1, sizeof(*scenarios));
        if (!scenarios)
                return FAIL(why, ERR_NOMEM, "the scenario");
        plan->study.scenarios = scenarios;
        plan->study.scenario_count = 1;
        return is_file(word) ? read_file(plan->arena, word, scenarios, why) : read_named(plan->arena, word, scenarios, why);
}

static enum err add_policy(struct replay_plan *plan, const struct director_ops *director, struct why *why)
{
        for (size_t i = 0; i < plan->study.director_count; i++)
                if (plan->directors[i] == director)
                        return OK;
        if (plan->study.director_count == REPLAY_POLICIES)
                return FAIL(why, ERR_USAGE, "--policy: more than %d", REPLAY_POLICIES);
        plan->directors[plan->study.director_count++] = director;
        return OK;
}

static enum err find_policy(const char *name, const struct director_ops **ret_director, struct why *why)
{
        struct near near = { .word = name };
        *ret_director = director_find(name);
        near_consider(&near, "all");
        for (size_t i = 0; i < director_count(); i++)
                near_consider(&near, director_at(i)->name);
        if (*ret_director)
                return OK;
        if (near.best)
                return FAIL(why, ERR_USAGE, "--policy: no policy `%.60s`; did you mean `%s`?", name, near.best);
        return FAIL(why, ERR_USAGE, "--policy: no policy `%.60s`; `firebreak replay` lists those there are", name);
}

/* What the list named itself: a file is firebreak with its values, and has firebreak's row. */
struct policies { const char *file; bool has_ours; };

/* One of the list; a file is kept for later. */
static enum err read_policy(struct replay_plan *plan, const char *word, struct policies *said, struct why *why)
{
        const struct director_ops *director = NULL;
        enum err e = OK;
        if (strcmp(word, "all") == 0) {
                for (size_t i = 0; !e && i < director_count(); i++)
                        e = add_policy(plan, director_at(i), why);
                return e;
        }
        if (is_file(word)) {
                if (said->file)
                        return FAIL(why, ERR_USAGE, "--policy: one file is enough");
                said->file = word;
                word = "firebreak";
        } else if (strcmp(word, "firebreak") == 0) {
                said->has_ours = true;
        }
        if (said->file && said->has_ours)
                return FAIL(why, ERR_USAGE, "--policy: %.150s is firebreak with its values, and `firebreak` beside it would have them, too; replay once with each", said->file);
        e = find_policy(word, &director, why);
        return e ? e : add_policy(plan, director, why);
}

/* A scenario has an hour of a weekday and zones of one offset each, not a date and the rules of real zones: a window would freeze another time than it says. */
static enum err refuse_freeze(const struct args *said, const char *file, struct why *why)
{
        OWN(json) struct json *policy = NULL;
        enum err e = policy_read(said, &policy, why);
        if (!e && json_count(json_get(policy, "freeze")))
                return FAIL(why, ERR_USAGE, "%.150s: `freeze`: a replay has no calendar and honours no windows; take them out, and let `start` of a scenario of your own say the hour", file);
        return e;
}

static enum err read_policies(struct replay_plan *plan, const struct args *args, struct why *why)
{
        char *list = arena_strdup(plan->arena, arg_text(args, OPTION_POLICIES, "firebreak"));
        struct args said = *args;                /* as rollout start would be told */
        struct policies policies = { .file = NULL };
        enum err e = list ? OK : FAIL(why, ERR_NOMEM, "the policies");
        for (char *word; !e && (word = strsep(&list, ","));)
                e = read_policy(plan, word, &policies, why);
        if (e)
                return e;
        plan->study.directors = plan->directors;
        said.of[OPTION_POLICY] = (struct arg){ .count = policies.file ? 1 : 0, .texts = { policies.file } };
        e = policy_fill(&said, &plan->study.policy, why);
        if (!e)
                e = policy_fill_rollback(&said, &plan->study.rollback_s, why);
        return e || !policies.file ? e : refuse_freeze(&said, policies.file, why);
}

enum err replay_plan_read(const struct args *args, struct replay_plan *plan, struct why *why)
{
        *plan = (struct replay_plan){ .arena = arena_new((catalogue_count() + 1) * LIMIT_YAML_BYTES) };
        if (!plan->arena)
                return FAIL(why, ERR_NOMEM, "the scenarios");
        enum err e = read_scenarios(plan, args->words[0], why);
        if (!e)
                e = read_policies(plan, args, why);
        if (!e)
                e = budgets_read(args, plan->study.policy.budget, &plan->budgets, why);
        plan->study.budgets = plan->budgets.items;
        plan->study.budget_count = plan->budgets.count;
        plan->study.fleet = (uint32_t)arg_int(args, OPTION_FLEET, plan->study.fleet);
        plan->study.seed = (uint64_t)arg_int(args, OPTION_SEED, 1);
        plan->study.seeds = (uint32_t)arg_int(args, OPTION_SEEDS, 1);
        return e;
}

void replay_plan_done(struct replay_plan *plan)
{
        arena_free(plan->arena);
}
