#include "agent/config.h"

#include "support/sweep.h"
#include "support/test.h"

#include <string.h>

#define HEAD "server: https://fb.example:8443\nstate_dir: /var/lib/fb\ntrust: /etc/fb/trust\n"
#define STREAM "streams:\n  - name: edr-rules\n    engine:\n      command: [yarad]\n"

static enum err parse(const char *text, struct agent_config **config, struct why *why)
{
        return agent_config_parse("agent.yaml", text, strlen(text), config, why);
}

TEST(agent_policy, reads_every_key)
{
        OWN(agent_config) struct agent_config *config = NULL;
        CHECK(parse(HEAD "policy:\n  behind: 1\n  freeze_until: 2026-12-27T06:00:00Z\n  metered: hold\n  metered_file: /run/metered\n"
                         "  windows:\n    - {days: [sat, sun], from: \"22:00\", to: \"04:00\"}\n    - {from: \"12:00\", to: \"13:00\", zone: UTC}\n"
                         "  battery: {at_least: 30, on_mains: true, folder: /srv/power}\n" STREAM, &config, NULL) == OK);
        const struct agent_policy *policy = &agent_config_stream(config, 0)->policy;
        CHECK(policy->is_given && policy->rules.is_behind && !policy->rules.pin && policy->rules.frozen_until_s == 1798351200 && !policy->rules.is_frozen);
        CHECK(policy->rules.holds_metered && policy->rules.battery_least == 30 && policy->rules.needs_mains && strcmp(policy->battery.folder, "/srv/power") == 0);
        char text[CALENDAR_TEXT_BYTES];
        CHECK(policy->rules.windows.count == 9);
        calendar_print(&policy->rules.windows.windows[1], text);
        CHECK(strcmp(text, "sun 22:00 - mon 04:00 device") == 0);
        calendar_print(&policy->rules.windows.windows[2], text);
        CHECK(strcmp(text, "mon 12:00 - mon 13:00 UTC") == 0);
}

TEST(agent_policy, of_a_stream_takes_the_place_of_the_devices)
{
        OWN(agent_config) struct agent_config *config = NULL;
        CHECK(parse(HEAD "policy: {freeze: true}\n" STREAM "    policy: {metered: allow}\n  - name: other\n    engine: {command: [x]}\n"
                         "  - name: third\n    engine: {command: [x]}\n    policy: {pin: 7}\n", &config, NULL) == OK);
        CHECK(!agent_config_stream(config, 0)->policy.rules.is_frozen && agent_config_stream(config, 0)->policy.is_given);
        CHECK(agent_config_stream(config, 1)->policy.rules.is_frozen);
        CHECK(!agent_config_stream(config, 2)->policy.rules.is_frozen && agent_config_stream(config, 2)->policy.rules.pin == 7);
}

TEST(agent_policy, says_what_is_wrong)
{
        static const struct { const char *text, *says; enum err e; } cases[] = {
                { "policy: {pin: 0}\n", "pin", ERR_SYNTAX },
                { "policy: {behind: 2}\n", "behind", ERR_SYNTAX },
                { "policy: {pin: 3, behind: 1}\n", "`pin` and `behind`", ERR_SYNTAX },
                { "policy: {freeze: true, freeze_until: \"2026-12-27T06:00:00Z\"}\n", "`freeze` and `freeze_until`", ERR_SYNTAX },
                { "policy: {freeze_until: \"2026-02-30T06:00:00Z\"}\n", "is no moment", ERR_SYNTAX },
                { "policy: {freeze_until: \"2026-02-20 06:00:00Z\"}\n", "is no moment", ERR_SYNTAX },
                { "policy: {freeze_until: \"2026-02-20\"}\n", "freeze_until", ERR_SYNTAX },
                { "policy: {metered: never}\n", "neither hold nor allow", ERR_SYNTAX },
                { "policy: {metered: hold}\n", "needs metered_file", ERR_SYNTAX },
                { "policy: {metered: hold, metered_file: x}\n", "absolute", ERR_SYNTAX },
                { "policy: {battery: {at_least: 101}}\n", "at_least", ERR_SYNTAX },
                { "policy: {battery: {folder: /srv}}\n", "of no use", ERR_SYNTAX },
                { "policy: {battery: {at_least: 1, folder: srv}}\n", "absolute", ERR_SYNTAX },
                { "policy: {windows: [{from: \"02:00\", to: \"02:00\"}]}\n", "a whole day", ERR_SYNTAX },
                { "policy: {windows: [{from: \"2:000\", to: \"03:00\"}]}\n", "no time of day", ERR_SYNTAX },
                { "policy: {windows: [{from: \"02:00\"}]}\n", "to", ERR_SYNTAX },
                { "policy: {windows: [{days: [monday], from: \"02:00\", to: \"03:00\"}]}\n", "is no day", ERR_SYNTAX },
                { "policy: {windows: [{from: \"02:00\", to: \"03:00\", zone: Nowhere/No}]}\n", "time zone", ERR_SYNTAX },
                { "policy: {windows: [{from: \"01:00\", to: \"02:00\"}, {from: \"03:00\", to: \"04:00\"}, {from: \"05:00\", to: \"06:00\"}]}\n", "more than 16", ERR_LIMIT },
                { "policy: {windows: []}\n", "windows", ERR_SYNTAX },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(agent_config) struct agent_config *config = NULL;
                struct why why = { 0 };
                char text[512];
                snprintf(text, sizeof(text), HEAD "%s" STREAM, cases[i].text);
                enum err e = parse(text, &config, &why);
                if (e != cases[i].e || !strstr(why.text, cases[i].says))
                        printf("# %s -> %d %s\n", cases[i].text, e, why.text);
                CHECK(e == cases[i].e && strstr(why.text, cases[i].says));
        }
}

TEST(agent_policy, of_a_stream_is_checked_and_the_stream_is_named)
{
        OWN(agent_config) struct agent_config *config = NULL;
        struct why why = { 0 };
        CHECK(parse(HEAD STREAM "    policy: {metered: maybe}\n", &config, &why) == ERR_SYNTAX && strstr(why.text, "stream edr-rules"));
}
