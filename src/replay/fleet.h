/* fleet.h - who is in a simulated fleet: attributes, ring, site, zone, habit. Drawn once from the seed, then never changed.
 *
 * 11 bytes a device. A stratum is a value of an attribute; strata are numbered through all attributes, in the scenario's order.
 * Of a scenario with profiles nothing is drawn but the order of the devices: a block is then a site, and there are no attributes. */
#pragma once

#include "base/own.h"
#include "replay/chance.h"
#include "replay/scenario.h"
#include "rollout/rollout.h"

enum fleet_habit { FLEET_ALWAYS_ON, FLEET_IN_OFFICE, FLEET_BY_FITS };

/* Values that must all be there. */
struct fleet_only { uint64_t mask, value; };

struct fleet {
        uint64_t seed;
        uint32_t devices, sites;
        const struct scenario_profile *given;    /* borrowed; NULL: drawn */
        uint64_t *profiles;                      /* the numbers of its values, packed; or of its given profile */
        uint16_t *site_of;
        uint8_t *who;                            /* ring | habit << 2 */
        int32_t *utc_offset_s;                   /* of each site */
        int64_t liars_ppm;
        enum fleet_lie lie;                      /* of those that lie */
        unsigned attributes;
        struct fleet_attribute { unsigned shift; uint64_t mask; uint16_t first_stratum; } attribute[LIMIT_ATTRIBUTES];
        uint16_t strata;
        uint32_t *stratum_sizes;
};

/* `devices` is not looked at where the profiles say how many there are. ERR_LIMIT: more values than LIMIT_STRATA, or more sites than are counted. */
MUST_CHECK enum err fleet_open(const struct scenario *scenario, uint32_t devices, uint64_t seed, struct fleet **ret_fleet, struct why *why);
void fleet_close(struct fleet *fleet);
OWN_DEFINE(fleet, struct fleet *, fleet_close)

uint32_t fleet_blocks(const struct fleet *fleet);                            /* ring x site; or as given */
void fleet_facts(const struct fleet *fleet, uint32_t device, struct rollout_device *ret_facts);

/* ERR_SYNTAX: no such value. */
MUST_CHECK enum err fleet_only(const struct fleet *fleet, const struct scenario *scenario, const struct yaml_texts *texts, struct fleet_only *ret_only,
                               struct why *why);

static inline bool fleet_is_among(const struct fleet *fleet, uint32_t device, const struct fleet_only *only)
{
        return (fleet->profiles[device] & only->mask) == only->value;
}

static inline enum rollout_ring fleet_ring(const struct fleet *fleet, uint32_t device) { return (enum rollout_ring)(fleet->who[device] & 3); }
static inline enum fleet_habit fleet_habit(const struct fleet *fleet, uint32_t device) { return (enum fleet_habit)(fleet->who[device] >> 2); }
static inline uint64_t fleet_draw(const struct fleet *fleet, unsigned of, uint64_t whom) { return chance_draw(fleet->seed, of, whom); }
static inline enum fleet_lie fleet_lie(const struct fleet *fleet, uint32_t device)
{
        return fleet->liars_ppm && chance_is(fleet_draw(fleet, CHANCE_OF_LYING, device), fleet->liars_ppm) ? fleet->lie : FLEET_IS_HONEST;
}
