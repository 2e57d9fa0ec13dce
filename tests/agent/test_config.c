#include "agent/config.h"

#include "support/sweep.h"
#include "support/test.h"

#include <string.h>

#define HEAD \
        "server: https://fb.example:8443\nstate_dir: /var/lib/fb\ntrust: /etc/fb/trust\n"
#define STREAM "streams:\n  - name: edr-rules\n    engine:\n      command: [yarad, --rules, \"{current}\"]\n"

static enum err parse(const char *text, struct why *why)
{
        OWN(agent_config) struct agent_config *config = NULL;
        return agent_config_parse("agent.yaml", text, strlen(text), &config, why);
}

TEST(agent_config, fills_in_what_the_file_leaves_out)
{
        OWN(agent_config) struct agent_config *config = NULL;
        CHECK(agent_config_parse("agent.yaml", HEAD STREAM, strlen(HEAD STREAM), &config, NULL) == OK);
        const struct agent_stream_config *stream = agent_config_stream(config, 0);
        CHECK(strcmp(config->ring, "default") == 0 && config->platform[0] && config->busy_poll_ms == 1000 && !config->ca);
        CHECK(stream->crashes_max == 2 && stream->boots_max == 1 && stream->bake_s == 0 && !stream->needs_reboot);
        CHECK(strcmp(stream->engine.reload_signal, "HUP") == 0 && stream->engine.command.count == 3 && stream->preflight.count == 0);
}

TEST(agent_config, reads_every_key_of_the_manual)
{
        static const char text[] = HEAD
                "ca: /etc/fb/ca.pem\nring: early\nplatform: linux-amd64\nattributes: os=debian,os_version=12\npoll_ms_max: 60000\nbusy_poll_ms: 200\n"
                "streams:\n  - name: a\n    factory: /usr/share/a\n    engine:\n      pid_file: /run/a.pid\n      reload_signal: USR1\n"
                "      status_file: /run/a.status\n      stop_ms: 1000\n    preflight: [a, --check]\n    preflight_ms: 500\n"
                "    probes:\n      - command: [probe, one]\n        timeout_ms: 100\n      - command: [probe]\n    probe_every_ms: 100\n"
                "    bake_s: 5\n    crashes_max: 1\n    boots_max: 3\n    needs_reboot: true\n";
        OWN(agent_config) struct agent_config *config = NULL;
        CHECK(agent_config_parse("agent.yaml", text, strlen(text), &config, NULL) == OK);
        const struct agent_stream_config *stream = agent_config_stream(config, 0);
        const struct agent_probe *probes = stream->probes.items;
        CHECK(stream->probes.count == 2 && probes[0].timeout_ms == 100 && probes[1].timeout_ms == 10000);
        CHECK(stream->needs_reboot && stream->bake_s == 5 && stream->boots_max == 3 && stream->engine.stop_ms == 1000);
        CHECK(strcmp(config->attributes, "os=debian,os_version=12") == 0 && config->poll_ms_max == 60000);
}

TEST(agent_config, takes_the_sample_that_names_one_engine_and_its_factory_rules)
{
        OWN(agent_config) struct agent_config *config = NULL;
        CHECK(agent_config_open(SAMPLE, &config, NULL) == OK);
        const struct agent_stream_config *stream = agent_config_stream(config, 0);
        CHECK(stream->factory && strcmp(stream->factory, "/usr/local/share/firebreak/yara/factory") == 0);
        CHECK(strcmp(stream->engine.command.items[0], "/usr/local/bin/firebreak-yarad") == 0);
        CHECK(strcmp(stream->preflight.items[0], stream->engine.command.items[0]) == 0);
}

TEST(agent_config, says_what_is_wrong_and_where)
{
        static const struct { const char *text, *part; } cases[] = {
                { HEAD STREAM "    bakes: 3\n", "bake_s" },
                { HEAD STREAM "    bake: 3\n", "agent.yaml:8" },
                { HEAD, "streams" },
                { HEAD "streams: []\n", "streams" },
                { STREAM, "server" },
                { "server: https://x:1/\nstate_dir: /s\ntrust: /t\n" STREAM, "at its end" },
                { HEAD "ring: a b\n" STREAM, "ring" },
                { HEAD "ca: ca.pem\n" STREAM, "absolute" },
                { HEAD STREAM "    crashes_max: 0\n", "crashes_max" },
                { HEAD STREAM "  - name: edr-rules\n    engine: {command: [x]}\n", "twice" },
                { HEAD "streams:\n  - name: ../x\n    engine: {command: [x]}\n", "no stream name" },
                { HEAD "streams:\n  - name: x\n    engine: {}\n", "either" },
                { HEAD "streams:\n  - name: x\n    engine: {command: [x], pid_file: /x}\n", "either" },
                { HEAD "streams:\n  - name: x\n    engine: {command: [x], reload_signal: SEGV}\n", "SEGV" },
                { HEAD "streams:\n  - name: x\n    engine: {pid_file: /x, reload_signal: restart}\n", "restart" },
                { HEAD "streams:\n  - name: x\n    engine: {command: [x], status_file: x}\n", "absolute" },
                { HEAD "streams:\n  - name: x\n    engine: {command: [x], status_every_ms: 50}\n", "without status_file" },
                { HEAD "streams:\n  - name: x\n    engine: {command: [x], status_file: /x, status_every_ms: 20001}\n", "status_every_ms" },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct why why;
                CHECK(parse(cases[i].text, &why) == ERR_SYNTAX || why.err == ERR_LIMIT);
                if (!strstr(why.text, cases[i].part))
                        printf("# %zu: %s\n", i, why.text);
                CHECK(strstr(why.text, cases[i].part));
        }
}

TEST(agent_config, survives_every_allocation_failure)
{
        SWEEP_MEMORY {
                enum err e = parse(HEAD STREAM, NULL);
                CHECK(e == OK || e == ERR_NOMEM);
        }
}

TEST(agent_config_open, says_which_file_is_missing)
{
        struct why why;
        OWN(agent_config) struct agent_config *config = NULL;
        CHECK(agent_config_open("/no/such/agent.yaml", &config, &why) == ERR_NOT_FOUND && strstr(why.text, "/no/such/agent.yaml"));
}
