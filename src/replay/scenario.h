/* scenario.h - a release, what is wrong with it, and the fleet and weather that it meets: as data, content/scenarios/NAME.yaml.
 *
 * Times are seconds, chances are parts per million. What the file leaves out has the default named here. The simulator knows
 * the truth that it draws from this; a policy sees only what devices tell, or that they tell nothing. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "format/yaml.h"
#include "rollout/rollout.h"

#include <stdbool.h>
#include <stdint.h>

/* How a fault breaks out in a device that it can harm, once the device runs the release. */
enum fault_onset {
        FAULT_AT_LOAD,                           /* "load": `after_s` after activation (0: at once) */
        FAULT_AT_RANDOM,                         /* "random": exponential, mean `after_s`: a trigger, a scan, the next reboot */
        FAULT_AT_DATE,                           /* "date": `after_s` after the rollout's start, in all that run it by then, later in later ones at once */
        FAULT_AT_REVERT,                         /* "revert": `after_s` after the device is brought back: a harmful cure */
};

/* How a harmed device gets well. */
enum fault_cure {
        CURE_BY_AGENT,                           /* "agent": the device itself, without anybody, `heals_after_s` after onset */
        CURE_BY_REVERT,                          /* "revert": when the release is taken back, `heals_after_s` later */
        CURE_BY_HAND,                            /* "hand": somebody goes there, `heals_after_s` after the stop */
        CURE_NEVER,                              /* "never" */
};

struct scenario_fault {
        const char *name;                        /* "bug check at load" */
        struct yaml_texts only;                  /* "os=windows": all must hold; none: the whole fleet */
        int64_t susceptible_ppm;                 /* of these, drawn per device; seen in no attribute. Default 1000000 */
        int64_t harm_ppm;                        /* chance that a susceptible device that runs it is harmed at all. Default 1000000 */
        const char *onset; int64_t after_s;
        const char *sign;                        /* a report's kind ("crash", "boot_loop", "probe_failed", ...), "silence", or "nothing": all stays green */
        int64_t told_ppm, told_after_s;          /* of the harmed, those that tell the sign, this long after onset. Default 1000000, 0. Of no meaning for silence and nothing */
        const char *untold;                      /* what the others do: "silence" (default) or "nothing" */
        const char *heals; int64_t heals_after_s;      /* default "hand", 259200 */
        int64_t flaps_s;                         /* > 0: good and bad by turns of so long; only what is activated in a bad turn is at risk */
        int64_t preflight_ppm;                   /* of the susceptible, those whose own preflight refuses it. Default 0 */
};

/* One attribute of the fleet; each device draws a value of it. "os=windows 70 %": `share_ppm` of `values` add up to 1000000. */
struct scenario_value { const char *value; int64_t share_ppm; };
struct scenario_attribute { const char *name; struct yaml_maps values; };      /* of struct scenario_value */

/* What a device says that lies, whatever it runs and however it fares. */
enum fleet_lie {
        FLEET_IS_HONEST,
        FLEET_SAYS_FINE,                         /* "fine": of every lease that it is well */
        FLEET_SAYS_HURT,                         /* "hurt": of every lease that it crashed */
        FLEET_SAYS_HURT_WHEN_EXPOSED,            /* "hurt_when_exposed": of the release only */
};

struct scenario_zone { int64_t utc_offset_min, share_ppm; };

/* A fleet that is there: so many devices alike. Strata and blocks are the numbers of whoever counted them; `is_by_fits` as laptop_ppm. */
struct scenario_profile {
        uint32_t devices, block;
        enum rollout_ring ring;
        bool is_by_fits;
        uint8_t strata_count;
        uint16_t strata[LIMIT_ATTRIBUTES];
};
struct scenario_profiles { const struct scenario_profile *items; size_t count; uint32_t blocks; uint16_t strata; };

struct scenario_fleet {
        const struct scenario_profiles *profiles;      /* programs': instead of what is drawn from attributes, sites, zones, presence and rings; NULL: that */
        int64_t devices;                         /* of the event as it was; `replay --fleet` overrides it */
        struct yaml_maps attributes;             /* of struct scenario_attribute, at most LIMIT_ATTRIBUTES */
        int64_t sites;                           /* devices are spread over so many, as 1/rank. Default 200. A site has one zone */
        struct yaml_maps zones;                  /* of struct scenario_zone; none: UTC */
        int64_t office_ppm, laptop_ppm;          /* presence: desktops on in office hours, laptops on by fits in office hours; the others are always on. Default 0 */
        int64_t early_ppm, late_ppm;             /* rings. Default 20000, 20000 */
        int64_t poll_s;                          /* default 300: how often a device asks */
        int64_t liars_ppm;                       /* so many lie. Default 0 */
        const char *liars;                       /* enum fleet_lie; NULL: nobody lies */
        int64_t switch_s;                        /* default 5: the slowest take so long from the lease to running the release, the quickest a fifth of it */
};

/* Who crashes and drops out so much more often than others, whatever they run: an old model, a crowded one. Factors of kinds that a device is of are multiplied. */
struct scenario_flaky { struct yaml_texts only; int64_t factor_pct; };

/* Same for everybody, whatever they run. */
struct scenario_outage { int64_t from_s, for_s, share_ppm; };      /* telemetry: reports of so many devices are lost until it is over; from the start of the rollout */
struct scenario_weather {
        int64_t crash_ppm_per_day;               /* crashes that a running device reports of whatever it runs. Default 1000 */
        int64_t dark_ppm;                        /* chance per lease of the default policy (12 min) to drop out unplanned. Default 1000 */
        int64_t dark_for_s;                      /* mean time until it is back. Default 14400 */
        int64_t lost_ppm, late_ppm, late_s;      /* reports lost for good, or coming late by an exponential time of this mean. Default 0, 0, 3600 */
        int64_t repeated_ppm;                    /* reports that come twice. Default 0 */
        int64_t power_cuts_ppm_per_day, power_cut_s;       /* of sites: everything there is dark for so long. Default 0, 3600 */
        int64_t early_factor_pct;                /* volunteers crash and drop out so much more often. Default 100 */
        struct yaml_maps flaky;                  /* of struct scenario_flaky */
        struct yaml_maps outages;                /* of struct scenario_outage */
};

/* What happened; for the line "as it was" beside the policies. -1: not known. */
struct scenario_history { int64_t hurt, stop_s, exposed; const char *text; };

struct scenario {
        const char *name;                        /* the file's, without .yaml */
        const char *title, *when;                /* "CrowdStrike, Channel File 291"; "2024-07-19" */
        const char *class;                       /* of facts: "brick at load", "silent semantic harm", ..., "good" */
        const char *source, *guessed;            /* where the figures come from, and which of them are guesses */
        const char *unseen, *contained;          /* why no gate can see it in time, and what on the device contains it; "": a gate can see it */
        const char *start;                       /* "fri 04:09", UTC: night and week-end follow from it */
        int64_t for_s;                           /* how long the replay looks at most, 72 h of watch included. Default 345600 */
        int64_t people_s;                        /* people withdraw so long after a stop. Default 3600 */
        struct scenario_fleet fleet;
        struct yaml_maps faults;                 /* of struct scenario_fault; none: a good release */
        struct scenario_weather weather;
        struct scenario_history history;
};

/* `name` is the file's name, for messages. Everything lives in the arena. ERR_SYNTAX names line and key; also for shares that do not add up, an
 * `only` that no device has, a sign or law that is none. */
MUST_CHECK enum err scenario_read(struct arena *arena, const char *name, const char *bytes, size_t length, struct scenario *ret_scenario, struct why *why);

/* What a file has that says none of it. */
struct scenario scenario_default(void);

/* Minutes from Monday 00:00 UTC to the start. */
unsigned scenario_start_min(const struct scenario *scenario);
enum fault_onset fault_onset(const struct scenario_fault *fault);
enum fault_cure fault_cure(const struct scenario_fault *fault);
enum fleet_lie fleet_lie_of(const struct scenario_fleet *fleet);
/* The attribute's number, and the value's; false: no such. */
bool scenario_find_value(const struct scenario *scenario, const char *text, unsigned *ret_attribute, unsigned *ret_value);
