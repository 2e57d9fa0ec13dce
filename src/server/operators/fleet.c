/* GET /releases/STREAM/COUNTER/fleet: whom the release would meet, and how they fared before. What a plan is made of; changes nothing. */
#include "base/mem.h"
#include "server/operators/operator.h"
#include "server/operators/releases.h"
#include "server/rollouts/past.h"
#include "server/rollouts/survey.h"
#include "server/store/inside.h"

#include <string.h>

struct number { const char *key; int64_t value; };

static struct json *numbers_json(const struct number *numbers, size_t count)
{
        struct json *json = json_new_object();
        for (size_t i = 0; i < count; i++)
                json_set_int(json, numbers[i].key, numbers[i].value);
        return json;
}
#define NUMBERS(...) numbers_json((const struct number[]){ __VA_ARGS__ }, sizeof((const struct number[]){ __VA_ARGS__ }) / sizeof(struct number))

static struct json *strata_json(const struct survey *survey)
{
        struct json *strata = json_new_array();
        for (uint32_t i = 0; i < tally_size(survey->strata); i++) {
                struct json *stratum = json_new_object();
                json_set_text(stratum, "name", tally_bytes(survey->strata, i));
                json_set_int(stratum, "devices", tally_counts(survey->strata, i)[0]);
                json_add(strata, stratum);
        }
        return strata;
}

/* Blocks of which there is a profile, numbered anew in the order in which profiles name them. */
struct blocks { struct json *items; uint32_t *numbers; uint32_t count; };      /* a number + 1; 0: none yet */

static uint32_t block_number(struct blocks *blocks, const struct survey *survey, uint32_t block)
{
        if (!blocks->numbers[block]) {
                const char *name = tally_bytes(survey->blocks, block);
                struct json *json = json_new_object();
                json_set_text(json, "name", name);
                json_set_int(json, "devices", tally_counts(survey->blocks, block)[0]);
                json_add(blocks->items, json);
                blocks->numbers[block] = ++blocks->count;
        }
        return blocks->numbers[block] - 1;
}

static struct json *profile_json(struct blocks *blocks, const struct survey *survey, const struct survey_profile *profile)
{
        struct json *json = json_new_object(), *strata = json_new_array();
        for (size_t i = 0; i < profile->strata_count; i++)
                json_add(strata, json_new_int(profile->strata[i]));
        json_set_int(json, "block", block_number(blocks, survey, profile->block));
        json_set(json, "strata", strata);
        json_set_int(json, "devices", profile->devices);
        json_set_int(json, "seen_7d", profile->seen_7d);
        json_set_int(json, "seen_1d", profile->seen_1d);
        return json;
}

static struct json *blocks_json(const struct survey *survey, struct json *take_items)
{
        int64_t single = 0;
        for (uint32_t i = 0; i < tally_size(survey->blocks); i++)
                single += tally_counts(survey->blocks, i)[0] == 1;
        struct json *json = NUMBERS({ "count", tally_size(survey->blocks) }, { "single", single });
        json_set(json, "items", take_items);
        return json;
}

static enum err add_profiles(struct json *json, const struct survey *survey, struct why *why)
{
        struct blocks blocks = { .numbers = mem_new(tally_size(survey->blocks) + 1u, sizeof(*blocks.numbers)) };
        struct json *profiles = NULL;
        if (!blocks.numbers)
                return FAIL(why, ERR_NOMEM, "out of memory for a fleet");
        blocks.items = json_new_array();
        profiles = json_new_array();
        for (size_t i = 0; i < survey->profile_count; i++)
                json_add(profiles, profile_json(&blocks, survey, &survey->profiles[i]));
        json_set(json, "blocks", blocks_json(survey, blocks.items));
        json_set(json, "profiles", profiles);
        json_set(json, "merged", NUMBERS({ "profiles", survey->merged_profiles }, { "devices", survey->merged_devices }));
        mem_free(blocks.numbers);
        return OK;
}

static struct json *seen_json(const struct survey *survey)
{
        struct json *json = NUMBERS({ "1h", survey->seen_1h }, { "1d", survey->seen_1d }, { "7d", survey->seen_7d });
        json_set(json, "median_s", survey->seen_median_s >= 0 ? json_new_int(survey->seen_median_s) : json_new_null());
        return json;
}

static enum err add_fleet(struct call *call, const struct release *release, struct json *json, struct why *why)
{
        OWN(survey) struct survey survey = { 0 };
        enum err e = survey_take(call->db, release->number, call_now_s(call), &survey, why);
        if (e)
                return e;
        json_set_int(json, "devices", survey.devices);
        json_set(json, "seen", seen_json(&survey));
        json_set(json, "left_out", NUMBERS({ "enrolled_later", survey.enrolled_later }, { "other_platform", survey.other_platform }, { "kept_back", survey.kept_back }));
        json_set(json, "strata", strata_json(&survey));
        json_set_int(json, "no_stratum", survey.no_stratum);
        return add_profiles(json, &survey, why);
}

static struct json *arm_json(const struct past_arm *arm)
{
        return NUMBERS({ "leases", arm->leases }, { "dark", arm->dark }, { "late", arm->late }, { "harmed", arm->harmed }, { "crashes", arm->crashes },
                       { "lease_ms", arm->lease_ms });
}

static struct json *spread_json(const struct past_spread *spread)
{
        if (spread->median < 0)
                return json_new_null();
        return NUMBERS({ "median", spread->median }, { "p90", spread->p90 }, { "p99", spread->p99 });
}

static enum err add_past(struct call *call, const struct release *release, struct json *into, struct why *why)
{
        struct past past;
        enum err e = past_look(call->db, release->stream, &past, why);
        if (e)
                return e;
        struct json *json = NUMBERS({ "rollouts", past.rollouts }), *hours = json_new_array();
        json_set(json, "control", arm_json(&past.control));
        json_set(json, "treated", arm_json(&past.treated));
        json_set(json, "answer_ms", spread_json(&past.answer_ms));
        json_set(json, "late_ms", spread_json(&past.late_ms));
        for (unsigned i = 0; i < PAST_HOURS; i++)
                json_add(hours, NUMBERS({ "leases", past.hours[i].leases }, { "dark", past.hours[i].dark }));
        json_set(json, "hours", hours);
        json_set(into, "baseline", json);
        return OK;
}

enum err operator_fleet(struct call *call, struct why *why)
{
        OWN(json) struct json *json = json_new_object();
        struct release release;
        enum err e = release_of_call(call, &release, why);
        if (e)
                return e;
        const struct run *run = rollouts_find(call->store->rollouts, release.stream, release.counter);
        json_set_text(json, "stream", release.stream);
        json_set_int(json, "counter", release.counter);
        json_set_text(json, "state", run ? rollout_state_word(run_facts(run)->state) : "draft");
        json_set_int(json, "now", call_now_s(call));
        json_set_int(json, "pace_ms", call->store->config.pace_ms);
        e = add_fleet(call, &release, json, why);
        if (!e)
                e = add_past(call, &release, json, why);
        return e ? e : call_answer_json(call, 200, GIVE(json), why);
}
