#include "cli/fake_net.h"

#define GROUP(rules) "{\"group\":\"tills\",\"devices\":12,\"streams\":{" rules "}}"
#define PINNED "\"edr\":{\"pin\":4,\"behind\":null,\"newest\":4,\"now\":4}"

TEST(group_set, sends_the_one_rule_that_was_said)
{
        static const struct {
                const char *line, *body, *answer, *says;
        } cases[] = {
                { "group set tills --stream edr --pin 4 --who anna --reason the~vendor", "{\"stream\":\"edr\",\"pin\":4,\"who\":\"anna\",\"reason\":\"the vendor\"}\n",
                  GROUP(PINNED), "tills (devices: 12): edr: pinned to 4\n" },
                { "group set tills --behind 1 --who anna", "{\"behind\":1,\"who\":\"anna\",\"reason\":\"no reason given\"}\n",
                  GROUP("\"edr\":{\"pin\":null,\"behind\":1,\"newest\":3,\"now\":2}"), "tills (devices: 12): edr: 1 behind (now 2)\n" },
                { "group set tills --behind 1 --who anna", "{\"behind\":1,\"who\":\"anna\",\"reason\":\"no reason given\"}\n",
                  GROUP("\"edr\":{\"pin\":null,\"behind\":1,\"newest\":3,\"now\":null}"), "tills (devices: 12): edr: 1 behind (now none)\n" },
                { "group set tills --latest --who anna", "{\"latest\":true,\"who\":\"anna\",\"reason\":\"no reason given\"}\n", GROUP(""), "tills (devices: 12): latest\n" },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                const struct fake_answer script[] = { { "POST /api/v1/groups/tills", 200, cases[i].answer } };
                OWN(fake_run) struct fake_run run = { 0 };
                CHECK(FAKE_RUN(&run, script, cases[i].line) == 0);
                CHECK(strcmp(run.bodies, cases[i].body) == 0 && strcmp(run.out, cases[i].says) == 0);
        }
}

TEST(group_set, refuses_what_says_nothing_or_too_much)
{
        static const struct {
                const char *line, *says;
        } cases[] = {
                { "group set tills", "say one of --pin COUNTER, --behind 1 and --latest" },
                { "group set tills --pin 4 --latest", "say one of --pin" },
                { "group set tills --pin 0", "--pin" },
                { "group set tills --behind 2", "--behind" },
                { "group set ../x --latest", "is no name of a group" },
                { "group set --latest", "GROUP" },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(fake_run) struct fake_run run = { 0 };
                CHECK(fake_run(&run, NULL, 0, cases[i].line) == 64 && strstr(run.err, cases[i].says));
        }
}

TEST(group_set, passes_on_why_the_server_refuses)
{
        static const struct fake_answer script[] = { { "POST /api/v1/groups/tills", 409, "{\"type\":\"about:blank\",\"title\":\"Conflict\",\"status\":409,"
                                                       "\"detail\":\"edr/1 is below the security floor 2 of its stream: pin 2 or a later one\",\"code\":\"REFUSED\"}" } };
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(FAKE_RUN(&run, script, "group set tills --pin 1") == 78 && strstr(run.err, "below the security floor 2"));
}

TEST(group_list, shows_who_is_kept_on_what)
{
        static const struct fake_answer script[] = { { "GET /api/v1/groups?limit=100", 200,
                "{\"items\":[{\"group\":\"office\",\"devices\":40,\"streams\":{}}," GROUP(PINNED ",\"sig\":{\"pin\":2,\"behind\":null,\"newest\":5,\"now\":5}") "],\"next\":null}" } };
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(FAKE_RUN(&run, script, "group list") == 0);
        CHECK(strstr(run.out, "GROUP") && strstr(run.out, "latest") && strstr(run.out, "edr: pinned to 4, sig: pinned to 2 (now 5)"));
        CHECK(FAKE_RUN(&run, script, "group list --json") == 0 && strstr(run.out, "\"pin\""));
}

TEST(group_show, shows_one)
{
        static const struct fake_answer script[] = { { "GET /api/v1/groups/tills", 200, GROUP(PINNED) } };
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(FAKE_RUN(&run, script, "group show tills") == 0 && strcmp(run.out, "group          tills\ndevices        12\nreleases       edr: pinned to 4\n") == 0);
        CHECK(FAKE_RUN(&run, script, "group show tills --json") == 0 && strstr(run.out, "\"devices\""));
}
