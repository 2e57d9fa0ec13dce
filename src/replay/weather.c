#include "replay/weather.h"

#include <math.h>

static const int64_t SECOND = 1000, HOUR = 3600 * 1000, DAY = 24 * 3600 * 1000;

/* Monday, 15 July 2024, 00:00 UTC: any Monday would do, and this one begins the week that made us write this. */
static const int64_t monday_ms = INT64_C(1721001600000);

/* The mean time until it happens, from the chance that it does in `in_ms`. */
static double mean_of(int64_t ppm, double in_ms)
{
        return ppm <= 0 ? 0 : in_ms / -log1p(-(double)(ppm < 999999 ? ppm : 999999) / 1e6);
}

static enum err find_flaky(struct weather *weather, const struct scenario *scenario, struct why *why)
{
        const struct scenario_flaky *flaky = weather->of->flaky.items;
        enum err e = OK;
        for (; !e && weather->flaky_count < weather->of->flaky.count; weather->flaky_count++) {
                weather->flaky[weather->flaky_count].factor = (double)flaky[weather->flaky_count].factor_pct / 100;
                e = fleet_only(weather->fleet, scenario, &flaky[weather->flaky_count].only, &weather->flaky[weather->flaky_count].only, why);
        }
        return e;
}

enum err weather_init(struct weather *weather, const struct fleet *fleet, const struct scenario *scenario, struct why *why)
{
        const double default_lease_ms = 720e3;   /* that dark_ppm is said of */
        const struct scenario_weather *of = &scenario->weather;
        *weather = (struct weather){ .fleet = fleet, .of = of, .start_ms = monday_ms + scenario_start_min(scenario) * 60 * SECOND };
        if (of->crash_ppm_per_day > 0)
                weather->crash_ms = (double)DAY * 1e6 / (double)of->crash_ppm_per_day;
        weather->dark_ms = mean_of(of->dark_ppm, default_lease_ms);
        return find_flaky(weather, scenario, why);
}

/* The device's own clock: since some Monday, 00:00. */
static int64_t local_ms(const struct weather *weather, uint32_t device, int64_t at_ms)
{
        const struct fleet *fleet = weather->fleet;
        return weather->start_ms - monday_ms + 7 * DAY + fleet->utc_offset_s[fleet->site_of[device]] * SECOND + at_ms;
}

/* One number for a device on one day, or in one hour. */
static uint64_t draw_of_time(const struct weather *weather, unsigned of, uint32_t device, int64_t number)
{
        return fleet_draw(weather->fleet, of, (uint64_t)device | (uint64_t)number << 32);
}

static bool is_workday(int64_t day) { return day % 7 < 5; }

/* The next time, from `local` on, when its habit turns it on or off; `is_on` says which it is at `local`. */
struct habit { bool is_on; int64_t next; };

/* On at half past seven to nine, off at five to seven, without a goodbye; never on week-ends. */
static struct habit office_habit(const struct weather *weather, uint32_t device, int64_t local)
{
        int64_t day = local / DAY, at = local % DAY;
        while (!is_workday(day)) {
                day++;
                at = -1;
        }
        int64_t on = 15 * HOUR / 2 + (int64_t)chance_below(draw_of_time(weather, CHANCE_OF_MORNING, device, day), 5400000);
        int64_t off = 17 * HOUR + (int64_t)chance_below(draw_of_time(weather, CHANCE_OF_EVENING, device, day), 7200000);
        if (at < on)
                return (struct habit){ false, day * DAY + on };
        if (at < off)
                return (struct habit){ true, day * DAY + off };
        do
                day++;
        while (!is_workday(day));
        on = 15 * HOUR / 2 + (int64_t)chance_below(draw_of_time(weather, CHANCE_OF_MORNING, device, day), 5400000);
        return (struct habit){ false, day * DAY + on };
}

/* In fits of two hours, three of four on, each device at its own minute; between eight and six on workdays. */
static bool is_fit_on(const struct weather *weather, uint32_t device, int64_t fit, int64_t shift)
{
        int64_t middle = fit * 2 * HOUR + shift + HOUR, at = middle % DAY;
        bool is_worktime = is_workday(middle / DAY) && at >= 8 * HOUR && at < 18 * HOUR;
        return is_worktime && chance_is(draw_of_time(weather, CHANCE_OF_FIT, device, fit), 750000);
}

static struct habit fits_habit(const struct weather *weather, uint32_t device, int64_t local)
{
        int64_t shift = (int64_t)chance_below(fleet_draw(weather->fleet, CHANCE_OF_FIT, device), (uint64_t)(2 * HOUR)), fit = (local - shift) / (2 * HOUR);
        bool is_on = is_fit_on(weather, device, fit, shift);
        do
                fit++;
        while (is_fit_on(weather, device, fit, shift) == is_on);
        return (struct habit){ is_on, fit * 2 * HOUR + shift };
}

static struct habit habit_at(const struct weather *weather, uint32_t device, int64_t at_ms)
{
        int64_t local = local_ms(weather, device, at_ms);
        enum fleet_habit kind = fleet_habit(weather->fleet, device);
        if (kind == FLEET_ALWAYS_ON)
                return (struct habit){ true, INT64_MAX };
        struct habit habit = kind == FLEET_IN_OFFICE ? office_habit(weather, device, local) : fits_habit(weather, device, local);
        habit.next += at_ms - local;
        return habit;
}

/* A site's cut of a day; false: none that day. */
static bool power_cut(const struct weather *weather, uint32_t site, int64_t day, int64_t *ret_from_ms)
{
        uint64_t draw = draw_of_time(weather, CHANCE_OF_POWER_CUT, site, day);
        *ret_from_ms = day * DAY + (int64_t)chance_below(chance_mix(draw), (uint64_t)DAY);
        return chance_is(draw, weather->of->power_cuts_ppm_per_day);
}

/* The end of the cut at this time; 0: there is power. Days are counted from one before the start. */
static int64_t cut_end(const struct weather *weather, uint32_t site, int64_t at_ms)
{
        int64_t from_ms, lasts_ms = weather->of->power_cut_s * SECOND, day = (at_ms + DAY) / DAY, days = lasts_ms / DAY + 1;
        if (weather->of->power_cuts_ppm_per_day <= 0)
                return 0;
        for (int64_t i = day; i >= day - days && i >= 0; i--)
                if (power_cut(weather, site, i, &from_ms) && from_ms - DAY <= at_ms && at_ms < from_ms - DAY + lasts_ms)
                        return from_ms - DAY + lasts_ms;
        return 0;
}

static int64_t next_cut(const struct weather *weather, uint32_t site, int64_t at_ms, int64_t until_ms)
{
        int64_t from_ms;
        if (weather->of->power_cuts_ppm_per_day > 0)
                for (int64_t day = (at_ms + DAY) / DAY; (day - 1) * DAY < until_ms; day++)
                        if (power_cut(weather, site, day, &from_ms) && from_ms - DAY > at_ms && from_ms - DAY < until_ms)
                                return from_ms - DAY;
        return until_ms;
}

bool weather_is_on(const struct weather *weather, uint32_t device, int64_t at_ms)
{
        if (cut_end(weather, weather->fleet->site_of[device], at_ms))
                return false;
        if (fleet_habit(weather->fleet, device) == FLEET_ALWAYS_ON)
                return true;
        if (fleet_habit(weather->fleet, device) == FLEET_IN_OFFICE)
                return habit_at(weather, device, at_ms).is_on;
        int64_t local = local_ms(weather, device, at_ms);
        int64_t shift = (int64_t)chance_below(fleet_draw(weather->fleet, CHANCE_OF_FIT, device), (uint64_t)(2 * HOUR));
        return is_fit_on(weather, device, (local - shift) / (2 * HOUR), shift);
}

int64_t weather_goes_off(const struct weather *weather, uint32_t device, int64_t at_ms, int64_t until_ms)
{
        int64_t off_ms = next_cut(weather, weather->fleet->site_of[device], at_ms, until_ms);
        if (fleet_habit(weather->fleet, device) == FLEET_ALWAYS_ON)
                return off_ms;
        struct habit habit = habit_at(weather, device, at_ms);
        return habit.is_on && habit.next < off_ms ? habit.next : off_ms;
}

int64_t weather_comes_on(const struct weather *weather, uint32_t device, int64_t at_ms)
{
        for (unsigned tries = 0; tries < 1000; tries++) {        /* some weather has no end */
                int64_t end_ms = cut_end(weather, weather->fleet->site_of[device], at_ms);
                struct habit habit = habit_at(weather, device, end_ms ? end_ms : at_ms);
                if (!end_ms && habit.is_on)
                        return at_ms;
                at_ms = habit.is_on ? end_ms : habit.next;
        }
        return INT64_MAX / 2;
}

/* What happens at a rate: when, or -1. Hardly anything does, so the logarithm is seldom asked for. */
static int64_t happens(double mean_ms, uint64_t draw, int64_t at_ms, int64_t until_ms)
{
        double length_ms = (double)(until_ms - at_ms), unit = 1 - chance_unit(draw);
        if (mean_ms <= 0 || unit * mean_ms > length_ms)      /* 1 - exp(-x) is below x */
                return -1;
        double after_ms = -log1p(-unit) * mean_ms;
        return after_ms < length_ms ? at_ms + (int64_t)after_ms : -1;
}

static double haste_of(const struct weather *weather, uint32_t device)
{
        double haste = fleet_ring(weather->fleet, device) == ROLLOUT_RING_EARLY ? (double)weather->of->early_factor_pct / 100 : 1;
        for (size_t i = 0; i < weather->flaky_count; i++)
                if (fleet_is_among(weather->fleet, device, &weather->flaky[i].only))
                        haste *= weather->flaky[i].factor;
        return haste;
}

static int64_t stays_away(const struct weather *weather, uint32_t device, int64_t at_ms)
{
        return (int64_t)chance_exponential(draw_of_time(weather, CHANCE_OF_RETURN, device, at_ms), (double)(weather->of->dark_for_s * SECOND));
}

/* Drawn for spans of four mean absences, of which longer ones are cut short. */
bool weather_is_dropped(const struct weather *weather, uint32_t device, int64_t at_ms)
{
        double haste = haste_of(weather, device);
        int64_t span_ms = 4 * weather->of->dark_for_s * SECOND;
        if (haste <= 0 || weather->dark_ms <= 0 || span_ms <= 0)
                return false;
        for (int64_t from_ms = at_ms - at_ms % span_ms, spans = 0; spans < 2 && from_ms >= 0; from_ms -= span_ms, spans++) {
                int64_t off_ms = happens(weather->dark_ms / haste, draw_of_time(weather, CHANCE_OF_DROPPING, device, from_ms), from_ms, from_ms + span_ms);
                if (off_ms >= 0 && off_ms <= at_ms && at_ms < off_ms + stays_away(weather, device, from_ms))
                        return true;
        }
        return false;
}

int64_t weather_next_crash(const struct weather *weather, uint32_t device, int64_t at_ms, int64_t until_ms)
{
        double haste = haste_of(weather, device);
        return haste > 0 ? happens(weather->crash_ms / haste, draw_of_time(weather, CHANCE_OF_CRASH, device, ~at_ms), at_ms, until_ms) : -1;
}

struct weather_spell weather_spell(const struct weather *weather, uint32_t device, int64_t at_ms, int64_t until_ms)
{
        double haste = haste_of(weather, device);
        struct weather_spell spell = { -1, -1, -1 };
        if (haste > 0) {
                spell.crash_ms = happens(weather->crash_ms / haste, draw_of_time(weather, CHANCE_OF_CRASH, device, at_ms), at_ms, until_ms);
                spell.off_ms = happens(weather->dark_ms / haste, draw_of_time(weather, CHANCE_OF_DROPPING, device, at_ms), at_ms, until_ms);
        }
        if (spell.off_ms >= 0)
                spell.back_ms = spell.off_ms + stays_away(weather, device, at_ms);
        int64_t off_ms = weather_goes_off(weather, device, at_ms, until_ms);
        if (off_ms < until_ms && (spell.off_ms < 0 || off_ms <= spell.off_ms))
                spell.off_ms = spell.back_ms = off_ms;
        if (spell.off_ms >= 0)
                spell.back_ms = weather_comes_on(weather, device, spell.back_ms);
        if (spell.off_ms >= 0 && spell.crash_ms > spell.off_ms)
                spell.crash_ms = -1;
        return spell;
}

/* Until the outage is over, then at its next poll or so. */
static int64_t outage_end(const struct weather *weather, uint32_t device, int64_t at_ms)
{
        const struct scenario_outage *outages = weather->of->outages.items;
        for (size_t i = 0; i < weather->of->outages.count; i++) {
                int64_t from_ms = outages[i].from_s * SECOND, end_ms = from_ms + outages[i].for_s * SECOND;
                uint64_t draw = draw_of_time(weather, CHANCE_OF_OUTAGE, device, (int64_t)i);
                if (at_ms >= from_ms && at_ms < end_ms && chance_is(draw, outages[i].share_ppm))
                        return end_ms + (int64_t)chance_below(chance_mix(draw), 300000);
        }
        return at_ms;
}

struct weather_trip weather_trip(const struct weather *weather, uint32_t device, uint32_t number, int64_t sent_ms)
{
        const struct scenario_weather *of = weather->of;
        struct weather_trip trip = { false, outage_end(weather, device, sent_ms), -1 };
        if (of->lost_ppm > 0)
                trip.is_lost = chance_is(draw_of_time(weather, CHANCE_OF_LOSS, device, number), of->lost_ppm);
        if (of->late_ppm > 0 && chance_is(draw_of_time(weather, CHANCE_OF_LATENESS, device, number), of->late_ppm))
                trip.arrives_ms += (int64_t)chance_exponential(draw_of_time(weather, CHANCE_OF_DELAY, device, number), (double)(of->late_s * SECOND));
        if (of->repeated_ppm > 0 && chance_is(draw_of_time(weather, CHANCE_OF_REPEAT, device, number), of->repeated_ppm))
                trip.again_ms = trip.arrives_ms + 1 + (int64_t)chance_below(draw_of_time(weather, CHANCE_OF_REPEAT, device, ~(int64_t)number), 60000);
        return trip;
}
