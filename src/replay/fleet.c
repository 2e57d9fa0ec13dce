#include "replay/fleet.h"

#include "base/mem.h"

#include <string.h>

enum { PPM = 1000000, RINGS = 3, SITES_MAX = UINT16_MAX };
_Static_assert((int)LIMIT_REPLAY_DEVICES_LEAST == RINGS, "no ring is empty");

void fleet_close(struct fleet *fleet)
{
        if (!fleet)
                return;
        mem_free(fleet->profiles);
        mem_free(fleet->site_of);
        mem_free(fleet->who);
        mem_free(fleet->utc_offset_s);
        mem_free(fleet->stratum_sizes);
        mem_free(fleet);
}

static const struct scenario_attribute *attribute_at(const struct scenario *scenario, unsigned at)
{
        return (const struct scenario_attribute *)scenario->fleet.attributes.items + at;
}

static const struct scenario_value *value_at(const struct scenario *scenario, unsigned attribute, size_t at)
{
        return (const struct scenario_value *)attribute_at(scenario, attribute)->values.items + at;
}

/* Where each attribute's number stands in a profile. */
static enum err lay_out(struct fleet *fleet, const struct scenario *scenario, struct why *why)
{
        unsigned shift = 0;
        size_t strata = 0;
        if (scenario->fleet.attributes.count > LIMIT_ATTRIBUTES)
                return FAIL(why, ERR_LIMIT, "a fleet has at most %d attributes, not %zu", LIMIT_ATTRIBUTES, scenario->fleet.attributes.count);
        fleet->attributes = (unsigned)scenario->fleet.attributes.count;
        for (unsigned i = 0; i < fleet->attributes; i++) {
                size_t values = attribute_at(scenario, i)->values.count;
                unsigned bits = 0;
                while (values >> bits)
                        bits++;
                fleet->attribute[i] = (struct fleet_attribute){ shift, ((UINT64_C(1) << bits) - 1) << shift, (uint16_t)strata };
                shift += bits;
                strata += values;
                if (strata > LIMIT_STRATA || shift > 64)
                        return FAIL(why, ERR_LIMIT, "a fleet has at most %d values of attributes", LIMIT_STRATA);
        }
        fleet->strata = (uint16_t)strata;
        return OK;
}

static enum err allocate(struct fleet *fleet, struct why *why)
{
        fleet->profiles = mem_new(fleet->devices, sizeof(*fleet->profiles));
        fleet->site_of = mem_new(fleet->devices, sizeof(*fleet->site_of));
        fleet->who = mem_new(fleet->devices, sizeof(*fleet->who));
        fleet->utc_offset_s = mem_new(fleet->sites, sizeof(*fleet->utc_offset_s));
        fleet->stratum_sizes = mem_new(fleet->strata + 1u, sizeof(*fleet->stratum_sizes));
        bool has_all = fleet->profiles && fleet->site_of && fleet->who && fleet->utc_offset_s && fleet->stratum_sizes;
        return has_all ? OK : FAIL(why, ERR_NOMEM, "out of memory for a fleet of %u", fleet->devices);
}

static uint64_t draw_value(const struct fleet *fleet, const struct scenario *scenario, unsigned attribute, uint32_t device)
{
        const struct yaml_maps *values = &attribute_at(scenario, attribute)->values;
        int64_t left = (int64_t)chance_below(fleet_draw(fleet, CHANCE_OF_ATTRIBUTE + attribute, device), PPM);
        size_t at = 0;
        while (at + 1 < values->count && left >= value_at(scenario, attribute, at)->share_ppm)
                left -= value_at(scenario, attribute, at++)->share_ppm;
        return at;
}

static void draw_profiles(struct fleet *fleet, const struct scenario *scenario)
{
        for (unsigned i = 0; i < fleet->attributes; i++)
                for (uint32_t device = 0; device < fleet->devices; device++) {
                        uint64_t value = draw_value(fleet, scenario, i, device);
                        fleet->profiles[device] |= value << fleet->attribute[i].shift;
                        fleet->stratum_sizes[fleet->attribute[i].first_stratum + value]++;
                }
}

static void draw_who(struct fleet *fleet, const struct scenario_fleet *wish)
{
        for (uint32_t device = 0; device < fleet->devices; device++) {
                int64_t ring_draw = (int64_t)chance_below(fleet_draw(fleet, CHANCE_OF_RING, device), PPM);
                int64_t habit_draw = (int64_t)chance_below(fleet_draw(fleet, CHANCE_OF_PRESENCE, device), PPM);
                enum rollout_ring ring = ring_draw < wish->early_ppm ? ROLLOUT_RING_EARLY : ring_draw < wish->early_ppm + wish->late_ppm ? ROLLOUT_RING_LATE : ROLLOUT_RING_ALL;
                enum fleet_habit habit = FLEET_ALWAYS_ON;
                if (habit_draw < wish->office_ppm + wish->laptop_ppm)
                        habit = habit_draw < wish->office_ppm ? FLEET_IN_OFFICE : FLEET_BY_FITS;
                fleet->who[device] = (uint8_t)(ring | habit << 2);
        }
}

/* The first of the sums that is above `draw`. */
static uint32_t find_sum(const double *sums, uint32_t count, double draw)
{
        uint32_t from = 0, to = count - 1;
        while (from < to) {
                uint32_t middle = from + (to - from) / 2;
                if (sums[middle] > draw)
                        to = middle;
                else
                        from = middle + 1;
        }
        return from;
}

/* As 1/rank: a few large sites, many small ones. */
static enum err draw_sites(struct fleet *fleet, struct why *why)
{
        double *sums = mem_new(fleet->sites, sizeof(*sums)), sum = 0;
        if (!sums)
                return FAIL(why, ERR_NOMEM, "out of memory for %u sites", fleet->sites);
        for (uint32_t i = 0; i < fleet->sites; i++)
                sums[i] = sum += 1.0 / (i + 1);
        for (uint32_t device = 0; device < fleet->devices; device++) {
                double draw = (1 - chance_unit(fleet_draw(fleet, CHANCE_OF_SITE, device))) * sum;
                fleet->site_of[device] = (uint16_t)find_sum(sums, fleet->sites, draw);
        }
        mem_free(sums);
        return OK;
}

/* Site by site, the largest first, to the zone that is furthest from its share. */
static void place_sites(struct fleet *fleet, const struct yaml_maps *zones)
{
        enum { ZONES_MAX = 40 };                 /* there are 38 */
        const struct scenario_zone *zone = zones->items;
        double sum = 0, given[ZONES_MAX] = { 0 };
        size_t count = zones->count < ZONES_MAX ? zones->count : ZONES_MAX;
        for (uint32_t site = 0; site < fleet->sites && count; site++) {
                double size = 1.0 / (site + 1);
                size_t best = 0;
                sum += size;
                for (size_t i = 1; i < count; i++)
                        if ((double)zone[i].share_ppm / PPM * sum - given[i] > (double)zone[best].share_ppm / PPM * sum - given[best])
                                best = i;
                given[best] += size;
                fleet->utc_offset_s[site] = (int32_t)(zone[best].utc_offset_min * 60);
        }
}

static uint32_t sites_of(const struct scenario *scenario, uint32_t devices)
{
        int64_t sites = scenario->fleet.sites > 0 ? scenario->fleet.sites : 1;
        if (sites > devices / RINGS)             /* a rollout has no more blocks than devices */
                sites = devices / RINGS;
        return sites > 0 ? (uint32_t)sites : 1;
}

static enum err draw_fleet(struct fleet *fleet, const struct scenario *scenario, struct why *why)
{
        enum err e = lay_out(fleet, scenario, why);
        if (!e)
                e = allocate(fleet, why);
        if (!e)
                e = draw_sites(fleet, why);
        if (e)
                return e;
        draw_profiles(fleet, scenario);
        draw_who(fleet, &scenario->fleet);
        place_sites(fleet, &scenario->fleet.zones);
        return OK;
}

/* A device's number is its place in the cycle of polls, which must say nothing of its profile. */
static void shuffle(struct fleet *fleet)
{
        for (uint32_t left = fleet->devices; left > 1; left--) {
                uint32_t at = (uint32_t)chance_below(fleet_draw(fleet, CHANCE_OF_PLACE, left), left);
                uint64_t last = fleet->profiles[left - 1];
                fleet->profiles[left - 1] = fleet->profiles[at];
                fleet->profiles[at] = last;
        }
}

static enum err check_given(const struct scenario_profiles *given, struct why *why)
{
        if (given->blocks > SITES_MAX || given->strata > LIMIT_STRATA)
                return FAIL(why, ERR_LIMIT, "a fleet has at most %d blocks and %d strata, not %u and %u", SITES_MAX, LIMIT_STRATA, given->blocks, given->strata);
        for (size_t i = 0; i < given->count; i++) {
                const struct scenario_profile *profile = &given->items[i];
                bool is_good = profile->block < given->blocks && profile->strata_count <= LIMIT_ATTRIBUTES && profile->ring <= ROLLOUT_RING_LATE;
                for (unsigned k = 0; k < profile->strata_count && is_good; k++)
                        is_good = profile->strata[k] < given->strata;
                if (!is_good)
                        return FAIL(why, ERR_USAGE, "profile %zu has a block, ring or stratum that there is none of", i);
        }
        return OK;
}

static enum err count_given(struct fleet *fleet, const struct scenario_profiles *given, struct why *why)
{
        uint64_t devices = 0;
        for (size_t i = 0; i < given->count; i++)
                devices += given->items[i].devices;
        if (!devices || devices > LIMIT_REPLAY_DEVICES)
                return FAIL(why, ERR_USAGE, "a fleet has 1 to %d devices, not %llu", LIMIT_REPLAY_DEVICES, (unsigned long long)devices);
        fleet->given = given->items;
        fleet->devices = (uint32_t)devices;
        fleet->sites = given->blocks;
        fleet->strata = given->strata;
        return allocate(fleet, why);
}

static enum err take_fleet(struct fleet *fleet, const struct scenario_profiles *given, struct why *why)
{
        uint32_t device = 0;
        enum err e = check_given(given, why);
        if (!e)
                e = count_given(fleet, given, why);
        if (e)
                return e;
        for (size_t i = 0; i < given->count; i++) {
                for (uint32_t k = 0; k < given->items[i].devices; k++)
                        fleet->profiles[device++] = i;
                for (unsigned k = 0; k < given->items[i].strata_count; k++)
                        fleet->stratum_sizes[given->items[i].strata[k]] += given->items[i].devices;
        }
        shuffle(fleet);
        for (device = 0; device < fleet->devices; device++) {
                const struct scenario_profile *profile = &given->items[fleet->profiles[device]];
                fleet->site_of[device] = (uint16_t)profile->block;
                fleet->who[device] = (uint8_t)(profile->ring | (profile->is_by_fits ? FLEET_BY_FITS : FLEET_ALWAYS_ON) << 2);
        }
        return OK;
}

enum err fleet_open(const struct scenario *scenario, uint32_t devices, uint64_t seed, struct fleet **ret_fleet, struct why *why)
{
        const struct scenario_profiles *given = scenario->fleet.profiles;
        OWN(fleet) struct fleet *fleet = mem_new(1, sizeof(*fleet));
        if (!fleet)
                return FAIL(why, ERR_NOMEM, "out of memory for a fleet");
        if (!given && devices < RINGS)
                return FAIL(why, ERR_USAGE, "a fleet has %d devices or more, not %u", RINGS, devices);
        fleet->seed = seed;
        fleet->devices = devices;
        fleet->liars_ppm = scenario->fleet.liars_ppm;
        fleet->lie = fleet_lie_of(&scenario->fleet);
        fleet->sites = sites_of(scenario, devices);
        if (fleet->sites > SITES_MAX)
                return FAIL(why, ERR_LIMIT, "a fleet has at most %d sites, not %u", SITES_MAX, fleet->sites);
        enum err e = given ? take_fleet(fleet, given, why) : draw_fleet(fleet, scenario, why);
        if (!e)
                *ret_fleet = GIVE(fleet);
        return e;
}

uint32_t fleet_blocks(const struct fleet *fleet) { return fleet->given ? fleet->sites : RINGS * fleet->sites; }

static void given_facts(const struct fleet *fleet, uint32_t device, struct rollout_device *ret_facts)
{
        const struct scenario_profile *profile = &fleet->given[fleet->profiles[device]];
        ret_facts->block = profile->block;
        ret_facts->strata_count = profile->strata_count;
        memcpy(ret_facts->strata, profile->strata, sizeof(ret_facts->strata));
}

static void drawn_facts(const struct fleet *fleet, uint32_t device, struct rollout_device *ret_facts)
{
        uint64_t profile = fleet->profiles[device];
        ret_facts->block = (uint32_t)ret_facts->ring * fleet->sites + fleet->site_of[device];
        ret_facts->strata_count = (uint8_t)fleet->attributes;
        for (unsigned i = 0; i < fleet->attributes; i++) {
                const struct fleet_attribute *attribute = &fleet->attribute[i];
                ret_facts->strata[i] = (uint16_t)(attribute->first_stratum + ((profile & attribute->mask) >> attribute->shift));
        }
}

void fleet_facts(const struct fleet *fleet, uint32_t device, struct rollout_device *ret_facts)
{
        ret_facts->bucket = fleet_draw(fleet, CHANCE_OF_BUCKET, device);
        ret_facts->device = device;
        ret_facts->ring = fleet_ring(fleet, device);
        if (fleet->given)
                given_facts(fleet, device, ret_facts);
        else
                drawn_facts(fleet, device, ret_facts);
}

enum err fleet_only(const struct fleet *fleet, const struct scenario *scenario, const struct yaml_texts *texts, struct fleet_only *ret_only, struct why *why)
{
        struct fleet_only only = { 0, 0 };
        for (size_t i = 0; i < texts->count; i++) {
                unsigned attribute, value;
                if (!scenario_find_value(scenario, texts->items[i], &attribute, &value))
                        return FAIL(why, ERR_SYNTAX, "no device of the fleet has `%s`", texts->items[i]);
                only.mask |= fleet->attribute[attribute].mask;
                only.value |= (uint64_t)value << fleet->attribute[attribute].shift;
        }
        *ret_only = only;
        return OK;
}
