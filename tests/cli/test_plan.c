#include "cli/fake_net.h"
#include "cli/plan_cases.h"
#include "format/json.h"

#define ARM(leases, dark, late, harmed, ms) "{\"leases\":" #leases ",\"dark\":" #dark ",\"late\":" #late ",\"harmed\":" #harmed ",\"crashes\":0,\"lease_ms\":" #ms "}"
#define HOUR "{\"leases\":0,\"dark\":0}"
#define HOURS6 HOUR "," HOUR "," HOUR "," HOUR "," HOUR "," HOUR
#define BASELINE(rollouts, control, treated, answer) \
        "\"baseline\":{\"rollouts\":" #rollouts ",\"control\":" control ",\"treated\":" treated ",\"answer_ms\":" answer ",\"late_ms\":null,\"hours\":[" HOURS6 "," HOURS6 \
        "," HOURS6 "," HOURS6 "]}"
#define NO_PAST BASELINE(0, ARM(0, 0, 0, 0, 0), ARM(0, 0, 0, 0, 0), "null")
/* 62 devices: 60 alike in two rings, one of a rare value that is alone in its block, one that has not been seen for a week. */
#define FLEET(state, past) \
        "{\"stream\":\"edr\",\"counter\":4,\"state\":\"" state "\",\"now\":1784432200,\"pace_ms\":60000,\"devices\":62,\"seen\":{\"1h\":50,\"1d\":59,\"7d\":61}," \
        "\"left_out\":{\"enrolled_later\":1,\"other_platform\":2,\"kept_back\":3},\"strata\":[{\"name\":\"os=debian\",\"devices\":62},{\"name\":\"model=x\",\"devices\":61}," \
        "{\"name\":\"model=y\",\"devices\":1}],\"no_stratum\":0,\"blocks\":{\"count\":3,\"single\":1,\"items\":[{\"name\":\"all/b1\",\"devices\":40}," \
        "{\"name\":\"early/b1\",\"devices\":21},{\"name\":\"all/b2\",\"devices\":1}]},\"profiles\":[" \
        "{\"block\":0,\"strata\":[0,1],\"devices\":40,\"seen_7d\":40,\"seen_1d\":38},{\"block\":1,\"strata\":[0,1],\"devices\":21,\"seen_7d\":20,\"seen_1d\":20}," \
        "{\"block\":2,\"strata\":[0,2],\"devices\":1,\"seen_7d\":1,\"seen_1d\":1}],\"merged\":{\"profiles\":0,\"devices\":0}," past "}"

#define RELEASE(ceiling) "{\"stream\":\"edr\",\"counter\":4,\"start\":1784430000,\"ceiling\":[" ceiling "]}"
#define ASKED(state, past, ceiling) { "GET /api/v1/releases/edr/4/fleet", 200, FLEET(state, past) }, { "GET /api/v1/releases/edr/4", 200, RELEASE(ceiling) }
#define OPEN "{\"after_s\":0,\"ppm\":1000000}"

static const struct fake_answer new_fleet[] = { ASKED("draft", NO_PAST, OPEN) };

static struct json *parsed(const char *text)
{
        struct json *json = NULL;
        CHECK(json_parse(text, strlen(text), 1 << 20, &json, NULL) == OK);
        return json;
}

static int64_t number(const struct json *json, const char *key) { return json_int(json_get(json, key), -1); }

TEST(rollout_plan, says_what_it_was_made_of_and_what_would_happen)
{
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(FAKE_RUN(&run, new_fleet, "rollout plan edr/4 --budget 5 --seeds 2 --bake 20m --gap 10m --watch 1h") == 0 && !run.err[0]);
        CHECK(strncmp(run.out, "edr/4 with a harm budget of 5: bake 20 min, gap 10 min", 54) == 0);
        CHECK(strstr(run.out, "\nfleet      62 devices; checked in within an hour: 50") && strstr(run.out, "\nbaseline   none: no device has answered in a rollout of edr yet\n"));
        CHECK(strstr(run.out, "\nsimulated  61 devices") && strstr(run.out, "(assumed)") && strstr(run.out, "\nTHE RELEASE HARMS") && strstr(run.out, "\nBUDGET"));
        CHECK(strstr(run.out, "\nnobody ") && strstr(run.out, "\n100%, which tell of a crash ") && strstr(run.out, "\n10%, which fall silent ") && !strstr(run.out, "\n1%, "));
        CHECK(strstr(run.out, "\nsilent. Harm of 1% and 0.1% of the devices was left out: of 61 that is less than\none. A fault in only one value of an attribute was not simulated: "));
        CHECK(strstr(run.out, "  * too rare to test, fewer than 5 devices, and served last: model=y (1)\n"));
        CHECK(strstr(run.out, "whether harm comes from it:") && strstr(run.out, "os=debian") && strstr(run.out, "  * 1 block of a single device"));
        CHECK(strstr(run.out, "  * 1 device: not checked in for a week") && strstr(run.out, "  * 2 devices: not checked in for a day"));
        CHECK(strstr(run.out, "  * 1 device: enrolled after") && strstr(run.out, "  * 2 devices: on platforms") && strstr(run.out, "  * 3 devices: kept on an older release") && strstr(run.out, "after the watch (60 min)"));
}

TEST(rollout_plan, has_every_number_for_programs)
{
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(FAKE_RUN(&run, new_fleet, "rollout plan edr/4 --budget 6 --seeds 2 --bake 20m --gap 10m --json") == 0);
        OWN(json) struct json *json = parsed(run.out);
        const struct json *cases = json_get(json, "cases"), *simulated = json_get(json, "simulated"), *unseen = json_get(json, "unseen");
        CHECK(number(json, "budget") == 6 && number(json_get(json, "policy"), "bake_s") == 1200 && number(json_get(json, "fleet"), "devices") == 62);
        CHECK(json_count(cases) == 4 * 5);       /* budgets 2, 6, 18, 60; nobody, all and 10 %, told and silent */
        for (size_t i = 0; i < json_count(cases); i++) {
                const struct json *one = json_at(cases, i);
                int64_t budget = number(one, "budget"), hurt = number(one, "hurt_worst");
                CHECK((budget == 2 || budget == 6 || budget == 18 || budget == 60) && number(one, "runs") == 2);
                CHECK(number(one, "harms_ppm") ? hurt > 0 && hurt <= 61 : hurt == 0);
                if (number(one, "harms_ppm") == 1000000)
                        CHECK(hurt <= budget && hurt >= (budget < 5 ? budget : 5));      /* harm of five, and nothing but harm, is enough */
        }
        CHECK(number(simulated, "devices") == 61 && number(simulated, "seeds") == 2 && number(simulated, "by_fits") == 2 && number(simulated, "poll_s") == 60);
        CHECK(json_count(json_get(simulated, "assumed")) == 4 && number(simulated, "dark_ppm") == 1000 && number(simulated, "crash_ppm_per_day") == 1000);
        CHECK(strcmp(json_text(json_at(json_get(unseen, "too_rare"), 0)), "model=y") == 0 && number(unseen, "not_seen_7d") == 1 && number(unseen, "single_device_blocks") == 1);
        const struct json *left_out = json_get(unseen, "left_out_ppm");
        CHECK(json_count(left_out) == 2 && json_int(json_at(left_out, 0), 0) == 10000 && json_int(json_at(left_out, 1), 0) == 1000);
}

TEST(rollout_plan, compares_the_budgets_that_are_named)
{
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(FAKE_RUN(&run, new_fleet, "rollout plan edr/4 --budget 8,2 --seeds 1 --bake 20m --gap 10m") == 0);
        CHECK(strstr(run.out, "edr/4 with a harm budget of 8: ") && !strstr(run.out, "WORST  "));
        const char *table = strstr(run.out, "\nBUDGET"), *two = table ? strstr(table, "\n     2 ") : NULL, *eight = two ? strstr(two, "\n     8 ") : NULL;
        CHECK(eight && strncmp(strstr(eight + 1, "\n"), "\n\n", 2) == 0);
}

TEST(rollout_plan, warns_of_a_budget_as_large_as_the_fleet_and_of_a_rollout_that_was)
{
        static const struct fake_answer script[] = { ASKED("complete", NO_PAST, OPEN) };
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(FAKE_RUN(&run, script, "rollout plan edr/4 --budget 62,100 --seeds 1 --bake 20m --gap 10m") == 0);
        CHECK(strstr(run.out, "Choose one far below 62.") && strstr(run.out, "It has had its rollout (complete)"));
        CHECK(FAKE_RUN(&run, script, "rollout plan edr/4 --budget 1000000 --seeds 1 --bake 20m --gap 10m") == 0);
        CHECK(strstr(run.out, "edr/4 with a harm budget of 1,000,000: ") && strstr(run.out, "fewer than 1,000,000 devices,"));
}

/* 300 leases of two minutes, three of them dark: 1 % in two minutes is 6 % in twelve. Of crashes, none: too few to contradict the default. */
TEST(rollout_plan, takes_the_weather_from_the_past_where_there_is_enough)
{
#define PAST BASELINE(2, ARM(200, 3, 1, 0, 24000000), ARM(100, 0, 0, 0, 12000000), "{\"median\":900,\"p90\":1200,\"p99\":2100}")
        static const struct fake_answer script[] = { ASKED("draft", PAST, OPEN) };
        OWN(fake_run) struct fake_run run = { 0 }, people = { 0 };
        CHECK(FAKE_RUN(&run, script, "rollout plan edr/4 --budget 6 --seeds 1 --bake 20m --gap 10m --json") == 0);
        OWN(json) struct json *json = parsed(run.out);
        const struct json *simulated = json_get(json, "simulated"), *assumed = json_get(simulated, "assumed");
        CHECK(number(simulated, "dark_ppm") > 50000 && number(simulated, "dark_ppm") < 65000 && number(simulated, "switch_s") == 3);
        CHECK(number(simulated, "crash_ppm_per_day") == 1000 && json_count(assumed) == 2);
        CHECK(FAKE_RUN(&people, script, "rollout plan edr/4 --budget 6 --seeds 1 --bake 20m --gap 10m") == 0);
        CHECK(strstr(people.out, "\nbaseline   300 leases (200 of control) of 2 earlier rollouts; dark at"));
        CHECK(strstr(people.out, "3 (1%)") && strstr(people.out, "0.9 s"));
}

/* The fleet was asked 2,200 seconds after the release's start. */
TEST(rollout_plan, names_what_keeps_people_waiting_only_where_there_is_such)
{
#define FIRST "{\"after_s\":0,\"ppm\":1000},"
        static const struct fake_answer ramp[] = { ASKED("draft", NO_PAST, FIRST "{\"after_s\":3600,\"ppm\":1000000}") };
        static const struct fake_answer past_it[] = { ASKED("draft", NO_PAST, FIRST "{\"after_s\":1800,\"ppm\":1000000}") };
        static const struct fake_answer for_some[] = { ASKED("draft", NO_PAST, "{\"after_s\":0,\"ppm\":500000}") };
        static const struct { const struct fake_answer *script; const char *freeze, *says; } cases[] = {
                { new_fleet, "", NULL }, { past_it, "", NULL },
                { ramp, "", "  * in this plan only: the ceiling that was signed for its ramp (0.1% after 0 s,\n    100% after 60 min): where it is reached nobody starts, and all takes longer" },
                { for_some, "", "(50% after 0 s):\n" },
                { new_fleet, " --freeze sat~00:00~-~mon~00:00~UTC", "  * in this plan only: freeze windows: while one is open nobody starts, and all\n" },
                { ramp, " --freeze sat~00:00~-~mon~00:00~UTC", "60 min), and freeze windows: at the one, or while one of the\n    others is open, " },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(fake_run) struct fake_run run = { 0 };
                char line[200];
                snprintf(line, sizeof(line), "rollout plan edr/4 --budget 5,6 --seeds 1 --bake 20m --gap 10m%s", cases[i].freeze);
                CHECK(fake_run(&run, cases[i].script, 2, line) == 0);
                CHECK(cases[i].says ? strstr(run.out, cases[i].says) != NULL : !strstr(run.out, "in this plan only"));
        }
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(FAKE_RUN(&run, ramp, "rollout plan edr/4 --budget 5,6 --seeds 1 --bake 20m --gap 10m --json") == 0);
        OWN(json) struct json *json = parsed(run.out);
        const struct json *steps = json_get(json_get(json, "unseen"), "ceiling");
        CHECK(json_count(steps) == 2 && number(json_at(steps, 0), "ppm") == 1000);
}

TEST(rollout_plan, says_what_to_do_when_there_is_nothing_to_plan_for)
{
        static const struct { const char *asked; int status; const char *answer, *line; int code; const char *says; } cases[] = {
                { "GET /api/v1/releases/edr/9/fleet", 404, "{\"status\":404,\"code\":\"NOT_FOUND\",\"detail\":\"no release edr/9 is published here; see firebreak release list\"}",
                  "rollout plan edr/9", 66, "see firebreak release list" },
                { "GET /api/v1/releases/edr/4/fleet", 200, "{\"stream\":\"edr\",\"state\":\"draft\"}", "rollout plan edr/4", 1, "another version" },
                { "GET /api/v1/releases/edr/4/fleet", 0, "", "rollout plan edr/4", 69, "nobody there" },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct fake_answer script[] = { { cases[i].asked, cases[i].status, cases[i].answer } };
                OWN(fake_run) struct fake_run run = { 0 };
                int code = FAKE_RUN(&run, script, cases[i].line);
                if (code != cases[i].code || !strstr(run.err, cases[i].says))
                        printf("# %s: %d %s", cases[i].line, code, run.err);
                CHECK(code == cases[i].code && strstr(run.err, cases[i].says) && !run.out[0]);
        }
}

#define EMPTY(devices) \
        "{\"stream\":\"edr\",\"counter\":4,\"state\":\"draft\",\"now\":1784432200,\"pace_ms\":60000,\"devices\":" #devices ",\"seen\":{\"1h\":0,\"1d\":0,\"7d\":0}," \
        "\"left_out\":{\"enrolled_later\":0,\"other_platform\":0,\"kept_back\":0},\"strata\":[],\"no_stratum\":0,\"blocks\":{\"count\":0,\"single\":0,\"items\":[]},\"profiles\":[]," \
        "\"merged\":{\"profiles\":0,\"devices\":0}," NO_PAST "}"

TEST(rollout_plan, says_what_to_do_when_there_is_no_device)
{
        static const struct fake_answer none[] = { { "GET /api/v1/releases/edr/4/fleet", 200, EMPTY(0) } }, away[] = { { "GET /api/v1/releases/edr/4/fleet", 200, EMPTY(7) } };
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(FAKE_RUN(&run, none, "rollout plan edr/4") == 78 && strstr(run.err, "no device may get edr/4") && strstr(run.err, "firebreak token new"));
        CHECK(FAKE_RUN(&run, away, "rollout plan edr/4") == 78 && strstr(run.err, "none of the 7 devices has checked in for a week"));
}

TEST(rollout_plan, refuses_a_budget_before_it_asks)
{
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(fake_run(&run, NULL, 0, "rollout plan edr/4 --budget 0") == 64 && strstr(run.err, "`0` is no number from 1 to 1000000"));
        CHECK(fake_run(&run, NULL, 0, "rollout plan edr/4 --budget 5,x") == 64 && strstr(run.err, "`x` is no number"));
        CHECK(fake_run(&run, NULL, 0, "rollout plan edr/4 --budget 5, --seeds 2") == 64 && fake_run(&run, NULL, 0, "rollout plan edr/4 --seeds 0") == 64);
        CHECK(fake_run(&run, NULL, 0, "rollout plan edr") == 64 && strstr(run.err, "STREAM/COUNTER"));
}

TEST(plan_cases, looks_as_long_as_it_may_take)
{
        static const struct scenario_profile items[] = { { .devices = 2000 } };
        struct plan_fleet fleet = { .now = 1784432200, .pace_ms = 1500, .seen_median_s = -1, .seen_7d = 2000, .seen_1d = 2000, .present = 2000, .profiles = { items, 1, 1, 0 },
                                    .past = { .answer_p99_ms = -1, .late_median_ms = -1 } };
        struct rollout_policy policy = rollout_policy_default();
        struct plan_cases cases;
        plan_cases_make(&fleet, &policy, &cases);
        CHECK(cases.count == PLAN_CASES && cases.scenarios[0].for_s > 8 * 86400 && cases.scenarios[0].fleet.poll_s == 2 && cases.shows_after_s == 300);
        CHECK(cases.scenarios[0].faults.count == 0 && cases.scenarios[8].faults.count == 1 && strcmp(cases.scenarios[8].name, "harms 0.1 %, silent") == 0);
        CHECK(strcmp(cases.start, "sun 03:36") == 0 && scenario_start_min(&cases.scenarios[3]) == 6 * 1440 + 3 * 60 + 36);
        CHECK(cases.tail_s == 20 * 720 && cases.left_out_count == 0);
        policy.bake_s = policy.gap_s = 1;
        plan_cases_make(&fleet, &policy, &cases);
        CHECK(cases.scenarios[0].for_s == 3600 && cases.weather.switch_s == 1);
}
