#include "cli/plan_cases.h"

#include <math.h>
#include <stdio.h>

enum { MILLION = 1000000, DAY_S = 86400, DARK_LEASE_S = 720 };      /* 720: dark_ppm is said of leases of twelve minutes */

static const struct plan_case all_cases[PLAN_CASES] = {
        { 0, false }, { 1000000, true }, { 1000000, false }, { 100000, true }, { 100000, false }, { 10000, true }, { 10000, false }, { 1000, true }, { 1000, false },
};

/* How often a second; the past decides when it has seen it, or should have seen three and saw none. */
static double rate_of(int64_t seen, const struct plan_past *past, double otherwise, bool *ret_is_assumed)
{
        double watched_s = (double)past->lease_ms / 1000;
        *ret_is_assumed = past->leases < PLAN_LEASES_FEWEST || watched_s <= 0 || (!seen && otherwise * watched_s < 3);
        if (*ret_is_assumed)
                return otherwise;
        return (seen ? (double)seen : 1) / watched_s;
}

static int64_t clamp(double value, int64_t least, int64_t most)
{
        return value < (double)least ? least : value > (double)most ? most : (int64_t)value;
}

static void set_return(const struct plan_past *past, struct plan_weather *weather)
{
        enum { FEWEST = 5 };
        weather->is_return_assumed = past->late < FEWEST || past->late_median_ms < 0;
        if (!weather->is_return_assumed)         /* of an exponential time: the mean from the median */
                weather->dark_for_s = clamp((double)past->late_median_ms / 1000 / log(2), 1, 30 * DAY_S);
}

/* Slower than the gap would be dark, which is counted there. */
static void set_switch(const struct plan_past *past, const struct rollout_policy *policy, struct plan_weather *weather)
{
        weather->is_switch_assumed = past->leases < PLAN_LEASES_FEWEST || past->answer_p99_ms < 0;
        if (weather->is_switch_assumed)
                weather->switch_s = clamp((double)policy->gap_s / 2, 1, weather->switch_s);
        else
                weather->switch_s = clamp(ceil((double)past->answer_p99_ms / 1000), 1, policy->gap_s > 1 ? policy->gap_s - 1 : 1);
}

static struct plan_weather weather_of(const struct plan_past *past, const struct rollout_policy *policy)
{
        const struct scenario like = scenario_default();
        struct plan_weather weather = { .dark_for_s = like.weather.dark_for_s, .switch_s = like.fleet.switch_s };
        double dark = rate_of(past->dark, past, (double)like.weather.dark_ppm / MILLION / DARK_LEASE_S, &weather.is_dark_assumed);
        double crash = rate_of(past->harmed, past, (double)like.weather.crash_ppm_per_day / MILLION / DAY_S, &weather.is_crash_assumed);
        weather.dark_ppm = weather.is_dark_assumed ? like.weather.dark_ppm : clamp(-expm1(-dark * DARK_LEASE_S) * MILLION, 0, MILLION - 1);
        weather.crash_ppm_per_day = weather.is_crash_assumed ? like.weather.crash_ppm_per_day : clamp(crash * DAY_S * MILLION, 0, INT64_C(100) * DAY_S * MILLION);
        set_return(past, &weather);
        set_switch(past, policy, &weather);
        return weather;
}

static void say_start(int64_t now, char start[static 16])
{
        static const char *const days[] = { "thu", "fri", "sat", "sun", "mon", "tue", "wed" };      /* 1 January 1970 was a Thursday */
        snprintf(start, 16, "%s %02d:%02d", days[now / DAY_S % 7], (int)(now % DAY_S / 3600), (int)(now % 3600 / 60));
}

/* Devices may ask more often than the server wants: of those that ask every so often, half did in the last half of it. */
static int64_t poll_s(const struct plan_fleet *fleet)
{
        int64_t pace_s = fleet->pace_ms > 1000 ? (fleet->pace_ms + 999) / 1000 : 1, seen_s = 2 * fleet->seen_median_s + 1;
        return fleet->seen_median_s >= 0 && seen_s < pace_s ? seen_s : pace_s;
}

/* As long as a thousand leases, for nobody waits longer; when devices come by fits, no less than two weeks of them. */
static int64_t look_for_s(const struct plan_fleet *fleet, const struct rollout_policy *policy)
{
        enum { LEASES = 1000, LEAST_S = 3600, FITS_S = 14 * DAY_S, MOST_S = 90 * DAY_S };
        int64_t for_s = LEASES * (policy->bake_s + policy->gap_s) + policy->gather_s + 4 * poll_s(fleet);
        if (fleet->seen_7d > fleet->seen_1d && for_s < FITS_S)
                for_s = FITS_S;
        return for_s < LEAST_S ? LEAST_S : for_s > MOST_S ? MOST_S : for_s;
}

/* Nobody new for so long: there is nobody left, or it stands for good. Those who come by fits are away from Friday to Monday. */
static int64_t tail_s(const struct plan_fleet *fleet, const struct rollout_policy *policy)
{
        enum { LEASES = 20, POLLS = 4, WEEKEND_S = 3 * DAY_S };
        int64_t leases_s = LEASES * (policy->bake_s + policy->gap_s), polls_s = policy->gather_s + POLLS * poll_s(fleet);
        int64_t least_s = fleet->seen_7d > fleet->seen_1d ? WEEKEND_S : polls_s;
        return leases_s > least_s ? leases_s : least_s;
}

static struct scenario base_of(const struct plan_fleet *fleet, const struct rollout_policy *policy, const struct plan_cases *cases)
{
        struct scenario base = scenario_default();
        base.title = base.class = base.source = base.guessed = "";
        base.start = cases->start;
        base.for_s = look_for_s(fleet, policy);
        base.people_s = 0;
        base.fleet.devices = fleet->present;
        base.fleet.profiles = &fleet->profiles;
        base.fleet.poll_s = poll_s(fleet);
        base.fleet.switch_s = cases->weather.switch_s;
        base.weather.dark_ppm = cases->weather.dark_ppm;
        base.weather.dark_for_s = cases->weather.dark_for_s;
        base.weather.crash_ppm_per_day = cases->weather.crash_ppm_per_day;
        return base;
}

static struct scenario_fault fault_of(const struct plan_case *of, int64_t shows_after_s)
{
        return (struct scenario_fault){
                .name = "fault", .susceptible_ppm = of->share_ppm, .harm_ppm = MILLION, .onset = "load", .after_s = shows_after_s,
                .sign = of->is_told ? "crash" : "silence", .told_ppm = MILLION, .untold = "silence", .heals = "hand", .heals_after_s = 1,
        };
}

static void add_case(struct plan_cases *cases, const struct plan_case *of, const struct scenario *base)
{
        size_t at = cases->count++;
        cases->cases[at] = *of;
        cases->faults[at] = fault_of(of, cases->shows_after_s);
        cases->scenarios[at] = *base;
        cases->scenarios[at].name = cases->names[at];
        cases->scenarios[at].faults = (struct yaml_maps){ of->share_ppm ? 1 : 0, &cases->faults[at] };
        if (of->share_ppm)
                snprintf(cases->names[at], sizeof(cases->names[at]), "harms %g %%, %s", (double)of->share_ppm / 10000, of->is_told ? "told" : "silent");
        else
                snprintf(cases->names[at], sizeof(cases->names[at]), "harmless");
}

/* Less than one device. What tells and what falls silent have the same shares, one after the other. */
static void leave_out(struct plan_cases *cases, int64_t share_ppm)
{
        if (!cases->left_out_count || cases->left_out_ppm[cases->left_out_count - 1] != share_ppm)
                cases->left_out_ppm[cases->left_out_count++] = share_ppm;
}

void plan_cases_make(const struct plan_fleet *fleet, const struct rollout_policy *policy, struct plan_cases *cases)
{
        *cases = (struct plan_cases){ .weather = weather_of(&fleet->past, policy), .shows_after_s = policy->bake_s / 2, .tail_s = tail_s(fleet, policy) };
        say_start(fleet->now, cases->start);
        const struct scenario base = base_of(fleet, policy, cases);
        for (size_t i = 0; i < PLAN_CASES; i++)
                if (!all_cases[i].share_ppm || all_cases[i].share_ppm * fleet->present >= MILLION)
                        add_case(cases, &all_cases[i], &base);
                else
                        leave_out(cases, all_cases[i].share_ppm);
}
