/* made.h - a scenario made by hand: two attributes of three values and two, ten sites, always on, no weather. */
#pragma once

#include "replay/run.h"
#include "support/test.h"

struct made {
        struct scenario scenario;
        struct scenario_attribute attributes[2];
        struct scenario_value os[3], locale[2];
        struct scenario_fault faults[2];
        struct scenario_outage outage;
        const char *only[1];
};

/* The faults are there, and do not count: set faults.count. The first is the brick at load, on linux, silent, healed by hand in a day; the second tells
 * of a crash at once and helps itself in ten minutes, everywhere. */
static inline void made_init(struct made *made)
{
        *made = (struct made){
                .os = { { "windows", 600000 }, { "linux", 300000 }, { "mac", 100000 } }, .locale = { { "en", 700000 }, { "de", 300000 } }, .only = { "os=linux" },
                .scenario = { .name = "made", .start = "tue 10:00", .for_s = 345600, .people_s = 1800,
                              .fleet = { .devices = 20000, .sites = 10, .early_ppm = 20000, .late_ppm = 20000, .poll_s = 300, .switch_s = 5 },
                              .weather = { .dark_for_s = 14400, .late_s = 3600, .power_cut_s = 3600, .early_factor_pct = 100 } },
        };
        made->attributes[0] = (struct scenario_attribute){ "os", { 3, made->os } };
        made->attributes[1] = (struct scenario_attribute){ "locale", { 2, made->locale } };
        made->scenario.fleet.attributes = (struct yaml_maps){ 2, made->attributes };
        made->faults[0] = (struct scenario_fault){
                .name = "brick", .only = { 1, made->only }, .susceptible_ppm = 1000000, .harm_ppm = 1000000, .onset = "load", .sign = "silence", .told_ppm = 1000000,
                .untold = "silence", .heals = "hand", .heals_after_s = 86400,
        };
        made->faults[1] = (struct scenario_fault){
                .name = "crash", .susceptible_ppm = 1000000, .harm_ppm = 1000000, .onset = "load", .after_s = 60, .sign = "crash", .told_ppm = 1000000,
                .untold = "silence", .heals = "agent", .heals_after_s = 600,
        };
        made->scenario.faults.items = made->faults;
        made->scenario.weather.outages.items = &made->outage;
}

static inline struct replay_config made_config(const struct made *made)
{
        return (struct replay_config){ .scenario = &made->scenario, .director = &director_firebreak, .policy = rollout_policy_default(), .seed = 1 };
}

static inline struct replay_result made_run(const struct made *made, uint64_t seed)
{
        struct replay_config config = made_config(made);
        struct replay_result result;
        struct why why = { .text = "" };
        config.seed = seed;
        enum err e = replay_run(&config, &result, &why);
        if (e)
                fprintf(stderr, "%s\n", why.text);
        CHECK(!e);
        return result;
}
