#include "cli/plan_fleet.h"

#include "cli/print.h"
#include "format/json.h"

#include <string.h>

static const struct { const char *field; size_t offset; } numbers[] = {
#define NUMBER(field, name) { field, offsetof(struct plan_fleet, name) }
        NUMBER("counter", counter), NUMBER("now", now), NUMBER("pace_ms", pace_ms), NUMBER("devices", devices), NUMBER("seen.1h", seen_1h),
        NUMBER("seen.1d", seen_1d), NUMBER("seen.7d", seen_7d), NUMBER("left_out.enrolled_later", enrolled_later),
        NUMBER("left_out.other_platform", other_platform), NUMBER("left_out.kept_back", kept_back), NUMBER("no_stratum", no_stratum), NUMBER("blocks.count", block_count),
        NUMBER("blocks.single", block_single), NUMBER("merged.profiles", merged_profiles), NUMBER("merged.devices", merged_devices),
        NUMBER("baseline.rollouts", past.rollouts), NUMBER("baseline.control.leases", past.control), NUMBER("baseline.treated.leases", past.treated),
#undef NUMBER
};

static enum err refuse(const char *what, struct why *why)
{
        return FAIL(why, ERR_CONTENT, "the server's answer has no good `%s`; is it of another version than this program?", what);
}

static enum err read_count(const struct json *json, const char *field, int64_t *ret_count, struct why *why)
{
        *ret_count = json_int(print_field(json, field), -1);
        return *ret_count < 0 ? refuse(field, why) : OK;
}

static enum err read_named(struct arena *arena, const struct json *list, struct plan_named **ret_items, size_t *ret_count, struct why *why)
{
        struct plan_named *items = arena_alloc(arena, json_count(list) + 1, sizeof(*items));
        if (!items)
                return FAIL(why, ERR_NOMEM, "the fleet");
        for (size_t i = 0; i < json_count(list); i++) {
                items[i].name = json_text(json_get(json_at(list, i), "name"));
                enum err e = read_count(json_at(list, i), "devices", &items[i].devices, why);
                if (e || !items[i].name)
                        return e ? e : refuse("name", why);
        }
        *ret_items = items;
        *ret_count = json_count(list);
        return OK;
}

/* "early/b1": ring names are the administrators'; two have a meaning for the order. */
static enum rollout_ring ring_of(const char *block)
{
        if (strncmp(block, "early/", 6) == 0)
                return ROLLOUT_RING_EARLY;
        return strncmp(block, "late/", 5) == 0 ? ROLLOUT_RING_LATE : ROLLOUT_RING_ALL;
}

static enum err read_profile(const struct plan_fleet *fleet, const struct json *json, struct scenario_profile *profile, struct why *why)
{
        const struct json *strata = json_get(json, "strata");
        int64_t block = json_int(json_get(json, "block"), -1);
        if (block < 0 || block >= (int64_t)fleet->named_blocks || json_count(strata) > LIMIT_ATTRIBUTES)
                return refuse("profiles", why);
        *profile = (struct scenario_profile){ .block = (uint32_t)block, .ring = ring_of(fleet->blocks[block].name) };
        for (size_t i = 0; i < json_count(strata); i++) {
                int64_t stratum = json_int(json_at(strata, i), -1);
                if (stratum < 0 || stratum >= (int64_t)fleet->stratum_count)
                        return refuse("profiles", why);
                profile->strata[profile->strata_count++] = (uint16_t)stratum;
        }
        return OK;
}

/* Those of one kind: seen within a day, or within a week only. */
static void add_profile(struct plan_fleet *fleet, struct scenario_profile *items, const struct scenario_profile *like, int64_t devices, bool is_by_fits)
{
        if (devices <= 0)
                return;
        struct scenario_profile *profile = &items[fleet->profiles.count++];
        *profile = *like;
        profile->devices = (uint32_t)devices;
        profile->is_by_fits = is_by_fits;
        fleet->present += devices;
}

/* Blocks of those who are present, numbered without gaps: a rollout has no more blocks than devices. */
static enum err number_blocks(struct arena *arena, struct plan_fleet *fleet, struct scenario_profile *items, struct why *why)
{
        uint32_t *renamed = arena_alloc(arena, fleet->named_blocks + 1, sizeof(*renamed));
        if (!renamed)
                return FAIL(why, ERR_NOMEM, "the fleet");
        for (size_t i = 0; i < fleet->profiles.count; i++) {
                uint32_t *number = &renamed[items[i].block];
                if (!*number)
                        *number = ++fleet->profiles.blocks;
                items[i].block = *number - 1;
        }
        return OK;
}

static enum err read_profiles(struct arena *arena, const struct json *list, struct plan_fleet *fleet, struct why *why)
{
        struct scenario_profile *items = arena_alloc(arena, 2 * json_count(list) + 1, sizeof(*items));
        if (!items)
                return FAIL(why, ERR_NOMEM, "the fleet");
        for (size_t i = 0; i < json_count(list); i++) {
                struct scenario_profile profile;
                int64_t week = 0, day = 0;
                enum err e = read_profile(fleet, json_at(list, i), &profile, why);
                if (!e)
                        e = read_count(json_at(list, i), "seen_7d", &week, why);
                if (!e)
                        e = read_count(json_at(list, i), "seen_1d", &day, why);
                if (e || week > LIMIT_REPLAY_DEVICES || day > week)
                        return e ? e : refuse("profiles", why);
                add_profile(fleet, items, &profile, day, false);
                add_profile(fleet, items, &profile, week - day, true);
        }
        fleet->profiles.items = items;
        fleet->profiles.strata = (uint16_t)fleet->stratum_count;
        return number_blocks(arena, fleet, items, why);
}

static enum err read_arms(const struct json *baseline, struct plan_past *past, struct why *why)
{
        static const char *const names[] = { "control", "treated" };
        static const struct { const char *key; size_t offset; } sums[] = {
                { "leases", offsetof(struct plan_past, leases) },
                { "dark", offsetof(struct plan_past, dark) },
                { "late", offsetof(struct plan_past, late) },
                { "harmed", offsetof(struct plan_past, harmed) },
                { "lease_ms", offsetof(struct plan_past, lease_ms) },
        };
        for (size_t arm = 0; arm < 2; arm++)
                for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
                        int64_t value = 0;
                        enum err e = read_count(json_get(baseline, names[arm]), sums[i].key, &value, why);
                        if (e)
                                return e;
                        *(int64_t *)(void *)((char *)past + sums[i].offset) += value;
                }
        return OK;
}

static enum err read_past(const struct json *baseline, struct plan_past *past, struct why *why)
{
        const struct json *hours = json_get(baseline, "hours");
        past->answer_median_ms = json_int(print_field(baseline, "answer_ms.median"), -1);
        past->answer_p99_ms = json_int(print_field(baseline, "answer_ms.p99"), -1);
        past->late_median_ms = json_int(print_field(baseline, "late_ms.median"), -1);
        for (size_t i = 0; i < 24; i++) {
                past->hours[i].leases = json_int(json_get(json_at(hours, i), "leases"), 0);
                past->hours[i].dark = json_int(json_get(json_at(hours, i), "dark"), 0);
        }
        return read_arms(baseline, past, why);
}

enum err plan_fleet_read(struct arena *arena, const struct json *answer, struct plan_fleet *ret_fleet, struct why *why)
{
        struct plan_fleet fleet = { .stream = json_text(json_get(answer, "stream")), .state = json_text(json_get(answer, "state")) };
        enum err e = fleet.stream && fleet.state ? OK : refuse("state", why);
        for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && !e; i++)
                e = read_count(answer, numbers[i].field, (int64_t *)(void *)((char *)&fleet + numbers[i].offset), why);
        fleet.seen_median_s = json_int(print_field(answer, "seen.median_s"), -1);
        if (!e)
                e = read_named(arena, json_get(answer, "strata"), &fleet.strata, &fleet.stratum_count, why);
        if (!e)
                e = read_named(arena, print_field(answer, "blocks.items"), &fleet.blocks, &fleet.named_blocks, why);
        if (!e && fleet.stratum_count > LIMIT_STRATA)
                e = refuse("strata", why);
        if (!e)
                e = read_profiles(arena, json_get(answer, "profiles"), &fleet, why);
        if (!e)
                e = read_past(json_get(answer, "baseline"), &fleet.past, why);
        if (!e)
                *ret_fleet = fleet;
        return e;
}
