#include "replay/weather.h"

#include "replay/made.h"

#include <math.h>

static const int64_t SECOND = 1000, MINUTE = 60 * 1000, HOUR = 3600 * 1000, DAY = 24 * 3600 * 1000;

static void open_fleet(struct made *made, uint32_t devices, struct fleet **ret_fleet, struct weather *ret_weather)
{
        CHECK(fleet_open(&made->scenario, devices, 5, ret_fleet, NULL) == OK);
        CHECK(weather_init(ret_weather, *ret_fleet, &made->scenario, NULL) == OK);
}

static double share_on(const struct weather *weather, int64_t at_ms)
{
        uint32_t on = 0;
        for (uint32_t device = 0; device < weather->fleet->devices; device++)
                on += weather_is_on(weather, device, at_ms);
        return (double)on / weather->fleet->devices;
}

/* The start is Tuesday, 10:00. */
TEST(weather, sends_offices_home_at_night_and_on_week_ends)
{
        struct made made;
        struct weather weather;
        OWN(fleet) struct fleet *fleet = NULL;
        made_init(&made);
        made.scenario.fleet.office_ppm = 1000000;
        open_fleet(&made, 2000, &fleet, &weather);
        CHECK(share_on(&weather, 0) > .999 && share_on(&weather, 6 * HOUR) > .999);
        double evening = share_on(&weather, 8 * HOUR);
        CHECK(evening > .4 && evening < .6);
        CHECK(share_on(&weather, 12 * HOUR) < .001 && share_on(&weather, DAY) > .999);
        CHECK(share_on(&weather, 4 * DAY) < .001 && share_on(&weather, 5 * DAY) < .001 && share_on(&weather, 6 * DAY) > .999);
}

TEST(weather, knows_the_clock_of_each_zone)
{
        struct made made;
        struct weather weather;
        OWN(fleet) struct fleet *fleet = NULL;
        struct scenario_zone zone = { 480, 1000000 };
        made_init(&made);
        made.scenario.fleet.office_ppm = 1000000;
        made.scenario.fleet.zones = (struct yaml_maps){ 1, &zone };
        open_fleet(&made, 500, &fleet, &weather);
        CHECK(share_on(&weather, -2 * HOUR) > .999 && share_on(&weather, 2 * HOUR) < .001);
}

TEST(weather, turns_laptops_on_by_fits)
{
        struct made made;
        struct weather weather;
        OWN(fleet) struct fleet *fleet = NULL;
        made_init(&made);
        made.scenario.fleet.laptop_ppm = 1000000;
        open_fleet(&made, 2000, &fleet, &weather);
        CHECK(share_on(&weather, 3 * HOUR) > .7 && share_on(&weather, 3 * HOUR) < .8 && share_on(&weather, 14 * HOUR) < .001);
}

/* What it says of the next change is what it says at that time. */
TEST(weather, goes_off_and_comes_on_as_it_said)
{
        struct made made;
        struct weather weather;
        OWN(fleet) struct fleet *fleet = NULL;
        made_init(&made);
        made.scenario.fleet.office_ppm = made.scenario.fleet.laptop_ppm = 400000;
        made.scenario.weather.power_cuts_ppm_per_day = 300000;
        open_fleet(&made, 300, &fleet, &weather);
        for (uint32_t device = 0; device < 300; device++)
                for (int64_t at_ms = device * MINUTE; at_ms < 8 * DAY; at_ms += 5 * HOUR) {
                        int64_t on_ms = weather_comes_on(&weather, device, at_ms), off_ms = weather_goes_off(&weather, device, on_ms, on_ms + DAY);
                        CHECK(on_ms >= at_ms && (on_ms == at_ms) == weather_is_on(&weather, device, at_ms));
                        CHECK(weather_is_on(&weather, device, on_ms) && (on_ms == at_ms || !weather_is_on(&weather, device, on_ms - 1)));
                        CHECK(off_ms > on_ms && weather_is_on(&weather, device, off_ms - 1));
                        CHECK(off_ms == on_ms + DAY || !weather_is_on(&weather, device, off_ms));
                }
}

TEST(weather, cuts_the_power_of_a_whole_site)
{
        struct made made;
        struct weather weather;
        OWN(fleet) struct fleet *fleet = NULL;
        uint32_t cuts = 0;
        made_init(&made);
        made.scenario.weather.power_cuts_ppm_per_day = 500000;
        open_fleet(&made, 2000, &fleet, &weather);
        for (int64_t at_ms = 0; at_ms < 10 * DAY; at_ms += HOUR) {
                uint32_t on[10] = { 0 }, off[10] = { 0 };
                for (uint32_t device = 0; device < 2000; device++)
                        (weather_is_on(&weather, device, at_ms) ? on : off)[fleet->site_of[device]]++;
                for (unsigned site = 0; site < 10; site++) {
                        CHECK(!on[site] || !off[site]);
                        cuts += off[site] > 0;
                }
        }
        CHECK(cuts > 25 && cuts < 80);           /* of ten sites in ten days, every second day, an hour each */
}

TEST(weather, drops_devices_out_at_the_rate_that_was_asked_for)
{
        struct made made;
        struct weather weather;
        OWN(fleet) struct fleet *fleet = NULL;
        double off[3] = { 0 }, crashed[3] = { 0 }, away_ms = 0;
        uint32_t of_ring[3] = { 0 };
        made_init(&made);
        made.scenario.weather.dark_ppm = 10000;
        made.scenario.weather.crash_ppm_per_day = 500000;
        made.scenario.weather.early_factor_pct = 300;
        made.scenario.fleet.early_ppm = 200000;
        open_fleet(&made, 200000, &fleet, &weather);
        for (uint32_t device = 0; device < 200000; device++) {
                struct weather_spell spell = weather_spell(&weather, device, HOUR, HOUR + 1440 * SECOND);      /* two leases' time */
                enum rollout_ring ring = fleet_ring(fleet, device);
                CHECK(spell.off_ms < 0 || (spell.off_ms >= HOUR && spell.off_ms < HOUR + 1440 * SECOND && spell.back_ms >= spell.off_ms));
                of_ring[ring]++;
                off[ring] += spell.off_ms >= 0;
                crashed[ring] += spell.crash_ms >= 0;
                away_ms += spell.off_ms >= 0 ? (double)(spell.back_ms - spell.off_ms) : 0;
        }
        double rate = off[1] / of_ring[1], early_rate = off[0] / of_ring[0], crash_rate = crashed[1] / of_ring[1];
        CHECK(rate > .018 && rate < .0215 && early_rate > .053 && early_rate < .063);
        CHECK(crash_rate > .0075 && crash_rate < .009);      /* 1,440 s of a day's half */
        double mean_ms = away_ms / (off[0] + off[1] + off[2]);
        CHECK(mean_ms > 13000e3 && mean_ms < 16000e3);
}

TEST(weather, loses_delays_and_repeats_reports)
{
        struct made made;
        struct weather weather;
        OWN(fleet) struct fleet *fleet = NULL;
        uint32_t lost = 0, late = 0, again = 0;
        made_init(&made);
        made.scenario.weather.lost_ppm = 50000;
        made.scenario.weather.late_ppm = 100000;
        made.scenario.weather.repeated_ppm = 200000;
        open_fleet(&made, 20000, &fleet, &weather);
        for (uint32_t device = 0; device < 20000; device++) {
                struct weather_trip trip = weather_trip(&weather, device, 9, HOUR);
                CHECK(trip.arrives_ms >= HOUR && (trip.again_ms < 0 || trip.again_ms > trip.arrives_ms));
                lost += trip.is_lost;
                late += trip.arrives_ms > HOUR;
                again += trip.again_ms >= 0;
        }
        CHECK(lost > 850 && lost < 1150 && late > 1850 && late < 2150 && again > 3800 && again < 4200);
}

TEST(weather, holds_reports_back_until_an_outage_is_over)
{
        struct made made;
        struct weather weather;
        OWN(fleet) struct fleet *fleet = NULL;
        uint32_t held = 0;
        made_init(&made);
        made.outage = (struct scenario_outage){ 3600, 1800, 400000 };
        made.scenario.weather.outages.count = 1;
        open_fleet(&made, 10000, &fleet, &weather);
        for (uint32_t device = 0; device < 10000; device++) {
                struct weather_trip trip = weather_trip(&weather, device, 9, HOUR + 10 * MINUTE);
                held += trip.arrives_ms >= HOUR + 30 * MINUTE;
                CHECK(trip.arrives_ms >= HOUR + 30 * MINUTE || trip.arrives_ms == HOUR + 10 * MINUTE);
                CHECK(weather_trip(&weather, device, 9, HOUR - 1).arrives_ms == HOUR - 1);
        }
        CHECK(held > 3800 && held < 4200);
}

TEST(weather, crashes_flaky_kinds_more_often)
{
        struct made made;
        struct weather weather;
        OWN(fleet) struct fleet *fleet = NULL;
        const char *mac = "os=mac", *de = "locale=de";
        struct scenario_flaky flaky[] = { { { 1, &mac }, 1000 }, { { 1, &de }, 50 } };
        double crashed[3][2] = { { 0 } }, count[3][2] = { { 0 } };
        made_init(&made);
        made.scenario.weather.crash_ppm_per_day = 50000;
        made.scenario.weather.flaky = (struct yaml_maps){ 2, flaky };
        open_fleet(&made, 200000, &fleet, &weather);
        for (uint32_t device = 0; device < 200000; device++) {
                struct rollout_device facts;
                fleet_facts(fleet, device, &facts);
                count[facts.strata[0]][facts.strata[1] - 3]++;
                crashed[facts.strata[0]][facts.strata[1] - 3] += weather_next_crash(&weather, device, 0, DAY) >= 0;
        }
        const double expected[3][2] = { { .0488, .0247 }, { .0488, .0247 }, { .393, .221 } };      /* 1 - exp(-.05), times 10 for mac, half for de */
        for (unsigned os = 0; os < 3; os++)
                for (unsigned locale = 0; locale < 2; locale++)
                        CHECK(fabs(crashed[os][locale] / count[os][locale] / expected[os][locale] - 1) < .12);
        const char *odd = "os=beos";
        flaky[0].only.items = &odd;
        CHECK(weather_init(&weather, fleet, &made.scenario, NULL) == ERR_SYNTAX);
}
