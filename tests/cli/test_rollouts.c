#include "cli/fake_net.h"

#define ROLLOUT(state, counts) "{\"stream\":\"edr\",\"counter\":4,\"state\":\"" state "\",\"sentence\":\"it is " state ".\"," counts "\"budget\":5}"

TEST(rollout_start, sends_only_what_was_said)
{
        static const struct fake_answer script[] = { { "POST /api/v1/rollouts", 201, ROLLOUT("ready", "") } };
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(FAKE_RUN(&run, script, "rollout start edr/4 --budget 5 --bake 2s --gap 4s --gather 2s --holdout 0 --complete 100%") == 0);
        CHECK(strcmp(run.bodies, "{\"stream\":\"edr\",\"counter\":4,\"policy\":{\"budget\":5,\"bake_s\":2,\"gap_s\":4,\"gather_s\":2,"
                                 "\"holdout_ppm\":0,\"complete_ppm\":1000000}}\n") == 0);
        CHECK(strcmp(run.out, "edr/4 is ready: it is ready.\n") == 0);
}

TEST(rollout_start, sends_the_two_people_of_an_override)
{
        static const struct fake_answer script[] = { { "POST /api/v1/rollouts", 201, ROLLOUT("ready", "") } };
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(FAKE_RUN(&run, script, "rollout start edr/4 --override-by anna --override-by bert --reason the~disk~broke --json") == 0);
        CHECK(strstr(run.bodies, "\"policy\":{},\"override\":{\"people\":[\"anna\",\"bert\"],\"reason\":\"the disk broke\"}"));
        CHECK(strstr(run.out, "\"state\": \"ready\"") || strstr(run.out, "\"state\":\"ready\""));
}

TEST(rollout_start, reads_a_policy_file_and_lets_options_win)
{
        static const struct fake_answer script[] = { { "POST /api/v1/rollouts", 201, ROLLOUT("ready", "") } };
        char path[64], line[256];
        CHECK(file_temporary(path, NULL) == OK);
        snprintf(line, sizeof(line), "%s/policy.yaml", path);
        CHECK(file_write(line, "budget: 9\nbake_s: 7\n", 20, NULL) == OK);
        snprintf(line, sizeof(line), "rollout start edr/4 --policy %s/policy.yaml --budget 3", path);
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(FAKE_RUN(&run, script, line) == 0 && strstr(run.bodies, "\"policy\":{\"budget\":3,\"bake_s\":7}"));
        char file[128];
        snprintf(file, sizeof(file), "%s/policy.yaml", path);
        CHECK(file_write(file, "budget: 9\nbake: 7\n", 18, NULL) == OK);
        CHECK(fake_run(&run, NULL, 0, line) == 65 && strstr(run.err, "policy.yaml:2") && strstr(run.err, "bake_s"));
        file_remove_tree(path);
}

TEST(rollout_start, sends_freeze_windows_one_by_one)
{
        static const struct fake_answer script[] = { { "POST /api/v1/rollouts", 201, ROLLOUT("ready", "") } };
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(FAKE_RUN(&run, script, "rollout start edr/4 --freeze Fri~16:00~-~mon~06:00~Europe/Berlin,sat~00:00~-~sun~24:00~device "
                                     "--freeze 2026-12-24~00:00~-~2027-01-02~06:00~UTC") == 0);
        CHECK(strstr(run.bodies, "\"policy\":{\"freeze\":[\"fri 16:00 - mon 06:00 Europe/Berlin\",\"sat 00:00 - mon 00:00 device\","
                                 "\"2026-12-24 00:00 - 2027-01-02 06:00 UTC\"]}"));
        CHECK(fake_run(&run, NULL, 0, "rollout start edr/4 --freeze fri~16:00~-~mon~06:00") == 64 && strstr(run.err, "write it as `fri 16:00 - mon 06:00 Europe/Berlin`"));
}

TEST(rollout_start, reads_freeze_windows_of_a_policy_file)
{
        static const struct fake_answer script[] = { { "POST /api/v1/rollouts", 201, ROLLOUT("ready", "") } };
        static const char policy[] = "freeze:\n  - fri 16:00 - mon 06:00 Europe/Berlin\n  - wed 00:00 - wed 06:00 device\nbudget: 7\n";
        char path[64], file[128], line[256];
        CHECK(file_temporary(path, NULL) == OK);
        snprintf(file, sizeof(file), "%s/policy.yaml", path);
        CHECK(file_write(file, policy, sizeof(policy) - 1, NULL) == OK);
        snprintf(line, sizeof(line), "rollout start edr/4 --policy %s", file);
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(FAKE_RUN(&run, script, line) == 0);
        CHECK(strstr(run.bodies, "{\"budget\":7,\"freeze\":[\"fri 16:00 - mon 06:00 Europe/Berlin\",\"wed 00:00 - wed 06:00 device\"]}"));
        snprintf(line, sizeof(line), "rollout start edr/4 --policy %s --freeze mon~00:00~-~mon~01:00~UTC", file);
        CHECK(FAKE_RUN(&run, script, line) == 0 && strstr(run.bodies, "\"freeze\":[\"mon 00:00 - mon 01:00 UTC\"]"));
        file_remove_tree(path);
}

TEST(rollout_act, names_who_and_why)
{
        static const struct fake_answer script[] = { { "POST /api/v1/rollouts/edr/4/withdraw", 200, ROLLOUT("rolling_back", "") } };
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(FAKE_RUN(&run, script, "rollout withdraw edr/4 --who anna --reason it~breaks") == 0);
        CHECK(strcmp(run.bodies, "{\"who\":\"anna\",\"reason\":\"it breaks\"}\n") == 0);
        static const struct fake_answer second[] = { { "POST /api/v1/rollouts/edr/4/override", 200, ROLLOUT("exposing", "") } };
        CHECK(FAKE_RUN(&run, second, "rollout override edr/4 --who anna --second bert --reason power~cut") == 0);
        CHECK(strstr(run.bodies, "\"second\":\"bert\""));
}

TEST(rollout_withdraw, says_how_fast_only_where_it_was_said)
{
        static const struct fake_answer script[] = { { "POST /api/v1/rollouts/edr/4/withdraw", 200, ROLLOUT("rolling_back", "") } };
        OWN(fake_run) struct fake_run slow = { 0 };
        CHECK(FAKE_RUN(&slow, script, "rollout withdraw edr/4 --who anna") == 0 && !strstr(slow.bodies, "rollback_s"));
        OWN(fake_run) struct fake_run quick = { 0 };
        CHECK(FAKE_RUN(&quick, script, "rollout withdraw edr/4 --who anna --at-once") == 0 && strstr(quick.bodies, "\"rollback_s\":0"));
        OWN(fake_run) struct fake_run day = { 0 };
        CHECK(FAKE_RUN(&day, script, "rollout withdraw edr/4 --who anna --rollback 1d") == 0 && strstr(day.bodies, "\"rollback_s\":86400"));
        OWN(fake_run) struct fake_run both = { 0 };
        CHECK(fake_run(&both, NULL, 0, "rollout withdraw edr/4 --at-once --rollback 1d") == 64);
        OWN(fake_run) struct fake_run other = { 0 };
        CHECK(fake_run(&other, NULL, 0, "rollout halt edr/4 --at-once") == 64);
}

TEST(rollout_start, says_over_how_long_devices_go_back)
{
        static const struct fake_answer script[] = { { "POST /api/v1/rollouts", 201, ROLLOUT("ready", "") } };
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(FAKE_RUN(&run, script, "rollout start edr/4 --rollback 30m") == 0 && strstr(run.bodies, "\"policy\":{\"rollback_s\":1800}"));
        OWN(fake_run) struct fake_run at_once = { 0 };
        CHECK(FAKE_RUN(&at_once, script, "rollout start edr/4 --rollback 0") == 0 && strstr(at_once.bodies, "\"policy\":{\"rollback_s\":0}"));
        OWN(fake_run) struct fake_run too_long = { 0 };
        CHECK(fake_run(&too_long, NULL, 0, "rollout start edr/4 --rollback 2d") == 64);
}

TEST(rollout_watch, says_by_its_exit_code_how_it_ended)
{
        static const struct {
                const char *state, *line;
                int exit;
        } cases[] = {
                { ROLLOUT("complete", ""), "rollout watch edr/4", 0 },
                { ROLLOUT("halted", ""), "rollout watch edr/4", 1 },
                { ROLLOUT("superseded", ""), "rollout watch edr/4", 78 },
                { ROLLOUT("holding", "\"reason\":\"budget\","), "rollout watch edr/4", 1 },
                { ROLLOUT("holding", "\"reason\":\"budget\","), "rollout watch edr/4 --json", 1 },
                { ROLLOUT("holding", ""), "rollout watch edr/4 --until complete,holding", 0 },
                { ROLLOUT("withdrawn", ""), "rollout watch edr/4 --until complete", 1 },
                { ROLLOUT("watched", ""), "rollout watch edr/4 --until halted", 78 },
                { "{}", "rollout watch edr/4", 65 },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct fake_answer script[] = { { "GET /api/v1/rollouts/edr/4", 200, cases[i].state } };
                OWN(fake_run) struct fake_run run = { 0 };
                CHECK(FAKE_RUN(&run, script, cases[i].line) == cases[i].exit);
        }
}

TEST(rollout_watch, goes_on_over_a_restart_and_prints_only_news)
{
        static const struct fake_answer script[] = {
                { "GET /api/v1/rollouts/edr/4", 200, ROLLOUT("exposing", "\"exposed\":2,") },
                { "GET /api/v1/rollouts/edr/4", 0, "" },
                { "GET /api/v1/rollouts/edr/4", 200, ROLLOUT("exposing", "\"exposed\":2,") },
                { "GET /api/v1/rollouts/edr/4", 200, ROLLOUT("halted", "\"exposed\":2,") },
                { "GET /api/v1/rollouts/edr/4", 200, ROLLOUT("withdrawn", "\"exposed\":2,") },
        };
        struct sim_clock clock;
        sim_clock_init(&clock, 1000);
        OWN(fake_run) struct fake_run run = { .clock = &clock.clock };
        CHECK(FAKE_RUN(&run, script, "rollout watch edr/4 --until withdrawn") == 0);
        unsigned lines = 0;
        for (const char *c = run.out; *c; c++)
                lines += *c == '\n';
        CHECK(lines == 3 && strstr(run.err, "nobody there; trying again"));
}

TEST(rollout_watch, goes_on_over_a_hold_by_people_and_one_that_until_leaves_out)
{
        static const struct fake_answer people[] = {
                { "GET /api/v1/rollouts/edr/4", 200, ROLLOUT("holding", "\"reason\":\"operator\",") }, { "GET /api/v1/rollouts/edr/4", 200, ROLLOUT("complete", "") },
        };
        static const struct fake_answer budget[] = {
                { "GET /api/v1/rollouts/edr/4", 200, ROLLOUT("holding", "\"reason\":\"budget\",") }, { "GET /api/v1/rollouts/edr/4", 200, ROLLOUT("halted", "") },
        };
        struct sim_clock clock;
        sim_clock_init(&clock, 1000);
        OWN(fake_run) struct fake_run run = { .clock = &clock.clock };
        CHECK(FAKE_RUN(&run, people, "rollout watch edr/4") == 0);
        CHECK(FAKE_RUN(&run, budget, "rollout watch edr/4 --until halted") == 0);
}

/* A ceiling whose last step is below 100 %: it never gets to be complete, and nobody can lift it. */
TEST(rollout_watch, ends_where_the_signed_ceiling_lets_nobody_more_have_it)
{
        static const struct fake_answer at_last_step[] = {
                { "GET /api/v1/rollouts/edr/4", 200, ROLLOUT("holding", "\"reason\":\"ceiling\",\"unanswered\":0,\"until\":1784432300,") },
                { "GET /api/v1/rollouts/edr/4", 200, ROLLOUT("holding", "\"reason\":\"ceiling\",\"unanswered\":2,\"until\":null,") },
                { "GET /api/v1/rollouts/edr/4", 200, ROLLOUT("holding", "\"reason\":\"ceiling\",\"unanswered\":0,\"until\":null,") },
                { "GET /api/v1/rollouts/edr/4", 200, ROLLOUT("halted", "") },
        };
        struct sim_clock clock;
        sim_clock_init(&clock, 1000);
        OWN(fake_run) struct fake_run run = { .clock = &clock.clock };
        CHECK(fake_run(&run, at_last_step, 3, "rollout watch edr/4") == 0);
        CHECK(fake_run(&run, at_last_step, 3, "rollout watch edr/4 --until complete,watched") == 78 && strstr(run.err, "as many have it as its signed ceiling ever allows"));
        CHECK(FAKE_RUN(&run, at_last_step, "rollout watch edr/4 --until complete,halted") == 0);
}

TEST(rollout_watch, fails_at_once_when_nobody_answers_the_first_look)
{
        static const struct fake_answer script[] = { { "GET /api/v1/rollouts/edr/4", 0, "" } };
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(FAKE_RUN(&run, script, "rollout watch edr/4") == 69 && strstr(run.err, "nobody there") && !strstr(run.err, "again"));
        run.is_live = true;
        CHECK(FAKE_RUN(&run, script, "rollout watch edr/4") == 69 && strstr(run.err, "nobody there") && !run.out[0]);
}

static const struct fake_answer away[] = {
        { "GET /api/v1/rollouts/edr/4", 200, ROLLOUT("exposing", "") },
        { "GET /api/v1/rollouts/edr/4", 0, "" }, { "GET /api/v1/rollouts/edr/4", 0, "" }, { "GET /api/v1/rollouts/edr/4", 0, "" },
        { "GET /api/v1/rollouts/edr/4", 200, ROLLOUT("complete", "") },
};

TEST(rollout_watch, says_once_in_a_log_that_the_server_is_away_and_that_it_is_back)
{
        struct sim_clock clock;
        sim_clock_init(&clock, 1000);
        OWN(fake_run) struct fake_run run = { .clock = &clock.clock };
        CHECK(FAKE_RUN(&run, away, "rollout watch edr/4") == 0);
        CHECK(strcmp(run.err, "firebreak: server away: nobody there; trying again\nfirebreak: the server answers again\n") == 0);
}

TEST(rollout_watch, says_below_the_picture_since_when_the_server_is_away)
{
        struct sim_clock clock;
        sim_clock_init(&clock, 1000);
        OWN(fake_run) struct fake_run run = { .clock = &clock.clock, .is_live = true };
        CHECK(FAKE_RUN(&run, away, "rollout watch edr/4") == 0 && !run.err[0]);
        CHECK(strstr(run.out, "\nserver away since 0 s: nobody there; trying again\n") && strstr(run.out, "\nserver away since 2 s: nobody there; trying again\n"));
        const char *end = strstr(run.out, "complete");
        CHECK(end && !strstr(end, "server away"));
}

TEST(rollout_watch, gives_programs_a_document_a_change)
{
        static const struct fake_answer script[] = {
                { "GET /api/v1/rollouts/edr/4", 200, ROLLOUT("exposing", "\"exposed\":2,") }, { "GET /api/v1/rollouts/edr/4", 200, ROLLOUT("exposing", "\"exposed\":2,") },
                { "GET /api/v1/rollouts/edr/4", 200, ROLLOUT("complete", "\"exposed\":3,") },
        };
        struct sim_clock clock;
        sim_clock_init(&clock, 1000);
        OWN(fake_run) struct fake_run run = { .clock = &clock.clock, .is_live = true };
        CHECK(FAKE_RUN(&run, script, "rollout watch edr/4 --json") == 0);
        CHECK(strcmp(run.out, ROLLOUT("exposing", "\"exposed\":2,") "\n" ROLLOUT("complete", "\"exposed\":3,") "\n") == 0);
}

TEST(rollout_watch, gives_up_at_its_timeout)
{
        static const struct fake_answer script[] = {
                { "GET /api/v1/rollouts/edr/4", 200, ROLLOUT("exposing", "") }, { "GET /api/v1/rollouts/edr/4", 200, ROLLOUT("exposing", "") },
                { "GET /api/v1/rollouts/edr/4", 200, ROLLOUT("exposing", "") },
        };
        struct sim_clock clock;
        sim_clock_init(&clock, 1000);
        OWN(fake_run) struct fake_run run = { .clock = &clock.clock };
        CHECK(FAKE_RUN(&run, script, "rollout watch edr/4 --timeout 1s") == 75 && strstr(run.err, "not there after 1 s"));
}

TEST(rollout_watch, redraws_in_place_on_a_terminal)
{
        static const struct fake_answer script[] = {
                { "GET /api/v1/rollouts/edr/4", 200, ROLLOUT("exposing", "") }, { "GET /api/v1/rollouts/edr/4", 200, ROLLOUT("complete", "") },
        };
        struct sim_clock clock;
        sim_clock_init(&clock, 1000);
        OWN(fake_run) struct fake_run run = { .clock = &clock.clock, .is_live = true };
        CHECK(FAKE_RUN(&run, script, "rollout watch edr/4") == 0);
        unsigned lines = 0;
        const char *again = strstr(run.out, "\x1b[");
        CHECK(again);
        for (const char *c = run.out; c < again; c++)
                lines += *c == '\n';
        CHECK((unsigned)strtoul(again + 2, NULL, 10) == lines);
}

TEST(token_new, prints_the_token_alone)
{
        static const struct fake_answer script[] = { { "POST /api/v1/tokens", 200, "{\"token\":\"fbt_x\"}" } };
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(FAKE_RUN(&run, script, "token new --group g --uses 60 --expires 1h") == 0 && strcmp(run.out, "fbt_x\n") == 0);
        CHECK(strcmp(run.bodies, "{\"group\":\"g\",\"uses\":60,\"expires_s\":3600}\n") == 0);
}

TEST(release_show, shows_dossier_evidence_and_gate)
{
        static const struct fake_answer script[] = {
                { "GET /api/v1/releases/edr/3", 200,
                  "{\"stream\":\"edr\",\"counter\":3,\"version\":\"3\",\"start\":5,\"ceiling\":[{\"after_s\":0,\"ppm\":1000},{\"after_s\":3600,\"ppm\":50000}],\"dossier\":{\"what\":\"flags ls\",\"why\":\"y\",\"risk\":\"r\",\"undo\":\"u\"},"
                  "\"evidence\":[{\"origin\":\"lab.acme\",\"stage\":\"S4\",\"status\":\"FAIL\",\"cases\":412,\"finished\":5,\"why\":\"matches /bin/ls\"}],"
                  "\"gate\":{\"open\":false,\"unmet\":[\"S4 of lab.acme is FAIL\"]}}" },
        };
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(FAKE_RUN(&run, script, "release show edr/3") == 0);
        CHECK(strstr(run.out, "ceiling        0.1% after 0 s, 5% after 60 min; from its start ") && strstr(run.out, " ago\n"));
        CHECK(strstr(run.out, "flags ls") && strstr(run.out, "matches /bin/ls") && strstr(run.out, "gate: closed\n  S4 of lab.acme is FAIL\n"));
}

static const char a_status[] =
        "{\"version\":\"0.1.0\",\"tenant\":\"default\",\"now\":1000,\"epoch\":7,\"releases\":2,\"devices\":{\"enrolled\":60,\"seen_5m\":58,\"revoked\":0},"
        "\"metadata\":[{\"repository\":\"director\",\"role\":\"timestamp\",\"version\":12,\"age_s\":40,\"expires\":1900,\"is_expired\":false,\"health\":\"late\"}],"
        "\"rollouts\":[{\"stream\":\"edr\",\"counter\":4,\"state\":\"holding\",\"exposed\":8,\"proven\":3,\"hurt\":5,\"attributed\":4,\"budget\":5,\"sentence\":\"The budget is spent.\"}]}";

TEST(status, shows_server_devices_metadata_and_rollouts)
{
        const struct fake_answer script[] = { { "GET /api/v1/status", 200, a_status } };
        struct sim_clock clock;
        sim_clock_init(&clock, 1000);
        OWN(fake_run) struct fake_run run = { .clock = &clock.clock };
        CHECK(FAKE_RUN(&run, script, "status") == 0);
        CHECK(strcmp(run.out, "server         0.1.0\n"
                              "tenant         default\n"
                              "epoch          7\n"
                              "releases       2\n"
                              "\n"
                              "devices\n"
                              "enrolled       60\n"
                              "seen in 5 min  58\n"
                              "revoked        0\n"
                              "\n"
                              "metadata\n"
                              "REPOSITORY  ROLE       VERSION   AGE  HEALTH\n"
                              "director    timestamp       12  40 s  late\n"
                              "\n"
                              "rollouts\n"
                              "STREAM  COUNTER  STATE    EXPOSED  PROVEN  HURT  COUNTS  BUDGET  SENTENCE\n"
                              "edr           4  holding        8       3     5       4       5  The budget is spent.\n") == 0);
        sim_clock_init(&clock, 1400);
        CHECK(FAKE_RUN(&run, script, "status") == 0 && strstr(run.out, "differs from ours by 6 min"));
}
