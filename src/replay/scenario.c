#include "replay/scenario.h"

#include "format/near.h"
#include "rollout/view.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#define KEYS(table) .keys = (table), .key_count = sizeof(table) / sizeof((table)[0])
#define AT(type, field) .offset = offsetof(struct type, field)
#define INT(of, field, low, high) { .key = #field, .type = YAML_INT, AT(of, field), .min = (low), .max = (high) }
#define PPM(of, field) INT(of, field, 0, MILLION)
#define TEXT(of, field, is_required, bytes) \
        { .key = #field, .type = YAML_TEXT, .required = (is_required), AT(of, field), .min = (is_required), .max = (bytes) }
#define LIST(of, field, most, item) { .key = #field, .type = YAML_MAPS, AT(of, field), .max = (most), .schema = &(item) }
#define MAP(of, field, is_required, map) { .key = #field, .type = YAML_MAP, .required = (is_required), AT(of, field), .schema = &(map) }

enum { MILLION = 1000000, TEXT_MAX = 4000, DAY_S = 86400, YEAR_S = 365 * DAY_S, LOOK_MAX_S = 90 * DAY_S };

/* Items of a list start as zeros, so where zero is not the default it is out of range: 0 says "left out". */
static const struct yaml_key value_keys[] = {
        TEXT(scenario_value, value, true, LIMIT_NAME_BYTES),
        { .key = "share_ppm", .type = YAML_INT, .required = true, AT(scenario_value, share_ppm), .min = 1, .max = MILLION },
};
static const struct yaml_schema value_schema = { KEYS(value_keys), .item_size = sizeof(struct scenario_value) };

static const struct yaml_key attribute_keys[] = {
        TEXT(scenario_attribute, name, true, LIMIT_NAME_BYTES),
        { .key = "values", .type = YAML_MAPS, .required = true, AT(scenario_attribute, values), .min = 1, .max = LIMIT_STRATA, .schema = &value_schema },
};
static const struct yaml_schema attribute_schema = { KEYS(attribute_keys), .item_size = sizeof(struct scenario_attribute) };

static const struct yaml_key zone_keys[] = {
        { .key = "utc_offset_min", .type = YAML_INT, .required = true, AT(scenario_zone, utc_offset_min), .min = -720, .max = 840 },
        { .key = "share_ppm", .type = YAML_INT, .required = true, AT(scenario_zone, share_ppm), .min = 1, .max = MILLION },
};
static const struct yaml_schema zone_schema = { KEYS(zone_keys), .item_size = sizeof(struct scenario_zone) };

static const struct yaml_key fleet_keys[] = {
        { .key = "devices", .type = YAML_INT, .required = true, AT(scenario_fleet, devices), .min = LIMIT_REPLAY_DEVICES_LEAST, .max = LIMIT_REPLAY_DEVICES },
        INT(scenario_fleet, sites, 1, LIMIT_SITES),
        LIST(scenario_fleet, zones, LIMIT_ZONES, zone_schema),
        LIST(scenario_fleet, attributes, LIMIT_ATTRIBUTES, attribute_schema),
        PPM(scenario_fleet, office_ppm),
        PPM(scenario_fleet, laptop_ppm),
        PPM(scenario_fleet, early_ppm),
        PPM(scenario_fleet, late_ppm),
        INT(scenario_fleet, poll_s, 1, DAY_S),
        PPM(scenario_fleet, liars_ppm),
        TEXT(scenario_fleet, liars, false, 32),
        INT(scenario_fleet, switch_s, 1, DAY_S),
};
static const struct yaml_schema fleet_schema = { KEYS(fleet_keys), .item_size = sizeof(struct scenario_fleet) };

static const struct yaml_key fault_keys[] = {
        TEXT(scenario_fault, name, true, 120),
        { .key = "only", .type = YAML_TEXTS, AT(scenario_fault, only), .max = LIMIT_ATTRIBUTES },
        INT(scenario_fault, susceptible_ppm, 1, MILLION),
        INT(scenario_fault, harm_ppm, 1, MILLION),
        TEXT(scenario_fault, onset, true, 16),
        INT(scenario_fault, after_s, 0, YEAR_S),
        TEXT(scenario_fault, sign, true, 32),
        INT(scenario_fault, told_ppm, 1, MILLION),
        INT(scenario_fault, told_after_s, 0, YEAR_S),
        TEXT(scenario_fault, untold, false, 16),
        TEXT(scenario_fault, heals, false, 16),
        INT(scenario_fault, heals_after_s, 1, YEAR_S),
        INT(scenario_fault, flaps_s, 1, YEAR_S),
        PPM(scenario_fault, preflight_ppm),
};
static const struct yaml_schema fault_schema = { KEYS(fault_keys), .item_size = sizeof(struct scenario_fault) };

static const struct yaml_key outage_keys[] = {
        { .key = "from_s", .type = YAML_INT, .required = true, AT(scenario_outage, from_s), .min = 0, .max = LOOK_MAX_S },
        { .key = "for_s", .type = YAML_INT, .required = true, AT(scenario_outage, for_s), .min = 1, .max = LOOK_MAX_S },
        { .key = "share_ppm", .type = YAML_INT, .required = true, AT(scenario_outage, share_ppm), .min = 1, .max = MILLION },
};
static const struct yaml_schema outage_schema = { KEYS(outage_keys), .item_size = sizeof(struct scenario_outage) };

static const struct yaml_key flaky_keys[] = {
        { .key = "only", .type = YAML_TEXTS, .required = true, AT(scenario_flaky, only), .min = 1, .max = LIMIT_ATTRIBUTES },
        { .key = "factor_pct", .type = YAML_INT, .required = true, AT(scenario_flaky, factor_pct), .min = 1, .max = 10000 },
};
static const struct yaml_schema flaky_schema = { KEYS(flaky_keys), .item_size = sizeof(struct scenario_flaky) };

static const struct yaml_key weather_keys[] = {
        PPM(scenario_weather, crash_ppm_per_day),
        PPM(scenario_weather, dark_ppm),
        INT(scenario_weather, dark_for_s, 1, YEAR_S),
        PPM(scenario_weather, lost_ppm),
        PPM(scenario_weather, late_ppm),
        INT(scenario_weather, late_s, 1, YEAR_S),
        PPM(scenario_weather, repeated_ppm),
        PPM(scenario_weather, power_cuts_ppm_per_day),
        INT(scenario_weather, power_cut_s, 1, YEAR_S),
        INT(scenario_weather, early_factor_pct, 1, 10000),
        LIST(scenario_weather, flaky, LIMIT_FLAKY, flaky_schema),
        LIST(scenario_weather, outages, LIMIT_OUTAGES, outage_schema),
};
static const struct yaml_schema weather_schema = { KEYS(weather_keys), .item_size = sizeof(struct scenario_weather) };

static const struct yaml_key history_keys[] = {
        INT(scenario_history, hurt, -1, INT64_C(100000000000)),
        INT(scenario_history, stop_s, -1, YEAR_S),
        INT(scenario_history, exposed, -1, INT64_C(100000000000)),
        TEXT(scenario_history, text, false, TEXT_MAX),
};
static const struct yaml_schema history_schema = { KEYS(history_keys), .item_size = sizeof(struct scenario_history) };

static const struct yaml_key scenario_keys[] = {
        TEXT(scenario, title, true, 120),
        TEXT(scenario, when, false, 40),
        TEXT(scenario, class, true, LIMIT_NAME_BYTES),
        TEXT(scenario, source, true, TEXT_MAX),
        TEXT(scenario, guessed, true, TEXT_MAX),
        TEXT(scenario, unseen, false, TEXT_MAX),
        TEXT(scenario, contained, false, TEXT_MAX),
        TEXT(scenario, start, true, 9),
        INT(scenario, for_s, 60, LOOK_MAX_S),
        INT(scenario, people_s, 0, LOOK_MAX_S),
        MAP(scenario, fleet, true, fleet_schema),
        LIST(scenario, faults, LIMIT_FAULTS, fault_schema),
        MAP(scenario, weather, false, weather_schema),
        MAP(scenario, history, false, history_schema),
};
static const struct yaml_schema schema = { KEYS(scenario_keys), .item_size = sizeof(struct scenario) };

static const struct scenario defaults = {
        .when = "", .unseen = "", .contained = "", .for_s = 4 * DAY_S, .people_s = 3600,
        .fleet = { .sites = 200, .early_ppm = 20000, .late_ppm = 20000, .poll_s = 300, .switch_s = 5 },
        .weather = { .crash_ppm_per_day = 1000, .dark_ppm = 1000, .dark_for_s = 14400, .late_s = 3600, .power_cut_s = 3600, .early_factor_pct = 100 },
        .history = { .hurt = -1, .stop_s = -1, .exposed = -1, .text = "" },
};

struct scenario scenario_default(void) { return defaults; }

static struct scenario_attribute *attribute_at(const struct scenario *scenario, size_t at)
{
        return (struct scenario_attribute *)scenario->fleet.attributes.items + at;
}

static struct scenario_value *value_at(const struct scenario_attribute *attribute, size_t at)
{
        return (struct scenario_value *)attribute->values.items + at;
}

static struct scenario_fault *fault_at(const struct scenario *scenario, size_t at)
{
        return (struct scenario_fault *)scenario->faults.items + at;
}

/* Words that a key may have. */
enum { WORDS_MAX = ROLLOUT_KINDS + 2 };
struct words { const char *items[WORDS_MAX]; size_t count; };

static const struct words onsets = { { "load", "random", "date", "revert" }, 4 };              /* in the order of enum fault_onset */
static const struct words cures = { { "agent", "revert", "hand", "never" }, 4 };               /* and of enum fault_cure */
static const struct words lies = { { "fine", "hurt", "hurt_when_exposed" }, 3 };                /* and of enum fleet_lie, after the honest */
static const struct words silences = { { "silence", "nothing" }, 2 };
static const struct words days = { { "mon", "tue", "wed", "thu", "fri", "sat", "sun" }, 7 };

static struct words signs(void)
{
        struct words words = silences;
        for (enum rollout_signal kind = 0; kind < ROLLOUT_KINDS; kind++)
                words.items[words.count++] = rollout_signal_word(kind);
        return words;
}

/* words->count: none of them. */
static size_t word_find(const struct words *words, const char *text)
{
        size_t at = 0;
        while (at < words->count && strcmp(words->items[at], text) != 0)
                at++;
        return at;
}

static enum err word_check(const struct words *words, const char *key, const char *text, struct why *why)
{
        if (word_find(words, text) < words->count)
                return OK;
        struct near near = { .word = text };
        for (size_t i = 0; i < words->count; i++)
                near_consider(&near, words->items[i]);
        if (near.best)
                return FAIL(why, ERR_SYNTAX, "%s: `%s` is none; did you mean `%s`?", key, text, near.best);
        char list[256] = "";
        size_t length = 0;
        for (size_t i = 0; i < words->count && length < sizeof(list); i++)
                length += (size_t)snprintf(list + length, sizeof(list) - length, "%s%s", i ? ", " : "", words->items[i]);
        return FAIL(why, ERR_SYNTAX, "%s: `%s` is none of %s", key, text, list);
}

static enum err shares_check(int64_t sum, struct why *why)
{
        if (sum != MILLION)
                return FAIL(why, ERR_SYNTAX, "the shares add up to %" PRId64 ", not to %d", sum, MILLION);
        return OK;
}

static enum err attribute_check(const struct scenario_attribute *attribute, struct why *why)
{
        int64_t sum = 0;
        for (size_t i = 0; i < attribute->values.count; i++) {
                sum += value_at(attribute, i)->share_ppm;
                for (size_t k = 0; k < i; k++)
                        if (strcmp(value_at(attribute, i)->value, value_at(attribute, k)->value) == 0)
                                return FAIL(why, ERR_SYNTAX, "value `%s` is there twice", value_at(attribute, i)->value);
        }
        if (strchr(attribute->name, '='))
                return FAIL(why, ERR_SYNTAX, "a name has no `=`");
        return shares_check(sum, why);
}

static enum err attributes_check(const struct scenario *scenario, struct why *why)
{
        size_t strata = 0;
        for (size_t i = 0; i < scenario->fleet.attributes.count; i++) {
                const struct scenario_attribute *attribute = attribute_at(scenario, i);
                strata += attribute->values.count;
                for (size_t k = 0; k < i; k++)
                        if (strcmp(attribute->name, attribute_at(scenario, k)->name) == 0)
                                return FAIL(why, ERR_SYNTAX, "fleet: attribute `%s` is there twice", attribute->name);
                enum err e = attribute_check(attribute, why);
                if (e)
                        return DURING(why, e, "fleet: attribute `%s`", attribute->name);
        }
        if (strata > LIMIT_STRATA)
                return FAIL(why, ERR_SYNTAX, "fleet: %zu values of all attributes together, at most %d", strata, LIMIT_STRATA);
        return OK;
}

static enum err fleet_check(const struct scenario *scenario, struct why *why)
{
        const struct scenario_fleet *fleet = &scenario->fleet;
        int64_t sum = 0;
        for (size_t i = 0; i < fleet->zones.count; i++)
                sum += ((const struct scenario_zone *)fleet->zones.items)[i].share_ppm;
        enum err e = fleet->zones.count ? shares_check(sum, why) : OK;
        if (e)
                return DURING(why, e, "fleet: zones");
        if (fleet->office_ppm + fleet->laptop_ppm > MILLION)
                return FAIL(why, ERR_SYNTAX, "fleet: office_ppm and laptop_ppm are together more than %d", MILLION);
        if (fleet->early_ppm + fleet->late_ppm > MILLION)
                return FAIL(why, ERR_SYNTAX, "fleet: early_ppm and late_ppm are together more than %d", MILLION);
        if (!fleet->liars_ppm != !fleet->liars)
                return FAIL(why, ERR_SYNTAX, "fleet: liars, liars_ppm: one needs the other");
        e = fleet->liars ? word_check(&lies, "liars", fleet->liars, why) : OK;
        return e ? DURING(why, e, "fleet") : attributes_check(scenario, why);
}

static enum err refuse_only(const struct scenario *scenario, const char *text, struct why *why)
{
        char known[2 * LIMIT_NAME_BYTES + 2], best[sizeof(known)] = "";
        struct near near = { .word = text };
        for (size_t i = 0; i < scenario->fleet.attributes.count; i++) {
                const struct scenario_attribute *attribute = attribute_at(scenario, i);
                for (size_t k = 0; k < attribute->values.count; k++) {
                        snprintf(known, sizeof(known), "%s=%s", attribute->name, value_at(attribute, k)->value);
                        size_t distance = near.distance;
                        near_consider(&near, known);
                        if (near.best && (!*best || near.distance < distance))
                                snprintf(best, sizeof(best), "%s", known);
                }
        }
        if (near.best)
                return FAIL(why, ERR_SYNTAX, "only: no device has `%s`; did you mean `%s`?", text, best);
        return FAIL(why, ERR_SYNTAX, "only: no device has `%s`", text);
}

static enum err only_check(const struct scenario *scenario, const struct yaml_texts *only, struct why *why)
{
        uint64_t seen = 0;                       /* a bit for each attribute */
        for (size_t i = 0; i < only->count; i++) {
                unsigned attribute, value;
                if (!scenario_find_value(scenario, only->items[i], &attribute, &value))
                        return refuse_only(scenario, only->items[i], why);
                if (seen >> attribute & 1)
                        return FAIL(why, ERR_SYNTAX, "only: a device has one value of `%s`, not two", attribute_at(scenario, attribute)->name);
                seen |= UINT64_C(1) << attribute;
        }
        return OK;
}

static void set_int(int64_t *value, int64_t otherwise)
{
        if (!*value)
                *value = otherwise;
}

static void fault_defaults(struct scenario_fault *fault)
{
        set_int(&fault->susceptible_ppm, MILLION);
        set_int(&fault->harm_ppm, MILLION);
        set_int(&fault->told_ppm, MILLION);
        set_int(&fault->heals_after_s, 3 * DAY_S);
        if (!fault->untold)
                fault->untold = "silence";
        if (!fault->heals)
                fault->heals = "hand";
}

/* Before the defaults: what the file says. */
static enum err fault_check(const struct scenario *scenario, const struct scenario_fault *fault, struct why *why)
{
        struct words known = signs();
        enum err e = only_check(scenario, &fault->only, why);
        if (!e)
                e = word_check(&onsets, "onset", fault->onset, why);
        if (!e)
                e = word_check(&known, "sign", fault->sign, why);
        if (!e && fault->untold)
                e = word_check(&silences, "untold", fault->untold, why);
        if (!e && fault->heals)
                e = word_check(&cures, "heals", fault->heals, why);
        if (e)
                return e;
        if (word_find(&silences, fault->sign) < silences.count && (fault->told_ppm || fault->told_after_s || fault->untold))
                return FAIL(why, ERR_SYNTAX, "told_ppm, told_after_s, untold: with the sign `%s` nobody tells anything", fault->sign);
        return OK;
}

static enum err faults_check(const struct scenario *scenario, struct why *why)
{
        for (size_t i = 0; i < scenario->faults.count; i++) {
                struct scenario_fault *fault = fault_at(scenario, i);
                for (size_t k = 0; k < i; k++)
                        if (strcmp(fault->name, fault_at(scenario, k)->name) == 0)
                                return FAIL(why, ERR_SYNTAX, "fault `%s` is there twice", fault->name);
                enum err e = fault_check(scenario, fault, why);
                if (e)
                        return DURING(why, e, "fault `%s`", fault->name);
                fault_defaults(fault);
        }
        return OK;
}

/* Two digits, up to `most`. */
static bool parse_two(const char *at, unsigned most, unsigned *ret_number)
{
        unsigned tens = (unsigned)at[0] - '0', ones = (unsigned)at[1] - '0';
        *ret_number = tens * 10 + ones;
        return tens <= 9 && ones <= 9 && *ret_number <= most;
}

/* "fri 04:09"; false: it is not that. */
static bool parse_start(const char *text, unsigned *ret_min)
{
        unsigned hour, minute;
        if (strlen(text) != 9 || text[3] != ' ' || text[6] != ':' || !parse_two(text + 4, 23, &hour) || !parse_two(text + 7, 59, &minute))
                return false;
        char day[4] = { text[0], text[1], text[2], 0 };
        size_t at = word_find(&days, day);
        *ret_min = (unsigned)at * 1440 + hour * 60 + minute;
        return at < days.count;
}

static enum err flaky_check(const struct scenario *scenario, struct why *why)
{
        const struct scenario_flaky *flaky = scenario->weather.flaky.items;
        enum err e = OK;
        for (size_t i = 0; i < scenario->weather.flaky.count && !e; i++)
                e = only_check(scenario, &flaky[i].only, why);
        return e ? DURING(why, e, "weather: flaky") : OK;
}

static enum err scenario_check(const struct scenario *scenario, struct why *why)
{
        unsigned start;
        if (!parse_start(scenario->start, &start))
                return FAIL(why, ERR_SYNTAX, "start: `%s` is not a day and a time (UTC) as in `fri 04:09`", scenario->start);
        if (!*scenario->unseen != !*scenario->contained)
                return FAIL(why, ERR_SYNTAX, "unseen, contained: one needs the other");
        enum err e = fleet_check(scenario, why);
        if (!e)
                e = flaky_check(scenario, why);
        return e ? e : faults_check(scenario, why);
}

/* "some/where/july-19.yaml" is july-19. */
static const char *name_of_file(struct arena *arena, const char *file)
{
        const char *slash = strrchr(file, '/');
        char *name = arena_strdup(arena, slash ? slash + 1 : file);
        size_t length = name ? strlen(name) : 0;
        if (length > 5 && strcmp(name + length - 5, ".yaml") == 0)
                name[length - 5] = 0;
        return name;
}

enum err scenario_read(struct arena *arena, const char *name, const char *bytes, size_t length, struct scenario *ret_scenario, struct why *why)
{
        struct scenario scenario = defaults;
        scenario.name = name_of_file(arena, name);
        if (!scenario.name)
                return FAIL(why, ERR_NOMEM, "reading %.60s", name);
        enum err e = yaml_read(arena, name, bytes, length, &schema, &scenario, why);
        if (e)
                return e;
        e = scenario_check(&scenario, why);
        if (e)
                return DURING(why, e, "%.60s", name);
        *ret_scenario = scenario;
        return OK;
}

unsigned scenario_start_min(const struct scenario *scenario)
{
        unsigned min = 0;
        return parse_start(scenario->start, &min) ? min : 0;
}

enum fault_onset fault_onset(const struct scenario_fault *fault) { return (enum fault_onset)word_find(&onsets, fault->onset); }
enum fault_cure fault_cure(const struct scenario_fault *fault) { return (enum fault_cure)word_find(&cures, fault->heals); }

enum fleet_lie fleet_lie_of(const struct scenario_fleet *fleet)
{
        return fleet->liars ? (enum fleet_lie)(FLEET_SAYS_FINE + word_find(&lies, fleet->liars)) : FLEET_IS_HONEST;
}

bool scenario_find_value(const struct scenario *scenario, const char *text, unsigned *ret_attribute, unsigned *ret_value)
{
        const char *equals = strchr(text, '=');
        size_t length = equals ? (size_t)(equals - text) : 0;
        for (size_t i = 0; equals && i < scenario->fleet.attributes.count; i++) {
                const struct scenario_attribute *attribute = attribute_at(scenario, i);
                if (strlen(attribute->name) != length || strncmp(attribute->name, text, length) != 0)
                        continue;
                for (size_t k = 0; k < attribute->values.count; k++) {
                        if (strcmp(value_at(attribute, k)->value, equals + 1) == 0) {
                                *ret_attribute = (unsigned)i;
                                *ret_value = (unsigned)k;
                                return true;
                        }
                }
        }
        return false;
}
