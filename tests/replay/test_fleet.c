#include "replay/fleet.h"

#include "replay/made.h"

static bool is_about(double value, double wanted, double slack)
{
        return value > wanted - slack && value < wanted + slack;
}

TEST(fleet, has_the_shares_that_were_asked_for)
{
        struct made made;
        OWN(fleet) struct fleet *fleet = NULL;
        uint32_t rings[3] = { 0 }, habits[3] = { 0 };
        made_init(&made);
        made.scenario.fleet.office_ppm = 300000;
        made.scenario.fleet.laptop_ppm = 200000;
        CHECK(fleet_open(&made.scenario, 100000, 3, &fleet, NULL) == OK);
        CHECK(fleet->strata == 5 && fleet_blocks(fleet) == 30);
        const double shares[] = { .6, .3, .1, .7, .3 };
        for (unsigned i = 0; i < 5; i++)
                CHECK(is_about(fleet->stratum_sizes[i] / 1e5, shares[i], .01));
        for (uint32_t device = 0; device < fleet->devices; device++) {
                rings[fleet_ring(fleet, device)]++;
                habits[fleet_habit(fleet, device)]++;
        }
        CHECK(is_about(rings[ROLLOUT_RING_EARLY] / 1e5, .02, .002) && is_about(rings[ROLLOUT_RING_LATE] / 1e5, .02, .002));
        CHECK(is_about(habits[FLEET_IN_OFFICE] / 1e5, .3, .01) && is_about(habits[FLEET_BY_FITS] / 1e5, .2, .01));
}

TEST(fleet, says_of_a_device_what_it_was_drawn_as)
{
        struct made made;
        OWN(fleet) struct fleet *fleet = NULL;
        struct fleet_only only;
        uint32_t sizes[5] = { 0 }, linux_devices = 0;
        made_init(&made);
        CHECK(fleet_open(&made.scenario, 20000, 3, &fleet, NULL) == OK);
        CHECK(fleet_only(fleet, &made.scenario, &(struct yaml_texts){ 1, made.only }, &only, NULL) == OK);
        for (uint32_t device = 0; device < fleet->devices; device++) {
                struct rollout_device facts;
                fleet_facts(fleet, device, &facts);
                CHECK(facts.device == device && facts.strata_count == 2 && facts.block == facts.ring * 10u + fleet->site_of[device]);
                CHECK(facts.strata[0] < 3 && facts.strata[1] >= 3 && facts.strata[1] < 5);
                CHECK(fleet_is_among(fleet, device, &only) == (facts.strata[0] == 1));
                linux_devices += facts.strata[0] == 1;
                sizes[facts.strata[0]]++;
                sizes[facts.strata[1]]++;
        }
        for (unsigned i = 0; i < 5; i++)
                CHECK(sizes[i] == fleet->stratum_sizes[i]);
        CHECK(linux_devices == fleet->stratum_sizes[1]);
}

TEST(fleet, has_a_few_large_sites_and_zones_by_their_shares)
{
        struct made made;
        OWN(fleet) struct fleet *fleet = NULL;
        struct scenario_zone zones[] = { { 60, 700000 }, { -300, 300000 } };
        uint32_t first = 0, last = 0, east = 0;
        made_init(&made);
        made.scenario.fleet.sites = 100;
        made.scenario.fleet.zones = (struct yaml_maps){ 2, zones };
        CHECK(fleet_open(&made.scenario, 100000, 3, &fleet, NULL) == OK);
        for (uint32_t device = 0; device < fleet->devices; device++) {
                first += fleet->site_of[device] == 0;
                last += fleet->site_of[device] == 99;
                east += fleet->utc_offset_s[fleet->site_of[device]] == 3600;
        }
        CHECK(is_about((double)first / last, 100, 40) && is_about(east / 1e5, .7, .03));
}

TEST(fleet, is_no_smaller_than_its_rings)
{
        struct made made;
        OWN(fleet) struct fleet *fleet = NULL;
        made_init(&made);
        CHECK(fleet_open(&made.scenario, 2, 3, &fleet, NULL) == ERR_USAGE);
        CHECK(fleet_open(&made.scenario, 5, 3, &fleet, NULL) == OK && fleet_blocks(fleet) <= 5);
}

static const struct scenario_profile given_items[] = {
        { .devices = 3000, .block = 0, .ring = ROLLOUT_RING_ALL, .strata_count = 2, .strata = { 0, 2 } },
        { .devices = 1, .block = 2, .ring = ROLLOUT_RING_EARLY, .strata_count = 1, .strata = { 1 } },
        { .devices = 999, .block = 1, .ring = ROLLOUT_RING_LATE, .is_by_fits = true, .strata_count = 2, .strata = { 1, 2 } },
};
static const struct scenario_profiles given = { given_items, 3, 3, 3 };

TEST(fleet, has_the_profiles_that_were_given)
{
        struct made made;
        OWN(fleet) struct fleet *fleet = NULL;
        uint32_t counts[3] = { 0 }, in_first_half = 0;
        made_init(&made);
        made.scenario.fleet.profiles = &given;
        CHECK(fleet_open(&made.scenario, 7, 3, &fleet, NULL) == OK);
        CHECK(fleet->devices == 4000 && fleet->strata == 3 && fleet_blocks(fleet) == 3);
        CHECK(fleet->stratum_sizes[0] == 3000 && fleet->stratum_sizes[1] == 1000 && fleet->stratum_sizes[2] == 3999);
        for (uint32_t device = 0; device < fleet->devices; device++) {
                struct rollout_device facts;
                fleet_facts(fleet, device, &facts);
                CHECK(facts.block < 3);
                const struct scenario_profile *of = &given_items[facts.block == 0 ? 0 : 3 - facts.block];
                CHECK(facts.ring == of->ring && facts.strata_count == of->strata_count && facts.strata[0] == of->strata[0] && facts.strata[1] == of->strata[1]);
                CHECK((fleet_habit(fleet, device) == FLEET_BY_FITS) == of->is_by_fits);
                counts[facts.block]++;
                in_first_half += facts.block == 0 && device < 2000;
        }
        CHECK(counts[0] == 3000 && counts[1] == 999 && counts[2] == 1 && is_about(in_first_half, 1500, 100));
}

TEST(fleet, is_shuffled_by_its_seed)
{
        struct made made;
        OWN(fleet) struct fleet *one = NULL, *same = NULL, *other = NULL;
        uint32_t differ = 0;
        made_init(&made);
        made.scenario.fleet.profiles = &given;
        CHECK(fleet_open(&made.scenario, 0, 3, &one, NULL) == OK && fleet_open(&made.scenario, 0, 3, &same, NULL) == OK);
        CHECK(fleet_open(&made.scenario, 0, 4, &other, NULL) == OK);
        for (uint32_t device = 0; device < one->devices; device++) {
                CHECK(one->site_of[device] == same->site_of[device]);
                differ += one->site_of[device] != other->site_of[device];
        }
        CHECK(differ > 1000);
}

TEST(fleet, takes_no_profile_of_a_block_or_stratum_that_is_not_there)
{
        static const struct scenario_profile odd[] = { { .devices = 5, .block = 3 }, { .devices = 5, .strata_count = 1, .strata = { 3 } }, { .devices = 0 } };
        struct made made;
        OWN(fleet) struct fleet *fleet = NULL;
        made_init(&made);
        for (size_t i = 0; i < 3; i++) {
                const struct scenario_profiles one = { &odd[i], 1, 3, 3 };
                made.scenario.fleet.profiles = &one;
                CHECK(fleet_open(&made.scenario, 5, 3, &fleet, NULL) == ERR_USAGE);
        }
        const struct scenario_profiles wide = { given_items, 3, 70000, 3 };
        made.scenario.fleet.profiles = &wide;
        CHECK(fleet_open(&made.scenario, 5, 3, &fleet, NULL) == ERR_LIMIT);
}

/* A fault in everybody hurts no more than the budget, and no more than there are. */
TEST(fleet, of_profiles_is_rolled_out_to)
{
        struct made made;
        made_init(&made);
        made.scenario.fleet.profiles = &given;
        struct replay_result good = made_run(&made, 1);
        CHECK(good.fleet == 4000 && good.hurt == 0 && good.complete_s > 0 && good.reached_s >= good.complete_s);
        made.scenario.faults.count = 2;
        made.faults[0].susceptible_ppm = 0;
        made.faults[0].only.count = 0;
        struct replay_result bad = made_run(&made, 1);
        CHECK(bad.stopped_by != ROLLOUT_BY_NOBODY && bad.hurt >= 3 && bad.hurt <= 30 && bad.reached_s == -1);
        struct scenario_profile alone = { .devices = 1, .ring = ROLLOUT_RING_ALL };
        const struct scenario_profiles lone = { &alone, 1, 1, 0 };
        made.scenario.fleet.profiles = &lone;
        CHECK(made_run(&made, 1).hurt == 1);
}
