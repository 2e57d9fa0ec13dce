#include "agent/keep.h"

#include "agent/config.h"
#include "support/test.h"

#include <string.h>

#ifdef _WIN32
#define ROOT "C:/"
#define PROGRAM "{candidate}/firebreak-agent.exe"
#else
#define ROOT "/"
#define PROGRAM "{candidate}/firebreak-agent"
#endif

static const char text[] = "server: https://127.0.0.1:1\nca: " ROOT "ca.pem\nstate_dir: " ROOT "state\ntrust: " ROOT "trust\nstreams:\n"
                           "  - name: one\n    factory: " ROOT "one\n    engine: {command: [one], reload_signal: restart, stop_ms: 2000}\n"
                           "  - name: two\n    factory: " ROOT "two\n    engine: {command: [two], reload_signal: restart, stop_ms: 9000}\n"
                           "  - name: agent\n    engine: {self: true}\n";

TEST(keep_stop_ms, is_the_longest_of_the_engines_and_something_beside)
{
        OWN(agent_config) struct agent_config *config = NULL;
        CHECK(agent_config_parse("agent.yaml", text, strlen(text), &config, NULL) == OK);
        const uint32_t most = keep_stop_ms(config);
        CHECK(most > 9000 && most < 9000 + 60000);
}

/* On every system: where a process keeps its program, a keeper stands above it. */
TEST(keep, is_for_an_agent_that_checks_itself_by_its_name_here)
{
        OWN(agent_config) struct agent_config *config = NULL;
        CHECK(agent_config_parse("agent.yaml", text, strlen(text), &config, NULL) == OK);
        const struct agent_stream_config *own = agent_config_stream(config, 2);
        CHECK(own->engine.is_self && own->preflight.count == 4 && strcmp(own->preflight.items[0], PROGRAM) == 0 && strcmp(own->preflight.items[1], "check") == 0);
}

TEST(keep_run, runs_nothing_without_a_configuration)
{
        struct why why;
        CHECK(keep_run(ROOT "no/such/folder/agent.yaml", NULL, &why) == ERR_NOT_FOUND && strstr(why.text, "agent.yaml"));
}
