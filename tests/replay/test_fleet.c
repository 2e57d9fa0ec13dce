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
