#include "cli/plan_json.h"

#include "cli/policy.h"
#include "format/json.h"

static void set_time(struct json *json, const char *key, int64_t seconds)
{
        json_set(json, key, seconds >= 0 ? json_new_int(seconds) : json_new_null());
}

static struct json *weather_json(const struct plan *plan)
{
        const struct plan_weather *weather = &plan->cases.weather;
        const struct { const char *key; int64_t value; bool is_assumed; } rows[] = {
                { "dark_ppm", weather->dark_ppm, weather->is_dark_assumed },
                { "dark_for_s", weather->dark_for_s, weather->is_return_assumed },
                { "crash_ppm_per_day", weather->crash_ppm_per_day, weather->is_crash_assumed },
                { "switch_s", weather->switch_s, weather->is_switch_assumed },
        };
        struct json *json = json_new_object(), *assumed = json_new_array();
        json_set_int(json, "devices", plan->fleet.present);
        json_set_int(json, "by_fits", plan->fleet.seen_7d - plan->fleet.seen_1d);
        json_set_int(json, "seed", (int64_t)plan->study.plan.seed);
        json_set_int(json, "seeds", plan->study.plan.seeds);
        json_set_int(json, "poll_s", plan->cases.scenarios[0].fleet.poll_s);
        json_set_int(json, "fault_shows_after_s", plan->cases.shows_after_s);
        json_set_int(json, "looks_for_s", plan->cases.scenarios[0].for_s);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                json_set_int(json, rows[i].key, rows[i].value);
                if (rows[i].is_assumed)
                        json_add(assumed, json_new_text(rows[i].key));
        }
        json_set(json, "assumed", assumed);
        return json;
}

static struct json *stopped_json(const struct study_row *row)
{
        struct json *json = json_new_object();
        for (unsigned by = ROLLOUT_BY_GATE; by <= ROLLOUT_BY_OPERATOR; by++)
                json_set_int(json, rollout_stopper_word((enum rollout_stopper)by), row->stopped[by]);
        return json;
}

static struct json *row_json(const struct plan_case *of, const struct study_row *row)
{
        struct json *json = json_new_object();
        json_set_int(json, "budget", row->policy.budget);
        json_set_int(json, "harms_ppm", of->share_ppm);
        json_set(json, "sign", of->share_ppm ? json_new_text(of->is_told ? "crash" : "silence") : json_new_null());
        json_set_int(json, "runs", (int64_t)row->run_count);
        json_set_int(json, "hurt", row->hurt.median);
        json_set_int(json, "hurt_worst", row->hurt.worst);
        json_set_int(json, "exposed", row->exposed.median);
        json_set_int(json, "exposed_worst", row->exposed.worst);
        json_set(json, "stopped_by", stopped_json(row));
        set_time(json, "stop_s", row->stop_s.median);
        set_time(json, "stop_worst_s", row->stop_s.worst);
        set_time(json, "complete_s", row->complete_s.median);
        set_time(json, "complete_worst_s", row->complete_s.worst);
        set_time(json, "reached_s", row->reached_s.median);
        set_time(json, "reached_worst_s", row->reached_s.worst);
        return json;
}

static struct json *cases_json(const struct plan *plan)
{
        struct json *list = json_new_array();
        for (size_t budget = 0; budget < plan->budgets.count; budget++)
                for (size_t i = 0; i < plan->cases.count; i++)
                        json_add(list, row_json(&plan->cases.cases[i], plan_row(plan, i, budget)));
        return list;
}

static struct json *fleet_json(const struct json *answer)
{
        static const char *const keys[] = { "devices", "seen", "left_out", "strata", "no_stratum", "merged" };
        struct json *json = json_new_object();
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
                json_set(json, keys[i], json_copy(json_get(answer, keys[i])));
        return json;
}

static struct json *unseen_json(const struct plan *plan)
{
        struct json *json = json_new_object(), *rare = json_new_array(), *alone = json_new_array(), *left_out = json_new_array();
        for (size_t i = 0; i < plan->fleet.stratum_count; i++) {
                if (plan_is_rare(plan, i))
                        json_add(rare, json_new_text(plan->fleet.strata[i].name));
                if (plan_is_alone(plan, i))
                        json_add(alone, json_new_text(plan->fleet.strata[i].name));
        }
        json_set(json, "too_rare", rare);
        for (size_t i = 0; i < plan->cases.left_out_count; i++)
                json_add(left_out, json_new_int(plan->cases.left_out_ppm[i]));
        json_set(json, "one_value_only", alone);
        json_set(json, "left_out_ppm", left_out);
        json_set_int(json, "single_device_blocks", plan->fleet.block_single);
        json_set_int(json, "not_seen_7d", plan->fleet.devices - plan->fleet.seen_7d);
        json_set_int(json, "enrolled_later", plan->fleet.enrolled_later);
        json_set_int(json, "other_platform", plan->fleet.other_platform);
        json_set_int(json, "kept_back", plan->fleet.kept_back);
        json_set(json, "ceiling", plan->ceiling ? json_copy(plan->ceiling) : json_new_array());
        json_set_bool(json, "freeze_windows", plan->has_freeze);
        json_set_int(json, "after_bake_s", plan->policy.bake_s);
        json_set_int(json, "after_watch_s", plan->policy.watch_s);
        return json;
}

struct json *plan_json(const struct plan *plan, const struct json *answer)
{
        struct json *json = json_new_object();
        json_set_text(json, "stream", plan->fleet.stream);
        json_set_int(json, "counter", plan->fleet.counter);
        json_set_text(json, "state", plan->fleet.state);
        json_set_int(json, "budget", plan->budgets.first);
        json_set(json, "policy", policy_json(&plan->policy, plan->rollback_s));
        json_set(json, "fleet", fleet_json(answer));
        struct json *blocks = json_new_object();
        json_set_int(blocks, "count", plan->fleet.block_count);
        json_set_int(blocks, "single", plan->fleet.block_single);
        json_set(json, "blocks", blocks);
        json_set(json, "baseline", json_copy(json_get(answer, "baseline")));
        json_set(json, "simulated", weather_json(plan));
        json_set(json, "cases", cases_json(plan));
        json_set(json, "unseen", unseen_json(plan));
        return json;
}
