#include "replay/scenario.h"

#include "base/buf.h"
#include "platform/file.h"
#include "support/sweep.h"
#include "support/test.h"

#include <string.h>

#define HEAD "title: t\nclass: good\nsource: s\nguessed: g\nstart: fri 04:09\n"
#define FLEET "fleet:\n  devices: 1000\n  attributes:\n" \
        "    - {name: os, values: [{value: windows, share_ppm: 700000}, {value: linux, share_ppm: 300000}]}\n" \
        "    - {name: arch, values: [{value: x64, share_ppm: 1000000}]}\n"
#define SMALL HEAD FLEET
#define FAULT SMALL "faults:\n  - {name: f, onset: load, sign: crash"

static enum err read_text(struct arena *arena, const char *text, struct scenario *scenario, struct why *why)
{
        return scenario_read(arena, "some/where/odd.yaml", text, strlen(text), scenario, why);
}

TEST(scenario_read, has_a_default_for_what_is_left_out)
{
        OWN(arena) struct arena *arena = arena_new(LIMIT_YAML_BYTES);
        struct scenario s;
        CHECK(read_text(arena, SMALL, &s, NULL) == OK);
        CHECK(strcmp(s.name, "odd") == 0 && strcmp(s.when, "") == 0 && strcmp(s.unseen, "") == 0 && strcmp(s.contained, "") == 0);
        CHECK(s.for_s == 345600 && s.people_s == 3600 && s.faults.count == 0);
        CHECK(s.fleet.sites == 200 && s.fleet.early_ppm == 20000 && s.fleet.late_ppm == 20000 && s.fleet.poll_s == 300 && s.fleet.switch_s == 5);
        CHECK(s.fleet.zones.count == 0 && s.fleet.office_ppm == 0 && s.fleet.laptop_ppm == 0);
        CHECK(s.weather.crash_ppm_per_day == 1000 && s.weather.dark_ppm == 1000 && s.weather.dark_for_s == 14400 && s.weather.late_s == 3600);
        CHECK(s.weather.power_cut_s == 3600 && s.weather.early_factor_pct == 100 && s.weather.flaky.count == 0 && s.weather.outages.count == 0);
        CHECK(s.history.hurt == -1 && s.history.stop_s == -1 && s.history.exposed == -1 && strcmp(s.history.text, "") == 0);
}

TEST(scenario_read, has_a_default_for_what_a_fault_leaves_out)
{
        OWN(arena) struct arena *arena = arena_new(LIMIT_YAML_BYTES);
        struct scenario s;
        CHECK(read_text(arena, FAULT "}\n", &s, NULL) == OK && s.faults.count == 1);
        const struct scenario_fault *fault = s.faults.items;
        CHECK(fault->only.count == 0 && fault->susceptible_ppm == 1000000 && fault->harm_ppm == 1000000 && fault->after_s == 0);
        CHECK(fault->told_ppm == 1000000 && fault->told_after_s == 0 && strcmp(fault->untold, "silence") == 0);
        CHECK(fault->heals_after_s == 259200 && fault_cure(fault) == CURE_BY_HAND && fault->flaps_s == 0 && fault->preflight_ppm == 0);
}

TEST(scenario_read, keeps_what_is_said)
{
        OWN(arena) struct arena *arena = arena_new(LIMIT_YAML_BYTES);
        struct scenario s;
        CHECK(read_text(arena, FAULT ", only: [os=linux, arch=x64], susceptible_ppm: 1, told_ppm: 2, untold: nothing, heals: agent, heals_after_s: 3}\n"
                        "weather: {crash_ppm_per_day: 0, dark_ppm: 0, flaky: [{only: [arch=x64], factor_pct: 1000}]}\nhistory: {hurt: 0}\n", &s, NULL) == OK);
        const struct scenario_fault *fault = s.faults.items;
        CHECK(fault->only.count == 2 && fault->susceptible_ppm == 1 && fault->told_ppm == 2 && strcmp(fault->untold, "nothing") == 0);
        CHECK(fault_cure(fault) == CURE_BY_AGENT && fault->heals_after_s == 3);
        CHECK(s.weather.crash_ppm_per_day == 0 && s.weather.dark_ppm == 0 && s.weather.dark_for_s == 14400 && s.history.hurt == 0);
        const struct scenario_flaky *flaky = s.weather.flaky.items;
        CHECK(s.weather.flaky.count == 1 && flaky->only.count == 1 && strcmp(flaky->only.items[0], "arch=x64") == 0 && flaky->factor_pct == 1000);
}

TEST(fault_onset, knows_every_word)
{
        static const char *const words[] = { "load", "random", "date", "revert" };
        for (size_t i = 0; i < 4; i++)
                CHECK(fault_onset(&(struct scenario_fault){ .onset = words[i] }) == (enum fault_onset)i);
}

TEST(fault_cure, knows_every_word)
{
        static const char *const words[] = { "agent", "revert", "hand", "never" };
        for (size_t i = 0; i < 4; i++)
                CHECK(fault_cure(&(struct scenario_fault){ .heals = words[i] }) == (enum fault_cure)i);
}

TEST(fleet_lie_of, knows_every_word)
{
        static const char *const words[] = { NULL, "fine", "hurt", "hurt_when_exposed" };
        for (size_t i = 0; i < 4; i++)
                CHECK(fleet_lie_of(&(struct scenario_fleet){ .liars = words[i] }) == (enum fleet_lie)i);
}

TEST(scenario_start_min, counts_from_monday)
{
        CHECK(scenario_start_min(&(struct scenario){ .start = "mon 00:00" }) == 0);
        CHECK(scenario_start_min(&(struct scenario){ .start = "fri 04:09" }) == 4 * 1440 + 4 * 60 + 9);
        CHECK(scenario_start_min(&(struct scenario){ .start = "sun 23:59" }) == 7 * 1440 - 1);
}

TEST(scenario_find_value, gives_the_numbers_of_attribute_and_value)
{
        OWN(arena) struct arena *arena = arena_new(LIMIT_YAML_BYTES);
        struct scenario s;
        unsigned attribute = 9, value = 9;
        CHECK(read_text(arena, SMALL, &s, NULL) == OK);
        CHECK(scenario_find_value(&s, "os=linux", &attribute, &value) && attribute == 0 && value == 1);
        CHECK(scenario_find_value(&s, "arch=x64", &attribute, &value) && attribute == 1 && value == 0);
        static const char *const none[] = { "", "os", "os=", "=linux", "os=mac", "o=linux", "oss=linux", "arch=linux", "os=linux=" };
        for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
                CHECK(!scenario_find_value(&s, none[i], &attribute, &value));
}

static const struct { const char *text, *complaint; } complaints[] = {
        { "", "some/where/odd.yaml:1: title: missing" },
        { HEAD, "some/where/odd.yaml:1: fleet: missing" },
        { SMALL "fautls: []\n", "some/where/odd.yaml:11: unknown key `fautls`; did you mean `faults`?" },
        { HEAD "fleet:\n  devices: 50000001\n", "some/where/odd.yaml:7: devices: not an integer from 3 to 50000000" },
        { HEAD "fleet: {devices: 3, sites: 10001}\n", "some/where/odd.yaml:6: sites: not an integer from 1 to 10000" },
        { HEAD "fleet: {devices: 3, attributes: [{name: a, values: []}]}\n", "some/where/odd.yaml:6: values: 0 items, not 1 to 1000" },
        { HEAD "fleet: {devices: 3, office_ppm: 600000, laptop_ppm: 400001}\n", "some/where/odd.yaml: fleet: office_ppm and laptop_ppm are together more than 1000000" },
        { HEAD "fleet: {devices: 3, early_ppm: 600000, late_ppm: 400001}\n", "some/where/odd.yaml: fleet: early_ppm and late_ppm are together more than 1000000" },
        { HEAD "fleet: {devices: 3, liars_ppm: 10000}\n", "some/where/odd.yaml: fleet: liars, liars_ppm: one needs the other" },
        { HEAD "fleet: {devices: 3, liars: hurt}\n", "some/where/odd.yaml: fleet: liars, liars_ppm: one needs the other" },
        { HEAD "fleet: {devices: 3, liars_ppm: 1, liars: hurts}\n", "some/where/odd.yaml: fleet: liars: `hurts` is none; did you mean `hurt`?" },
        { HEAD "fleet: {devices: 3, zones: [{utc_offset_min: 0, share_ppm: 5}]}\n", "some/where/odd.yaml: fleet: zones: the shares add up to 5, not to 1000000" },
        { HEAD "fleet: {devices: 3, zones: [{utc_offset_min: 841, share_ppm: 1000000}]}\n", "some/where/odd.yaml:6: utc_offset_min: not an integer from -720 to 840" },
        { HEAD "fleet: {devices: 3, attributes: [{name: a, values: [{value: b, share_ppm: 999999}]}]}\n",
          "some/where/odd.yaml: fleet: attribute `a`: the shares add up to 999999, not to 1000000" },
        { HEAD "fleet: {devices: 3, attributes: [{name: a, values: [{value: b, share_ppm: 500000}, {value: b, share_ppm: 500000}]}]}\n",
          "some/where/odd.yaml: fleet: attribute `a`: value `b` is there twice" },
        { HEAD "fleet: {devices: 3, attributes: [{name: a=, values: [{value: b, share_ppm: 1000000}]}]}\n", "some/where/odd.yaml: fleet: attribute `a=`: a name has no `=`" },
        { HEAD "fleet: {devices: 3, attributes: [{name: a, values: [{value: b, share_ppm: 1000000}]}, {name: a, values: [{value: b, share_ppm: 1000000}]}]}\n",
          "some/where/odd.yaml: fleet: attribute `a` is there twice" },
        { "title: t\nclass: good\nsource: s\nguessed: g\nstart: fri 24:00\nfleet: {devices: 3}\n",
          "some/where/odd.yaml: start: `fri 24:00` is not a day and a time (UTC) as in `fri 04:09`" },
        { "title: t\nclass: good\nsource: s\nguessed: g\nstart: fry 04:00\nfleet: {devices: 3}\n",
          "some/where/odd.yaml: start: `fry 04:00` is not a day and a time (UTC) as in `fri 04:09`" },
        { "title: t\nclass: good\nsource: s\nguessed: g\nstart: fri  4:00\nfleet: {devices: 3}\n",
          "some/where/odd.yaml: start: `fri  4:00` is not a day and a time (UTC) as in `fri 04:09`" },
        { "title: t\nclass: good\nsource: ''\nguessed: g\nstart: fri 04:00\nfleet: {devices: 3}\n", "some/where/odd.yaml:3: source: 0 bytes, not 1 to 4000" },
        { SMALL "unseen: u\n", "some/where/odd.yaml: unseen, contained: one needs the other" },
        { FAULT "}\n  - {name: f, onset: load, sign: crash}\n", "some/where/odd.yaml: fault `f` is there twice" },
        { FAULT ", only: [os=windoes]}\n", "some/where/odd.yaml: fault `f`: only: no device has `os=windoes`; did you mean `os=windows`?" },
        { FAULT ", only: [arch=x46]}\n", "some/where/odd.yaml: fault `f`: only: no device has `arch=x46`; did you mean `arch=x64`?" },
        { FAULT ", only: [colour=red]}\n", "some/where/odd.yaml: fault `f`: only: no device has `colour=red`" },
        { FAULT ", only: [os=linux, os=windows]}\n", "some/where/odd.yaml: fault `f`: only: a device has one value of `os`, not two" },
        { SMALL "weather: {flaky: [{only: [os=windoes], factor_pct: 200}]}\n", "some/where/odd.yaml: weather: flaky: only: no device has `os=windoes`; did you mean `os=windows`?" },
        { SMALL "weather: {flaky: [{only: [], factor_pct: 200}]}\n", "some/where/odd.yaml:11: only: 0 items, not 1 to 8" },
        { SMALL "weather: {flaky: [{only: [os=linux], factor_pct: 0}]}\n", "some/where/odd.yaml:11: factor_pct: not an integer from 1 to 10000" },
        { FAULT ", untold: silense}\n", "some/where/odd.yaml: fault `f`: untold: `silense` is none; did you mean `silence`?" },
        { FAULT ", heals: handy}\n", "some/where/odd.yaml: fault `f`: heals: `handy` is none; did you mean `hand`?" },
        { FAULT ", heals: magic}\n", "some/where/odd.yaml: fault `f`: heals: `magic` is none of agent, revert, hand, never" },
        { FAULT ", susceptible_ppm: 0}\n", "some/where/odd.yaml:12: susceptible_ppm: not an integer from 1 to 1000000" },
        { SMALL "faults: [{name: f, onset: laod, sign: crash}]\n", "some/where/odd.yaml: fault `f`: onset: `laod` is none; did you mean `load`?" },
        { SMALL "faults: [{name: f, onset: load, sign: dark}]\n", "some/where/odd.yaml: fault `f`: sign: `dark` is none of silence, nothing, crash, boot_loop, "
          "rolled_back, probe_failed, action_storm, resource, human" },
        { SMALL "faults: [{name: f, onset: load, sign: bootloop}]\n", "some/where/odd.yaml: fault `f`: sign: `bootloop` is none; did you mean `boot_loop`?" },
        { SMALL "faults: [{name: f, onset: load, sign: silence, told_ppm: 5}]\n",
          "some/where/odd.yaml: fault `f`: told_ppm, told_after_s, untold: with the sign `silence` nobody tells anything" },
        { SMALL "weather: {dark_ppm: 1000001}\n", "some/where/odd.yaml:11: dark_ppm: not an integer from 0 to 1000000" },
        { SMALL "weather: {outages: [{from_s: 0, for_s: 0, share_ppm: 1}]}\n", "some/where/odd.yaml:11: for_s: not an integer from 1 to 7776000" },
};

TEST(scenario_read, names_file_and_key_in_every_complaint)
{
        for (size_t i = 0; i < sizeof(complaints) / sizeof(complaints[0]); i++) {
                OWN(arena) struct arena *arena = arena_new(LIMIT_YAML_BYTES);
                struct scenario s;
                struct why why = { .text = "" };
                enum err e = read_text(arena, complaints[i].text, &s, &why);
                if (e != ERR_SYNTAX || strcmp(why.text, complaints[i].complaint) != 0)
                        fprintf(stderr, "%zu: %s\n", i, e ? why.text : "ok");
                CHECK(e == ERR_SYNTAX && strcmp(why.text, complaints[i].complaint) == 0);
        }
}

TEST(scenario_guide, has_an_example_that_reads)
{
        OWN(buf) struct buf guide;
        buf_init(&guide, LIMIT_YAML_BYTES);
        CHECK(file_read(SCENARIO_GUIDE, &guide, NULL) == OK);
        const char *from = strstr(buf_text(&guide), "```yaml\n"), *to = from ? strstr(from, "\n```\n") : NULL;
        CHECK(to);
        from += strlen("```yaml\n");
        OWN(arena) struct arena *arena = arena_new(LIMIT_YAML_BYTES);
        struct scenario s;
        CHECK(scenario_read(arena, "guide", from, (size_t)(to - from), &s, NULL) == OK && s.faults.count == 1);
}

/* Two attributes of 600 values each. */
TEST(scenario_read, has_a_ceiling_for_all_values_together)
{
        enum { VALUES = 600 };
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_YAML_BYTES);
        buf_add_text(&text, HEAD "fleet:\n  devices: 3\n  attributes:\n");
        for (int attribute = 0; attribute < 2; attribute++) {
                buf_addf(&text, "    - name: a%d\n      values:\n", attribute);
                for (int value = 0; value < VALUES; value++)
                        buf_addf(&text, "        - {value: v%d, share_ppm: %d}\n", value, value ? 1 : 1000000 - VALUES + 1);
        }
        OWN(arena) struct arena *arena = arena_new(LIMIT_YAML_BYTES);
        struct scenario s;
        struct why why;
        CHECK(read_text(arena, buf_text(&text), &s, &why) == ERR_SYNTAX);
        CHECK(strcmp(why.text, "some/where/odd.yaml: fleet: 1200 values of all attributes together, at most 1000") == 0);
}

TEST(scenario_read, survives_every_allocation_failure)
{
        SWEEP_MEMORY {
                OWN(arena) struct arena *arena = arena_new(LIMIT_YAML_BYTES);
                struct scenario s;
                enum err e = arena ? read_text(arena, FAULT "}\n", &s, NULL) : ERR_NOMEM;
                CHECK(e == OK || e == ERR_NOMEM);
        }
}
