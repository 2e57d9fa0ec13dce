#include "sim/made_up.h"

#include "replay/chance.h"

enum { PPM = 1000000 };

static uint64_t next(struct dice *dice) { return chance_mix(dice->state += UINT64_C(0x9E3779B97F4A7C15)); }
uint64_t dice_below(struct dice *dice, uint64_t n) { return n ? chance_below(next(dice), n) : 0; }
bool dice_say(struct dice *dice, int64_t ppm) { return chance_is(next(dice), ppm); }

static int64_t between(struct dice *dice, int64_t least, int64_t most) { return least + (int64_t)dice_below(dice, (uint64_t)(most - least + 1)); }

#define ONE_OF(dice, ...) ((const int64_t[]){ __VA_ARGS__ }[dice_below((dice), sizeof((const int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t))])
#define WORD_OF(dice, ...) ((const char *const[]){ __VA_ARGS__ }[dice_below((dice), sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))])

static const char *const attribute_names[MADE_ATTRIBUTES] = { "os", "locale", "model" };
static const char *const value_names[MADE_ATTRIBUTES][MADE_VALUES] = { { "o1", "o2", "o3", "o4" }, { "l1", "l2", "l3", "l4" }, { "m1", "m2", "m3", "m4" } };
static const char *const texts[MADE_ATTRIBUTES * MADE_VALUES] = {
        "os=o1", "os=o2", "os=o3", "os=o4", "locale=l1", "locale=l2", "locale=l3", "locale=l4", "model=m1", "model=m2", "model=m3", "model=m4",
};

static int64_t lease_s(const struct made_up *made) { return made->policy.bake_s + made->policy.gap_s; }

static void make_attributes(struct made_up *made, struct dice *dice)
{
        size_t count = (size_t)between(dice, 1, MADE_ATTRIBUTES);
        made->scenario.fleet.attributes = (struct yaml_maps){ count, made->attributes };
        for (size_t i = 0; i < count; i++) {
                size_t values = (size_t)between(dice, 1, MADE_VALUES);
                int64_t left = PPM;
                made->attributes[i] = (struct scenario_attribute){ attribute_names[i], { values, made->values[i] } };
                for (size_t at = 0; at < values; at++) {
                        int64_t share = at + 1 == values ? left : between(dice, 0, left);
                        made->values[i][at] = (struct scenario_value){ value_names[i][at], share };
                        left -= share;
                }
        }
}

static void make_fleet(struct made_up *made, struct dice *dice)
{
        struct scenario_fleet *fleet = &made->scenario.fleet;
        made->devices = (uint32_t)(dice_say(dice, 900000) ? between(dice, 60, 300) : between(dice, 300, 2000));
        make_attributes(made, dice);
        fleet->devices = made->devices;
        fleet->sites = ONE_OF(dice, 1, 2, 5, 12);
        fleet->office_ppm = ONE_OF(dice, 0, 0, 0, 200000, 500000);
        fleet->laptop_ppm = ONE_OF(dice, 0, 0, 0, 200000);
        fleet->early_ppm = ONE_OF(dice, 0, 20000, 200000);
        fleet->late_ppm = ONE_OF(dice, 0, 20000, 200000);
}

static void make_fault(struct made_up *made, struct dice *dice, size_t at)
{
        const struct yaml_maps *attributes = &made->scenario.fleet.attributes;
        unsigned attribute = (unsigned)dice_below(dice, attributes->count), value = (unsigned)dice_below(dice, made->attributes[attribute].values.count);
        made->only[at][0] = texts[attribute * MADE_VALUES + value];
        made->faults[at] = (struct scenario_fault){
                .name = "fault", .only = { (size_t)between(dice, 0, 1), made->only[at] }, .susceptible_ppm = ONE_OF(dice, 1000000, 1000000, 500000, 20000),
                .harm_ppm = ONE_OF(dice, 1000000, 1000000, 300000, 20000), .onset = WORD_OF(dice, "load", "load", "random", "date", "revert"),
                .after_s = ONE_OF(dice, 0, 30, 600, 3600), .sign = WORD_OF(dice, "crash", "boot_loop", "probe_failed", "human", "silence", "silence", "nothing"),
                .told_ppm = ONE_OF(dice, 1000000, 1000000, 500000), .told_after_s = ONE_OF(dice, 0, 0, 60, 1200), .untold = WORD_OF(dice, "silence", "nothing"),
                .heals = WORD_OF(dice, "agent", "revert", "hand", "never"), .heals_after_s = ONE_OF(dice, 60, 1800), .flaps_s = ONE_OF(dice, 0, 0, 0, 1800),
                .preflight_ppm = ONE_OF(dice, 0, 0, 0, 300000),
        };
}

static void make_weather(struct made_up *made, struct dice *dice)
{
        struct scenario_weather *weather = &made->scenario.weather;
        bool is_fine = dice_say(dice, 350000);   /* then the books know every harm's cause */
        *weather = (struct scenario_weather){ .dark_for_s = ONE_OF(dice, 300, 3600, 14400), .late_s = ONE_OF(dice, 60, 600, 3600), .power_cut_s = 1800, .early_factor_pct = 100 };
        weather->repeated_ppm = ONE_OF(dice, 0, 100000);
        if (is_fine)
                return;
        weather->crash_ppm_per_day = ONE_OF(dice, 0, 1000, 1000000, 10000000);
        weather->dark_ppm = ONE_OF(dice, 0, 1000, 20000, 300000);
        weather->lost_ppm = ONE_OF(dice, 0, 0, 10000, 200000);
        weather->late_ppm = ONE_OF(dice, 0, 10000, 300000);
        weather->power_cuts_ppm_per_day = ONE_OF(dice, 0, 0, 1000000);
        weather->early_factor_pct = ONE_OF(dice, 100, 300);
        weather->outages = (struct yaml_maps){ (size_t)between(dice, 0, MADE_OUTAGES), made->outages };
        for (size_t i = 0; i < weather->outages.count; i++)
                made->outages[i] = (struct scenario_outage){ between(dice, 0, 30 * lease_s(made)), between(dice, 1, 5 * lease_s(made)), ONE_OF(dice, 300000, 1000000) };
}

static void make_policy(struct made_up *made, struct dice *dice)
{
        made->policy = (struct rollout_policy){
                .budget = dice_say(dice, 700000) ? between(dice, 1, 12) : between(dice, 13, 50), .bake_s = ONE_OF(dice, 32, 120, 600), .gap_s = ONE_OF(dice, 16, 60, 300),
                .gather_s = ONE_OF(dice, 0, 60), .alpha_ppm = ONE_OF(dice, 100, 10000, 200000), .controls = between(dice, 0, 8), .holdout_ppm = ONE_OF(dice, 0, 20000, 200000),
                .cap_per_bake = ONE_OF(dice, 1000000, 1000000, 40, 3), .watch_s = ONE_OF(dice, 600, 7200), .complete_ppm = ONE_OF(dice, 500000, 950000, 1000000),
                .bound_silence = ONE_OF(dice, 0, 1),
        };
        if (dice_say(dice, 250000))
                made->policy.controls = 0;
        made->scenario.fleet.poll_s = lease_s(made) / ONE_OF(dice, 2, 4, 8);
        made->leases_max = dice_say(dice, 900000) ? 0 : (uint32_t)between(dice, 1, made->devices);
}

static void make_trouble(struct made_up *made, struct dice *dice)
{
        made->trouble = (struct trouble){
                .crash = ONE_OF(dice, 0, 200, 1000), .commit = ONE_OF(dice, 0, 300000, 1000000), .pause = ONE_OF(dice, 0, 0, 5000), .pause_rounds = ONE_OF(dice, 3, 20, 60),
                .down_rounds = ONE_OF(dice, 0, 3, 40), .lost_answer = ONE_OF(dice, 0, 0, 20000, 300000), .dead = ONE_OF(dice, 0, 500000), .decline = ONE_OF(dice, 0, 0, 20000, 400000),
                .lost = ONE_OF(dice, 0, 0, 20000, 200000), .late = ONE_OF(dice, 0, 0, 100000, 500000), .again = ONE_OF(dice, 0, 100000, 500000),
                .late_rounds = ONE_OF(dice, 3, 30, 120), .clock_step = ONE_OF(dice, 0, 0, 1000, 10000), .sluggish = ONE_OF(dice, 0, 0, 0, 300000, 900000),
                .freeze = ONE_OF(dice, 0, 0, 0, 5000),
                .order = ONE_OF(dice, 0, 2000, 2000, 30000), .stubborn = ONE_OF(dice, 0, 5000, 50000),
        };
}

void made_up_init(struct made_up *made, struct dice *dice)
{
        enum { ROUNDS = 1500 };
        *made = (struct made_up){ .scenario = { .name = "made up", .start = "tue 10:00", .people_s = 600 }, .rounds = ROUNDS };
        make_fleet(made, dice);
        make_policy(made, dice);
        size_t faults = dice_say(dice, 400000) ? 0 : (size_t)between(dice, 1, MADE_FAULTS);
        for (size_t i = 0; i < faults; i++)
                make_fault(made, dice, i);
        made->scenario.faults = (struct yaml_maps){ faults, made->faults };
        make_weather(made, dice);
        make_trouble(made, dice);
}
