/* weather.h - what happens to devices whatever they run: nights, week-ends, drop-outs, crashes, power cuts, and reports that get lost.
 *
 * Times are milliseconds since the rollout's start. Nothing is remembered: all is drawn again from the fleet's seed. */
#pragma once

#include "replay/fleet.h"

struct weather {
        const struct fleet *fleet;
        const struct scenario_weather *of;
        int64_t start_ms;                        /* unix time; its day of the week and hour are the scenario's */
        double crash_ms, dark_ms;                /* mean time until it happens; 0: never */
        struct { struct fleet_only only; double factor; } flaky[LIMIT_FLAKY];
        size_t flaky_count;
};

/* ERR_SYNTAX: the flaky ones have a value that no device has. */
MUST_CHECK enum err weather_init(struct weather *weather, const struct fleet *fleet, const struct scenario *scenario, struct why *why);

/* On, by habit and with power. */
bool weather_is_on(const struct weather *weather, uint32_t device, int64_t at_ms);
/* When a device that is on goes off; `until_ms`: not before. */
int64_t weather_goes_off(const struct weather *weather, uint32_t device, int64_t at_ms, int64_t until_ms);
/* The first time from `at_ms` on when it is on. */
int64_t weather_comes_on(const struct weather *weather, uint32_t device, int64_t at_ms);

/* How a device fares from `at_ms` to `until_ms`, on its own: -1: that does not happen. It comes back when it was off. */
struct weather_spell { int64_t crash_ms, off_ms, back_ms; };
struct weather_spell weather_spell(const struct weather *weather, uint32_t device, int64_t at_ms, int64_t until_ms);

/* Off against its habit: at the rate at which leases go unanswered, whether it has a lease or not. */
bool weather_is_dropped(const struct weather *weather, uint32_t device, int64_t at_ms);
/* When it crashes next, whatever it runs; -1: not until then. */
int64_t weather_next_crash(const struct weather *weather, uint32_t device, int64_t at_ms, int64_t until_ms);

/* The way of one report. `number` tells the reports of a device apart. */
struct weather_trip { bool is_lost; int64_t arrives_ms, again_ms; };      /* again: -1: it comes once */
struct weather_trip weather_trip(const struct weather *weather, uint32_t device, uint32_t number, int64_t sent_ms);
