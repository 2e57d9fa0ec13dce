#include "replay/page_assume.h"

#include "replay/page_html.h"
#include "replay/words.h"

#include <inttypes.h>

enum { TEXT_MAX = 16 << 10 };

static void add_span_term(const char *term, int64_t seconds, struct buf *into)
{
        OWN(buf) struct buf text;
        buf_init(&text, TEXT_MAX);
        words_span(&text, seconds);
        page_term(term, buf_text(&text), into);
}

static void add_count_term(const char *term, int64_t count, struct buf *into)
{
        OWN(buf) struct buf text;
        buf_init(&text, TEXT_MAX);
        words_count(&text, count);
        page_term(term, buf_text(&text), into);
}

static void add_ppm_term(const char *term, int64_t ppm, struct buf *into)
{
        OWN(buf) struct buf text;
        buf_init(&text, TEXT_MAX);
        words_ppm(&text, ppm);
        page_term(term, buf_text(&text), into);
}

static void add_attributes(const struct scenario_fleet *fleet, struct buf *into)
{
        const struct scenario_attribute *attributes = fleet->attributes.items;
        for (size_t i = 0; i < fleet->attributes.count; i++) {
                const struct scenario_value *values = attributes[i].values.items;
                OWN(buf) struct buf text;
                buf_init(&text, TEXT_MAX);
                for (size_t v = 0; v < attributes[i].values.count; v++) {
                        buf_addf(&text, "%s%s ", v ? ", " : "", values[v].value);
                        words_ppm(&text, values[v].share_ppm);
                }
                page_term(attributes[i].name, buf_text(&text), into);
        }
}

static void add_liars(const struct scenario_fleet *fleet, struct buf *into)
{
        static const char *const terms[] = {
                [FLEET_SAYS_FINE] = "Lie: they say that all is well", [FLEET_SAYS_HURT] = "Lie: they say that they crashed",
                [FLEET_SAYS_HURT_WHEN_EXPOSED] = "Lie: of the release they say that they crashed",
        };
        if (fleet->liars)
                add_ppm_term(terms[fleet_lie_of(fleet)], fleet->liars_ppm, into);
}

static void add_zones(const struct scenario_fleet *fleet, struct buf *into)
{
        const struct scenario_zone *zones = fleet->zones.items;
        OWN(buf) struct buf text;
        buf_init(&text, TEXT_MAX);
        for (size_t i = 0; i < fleet->zones.count; i++) {
                int64_t minutes = zones[i].utc_offset_min, size = minutes < 0 ? -minutes : minutes;
                buf_addf(&text, "%sUTC%s%" PRId64, i ? ", " : "", minutes < 0 ? "\xe2\x88\x92" : "+", size / 60);
                if (size % 60)
                        buf_addf(&text, ":%02" PRId64, size % 60);
                buf_add_text(&text, " ");
                words_ppm(&text, zones[i].share_ppm);
        }
        page_term("Time zones", text.length ? buf_text(&text) : "UTC", into);
}

static void add_fleet(const struct scenario *scenario, struct buf *into)
{
        const struct scenario_fleet *fleet = &scenario->fleet;
        buf_add_text(into, "<h4>Fleet</h4>\n<dl>\n");
        add_count_term("Devices of the event", fleet->devices, into);
        add_count_term("Sites", fleet->sites, into);
        add_zones(fleet, into);
        add_ppm_term("Desktops, on in office hours", fleet->office_ppm, into);
        add_ppm_term("Laptops, on by fits in office hours", fleet->laptop_ppm, into);
        add_ppm_term("In the early ring", fleet->early_ppm, into);
        add_ppm_term("In the late ring", fleet->late_ppm, into);
        add_span_term("A device asks every", fleet->poll_s, into);
        add_liars(fleet, into);
        add_attributes(fleet, into);
        page_term("Starts (UTC)", scenario->start, into);
        add_span_term("Looked at for", scenario->for_s, into);
        add_span_term("People take it back after a stop within", scenario->people_s, into);
        buf_add_text(into, "</dl>\n");
}

static void say_onset(const struct scenario_fault *fault, struct buf *text)
{
        static const char *const words[] = {
                [FAULT_AT_LOAD] = "once it runs, after ", [FAULT_AT_RANDOM] = "at random, in the mean after ", [FAULT_AT_DATE] = "on one date for all, after ",
                [FAULT_AT_REVERT] = "when it is taken back, after ",
        };
        buf_add_text(text, words[fault_onset(fault)]);
        words_span(text, fault->after_s);
}

static void say_cure(const struct scenario_fault *fault, struct buf *text)
{
        static const char *const words[] = {
                [CURE_BY_AGENT] = "gets well by itself after ", [CURE_BY_REVERT] = "gets well when it is taken back, after ",
                [CURE_BY_HAND] = "gets well by hand, after the stop and ", [CURE_NEVER] = "never gets well",
        };
        buf_add_text(text, words[fault_cure(fault)]);
        if (fault_cure(fault) != CURE_NEVER)
                words_span(text, fault->heals_after_s);
}

static void say_sign(const struct scenario_fault *fault, struct buf *text)
{
        buf_addf(text, "sign: %s", fault->sign);
        if (fault->told_ppm < 1000000 && fault->told_ppm > 0) {
                buf_add_text(text, " of ");
                words_ppm(text, fault->told_ppm);
                buf_addf(text, ", else %s", fault->untold ? fault->untold : "silence");
        }
        if (fault->told_after_s) {
                buf_add_text(text, " after ");
                words_span(text, fault->told_after_s);
        }
}

static void add_fault(const struct scenario_fault *fault, struct buf *into)
{
        OWN(buf) struct buf text;
        buf_init(&text, TEXT_MAX);
        for (size_t i = 0; i < fault->only.count; i++)
                buf_addf(&text, "%s%s", i ? ", " : "only ", fault->only.items[i]);
        buf_add_text(&text, fault->only.count ? "; can harm " : "can harm ");
        words_ppm(&text, fault->susceptible_ppm);
        buf_add_text(&text, " of them, and harms ");
        words_ppm(&text, fault->harm_ppm);
        buf_add_text(&text, " of these ");
        say_onset(fault, &text);
        buf_add_text(&text, "; ");
        say_sign(fault, &text);
        buf_add_text(&text, "; ");
        say_cure(fault, &text);
        if (fault->flaps_s) {
                buf_add_text(&text, "; good and bad by turns of ");
                words_span(&text, fault->flaps_s);
        }
        if (fault->preflight_ppm) {
                buf_add_text(&text, "; refused by the preflight of ");
                words_ppm(&text, fault->preflight_ppm);
        }
        page_term(fault->name, buf_text(&text), into);
}

static void add_faults(const struct scenario *scenario, struct buf *into)
{
        const struct scenario_fault *faults = scenario->faults.items;
        buf_add_text(into, "<h4>What is wrong with it</h4>\n<dl>\n");
        for (size_t i = 0; i < scenario->faults.count; i++)
                add_fault(&faults[i], into);
        if (!scenario->faults.count)
                page_term("Faults", "none: a good release", into);
        buf_add_text(into, "</dl>\n");
}

static void add_outages(const struct scenario_weather *weather, struct buf *into)
{
        const struct scenario_outage *outages = weather->outages.items;
        for (size_t i = 0; i < weather->outages.count; i++) {
                OWN(buf) struct buf text;
                buf_init(&text, TEXT_MAX);
                buf_add_text(&text, "of ");
                words_ppm(&text, outages[i].share_ppm);
                buf_add_text(&text, " of the devices, for ");
                words_span(&text, outages[i].for_s);
                buf_add_text(&text, ", from ");
                words_span(&text, outages[i].from_s);
                buf_add_text(&text, " after the start");
                page_term("Reports are lost", buf_text(&text), into);
        }
}

static void add_flaky(const struct scenario_weather *weather, struct buf *into)
{
        const struct scenario_flaky *flaky = weather->flaky.items;
        for (size_t i = 0; i < weather->flaky.count; i++) {
                OWN(buf) struct buf text;
                buf_init(&text, TEXT_MAX);
                for (size_t k = 0; k < flaky[i].only.count; k++)
                        buf_addf(&text, "%s%s", k ? ", " : "", flaky[i].only.items[k]);
                buf_addf(&text, ": %.2f times as often as others", (double)flaky[i].factor_pct / 100);
                page_term("Fails, whatever it runs", buf_text(&text), into);
        }
}

static void add_weather(const struct scenario_weather *weather, struct buf *into)
{
        buf_add_text(into, "<h4>Weather, the same whatever a device runs</h4>\n<dl>\n");
        add_ppm_term("Crashes a day", weather->crash_ppm_per_day, into);
        add_ppm_term("Drops out unplanned, chance per 12 min", weather->dark_ppm, into);
        add_span_term("Is back after, in the mean", weather->dark_for_s, into);
        add_ppm_term("Reports lost", weather->lost_ppm, into);
        add_ppm_term("Reports late", weather->late_ppm, into);
        add_span_term("Late by, in the mean", weather->late_s, into);
        add_ppm_term("Reports that come twice", weather->repeated_ppm, into);
        add_ppm_term("Power cuts of a site a day", weather->power_cuts_ppm_per_day, into);
        add_span_term("A power cut lasts", weather->power_cut_s, into);
        add_ppm_term("Volunteers of the early ring fail so often as others", weather->early_factor_pct * 10000, into);
        add_flaky(weather, into);
        add_outages(weather, into);
        buf_add_text(into, "</dl>\n");
}

void page_assume_scenario(const struct scenario *scenario, struct buf *into)
{
        buf_add_text(into, "<h3>Assumed of this scenario</h3>\n<div class=\"columns\">\n<div>\n");
        add_fleet(scenario, into);
        buf_add_text(into, "</div>\n<div>\n");
        add_faults(scenario, into);
        add_weather(&scenario->weather, into);
        buf_add_text(into, "</div>\n</div>\n");
}

static void add_policy(const struct study_plan *plan, struct buf *into)
{
        const struct rollout_policy *policy = &plan->policy;
        OWN(buf) struct buf budgets;
        buf_init(&budgets, TEXT_MAX);
        for (size_t i = 0; i < plan->budget_count; i++) {
                buf_add_text(&budgets, i ? ", " : "");
                words_count(&budgets, plan->budgets[i]);
        }
        buf_add_text(into, "<h3>Policy of Firebreak</h3>\n<dl>\n");
        page_term("Harm budget, devices", buf_text(&budgets), into);
        add_span_term("Bake", policy->bake_s, into);
        add_span_term("Gap", policy->gap_s, into);
        add_span_term("Gather", policy->gather_s, into);
        add_ppm_term("Alpha, chance that a harmless release is halted", policy->alpha_ppm, into);
        page_term("Silence", policy->bound_silence ? "counts as harm until it is ruled out" : "counts as far as it is seen beyond control's; explicit signals are bounded alone", into);
        add_count_term("Controls for each exposed device", policy->controls, into);
        add_ppm_term("Held back as control", policy->holdout_ppm, into);
        add_count_term("Most exposures in a bake", policy->cap_per_bake, into);
        add_span_term("Watched after completion for", policy->watch_s, into);
        add_ppm_term("Complete when proven by", policy->complete_ppm, into);
        add_span_term("Devices go back over", plan->rollback_s, into);
        buf_add_text(into, "</dl>\n");
}

static void add_seeds(const struct study_plan *plan, struct buf *into)
{
        OWN(buf) struct buf text;
        buf_init(&text, TEXT_MAX);
        buf_addf(&text, plan->seeds > 1 ? "%" PRIu64 " to %" PRIu64 : "%" PRIu64, plan->seed, plan->seed + plan->seeds - 1);
        page_term("Seeds", buf_text(&text), into);
}

void page_assume_study(const struct study *study, const char *command, struct buf *into)
{
        const struct study_plan *plan = &study->plan;
        buf_add_text(into, "<section id=\"assumed\">\n<h2>Assumed of every run</h2>\n<div class=\"columns\">\n<div>\n");
        add_policy(plan, into);
        buf_add_text(into, "</div>\n<div>\n<h3>The policies that are compared</h3>\n<dl>\n");
        for (size_t i = 0; i < plan->director_count; i++)
                page_term(plan->directors[i]->name, plan->directors[i]->what, into);
        buf_add_text(into, "</dl>\n<h3>Program</h3>\n<dl>\n");
        page_term("Version", "firebreak " FIREBREAK_VERSION, into);
        page_term("Command", command, into);
        add_seeds(plan, into);
        page_term("Repeatable", "The same program, scenario, policy, fleet and seed give the same run, byte for byte.", into);
        buf_add_text(into, "</dl>\n</div>\n</div>\n</section>\n");
}
