#include "agent/config.h"

#include "platform/file.h"
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
        CHECK(strcmp(config->ring, "default") == 0 && config->platform[0] && config->busy_poll_ms == 1000 && !config->ca && !config->bandwidth.bytes_per_s && !config->mirrors.count && !config->mirrors_ca);
        CHECK(stream->crashes_max == 2 && stream->boots_max == 1 && stream->bake_s == 0 && !stream->needs_reboot);
        CHECK(strcmp(stream->engine.reload_signal, "HUP") == 0 && stream->engine.command.count == 3 && stream->preflight.count == 0);
        CHECK(!stream->breaker.socket && agent_config_find(config, "edr-rules") == stream && !agent_config_find(config, "edr"));
}

TEST(agent_config, tries_an_agent_by_itself)
{
        static const char text[] = HEAD "streams:\n  - name: agent\n    engine: {self: true}\n";
        OWN(agent_config) struct agent_config *config = NULL;
        CHECK(agent_config_parse("agent.yaml", text, strlen(text), &config, NULL) == OK);
        const struct agent_stream_config *stream = agent_config_stream(config, 0);
        CHECK(stream->engine.is_self && stream->preflight.count == 4 && strcmp(stream->preflight.items[0], "{candidate}/firebreak-agent") == 0);
}

TEST(agent_config, reads_a_breaker_and_fills_in_what_it_leaves_out)
{
        OWN(agent_config) struct agent_config *config = NULL, *other = NULL;
        static const char least[] = HEAD STREAM "    breaker:\n      socket: /run/fb/ask\n";
        CHECK(agent_config_parse("agent.yaml", least, strlen(least), &config, NULL) == OK);
        const struct agent_breaker *breaker = &agent_config_stream(config, 0)->breaker;
        CHECK(strcmp(breaker->socket, "/run/fb/ask") == 0 && !breaker->group && breaker->actions_max == 5 && breaker->window_s == 60 && breaker->protect.count == 9);
        static const char most[] = HEAD STREAM "    breaker: {socket: /run/fb/ask, group: edr, actions_max: 256, window_s: 86400, protect: [/opt]}\n";
        CHECK(agent_config_parse("agent.yaml", most, strlen(most), &other, NULL) == OK);
        breaker = &agent_config_stream(other, 0)->breaker;
        CHECK(strcmp(breaker->group, "edr") == 0 && breaker->actions_max == 256 && breaker->window_s == 86400 && breaker->protect.count == 1);
}

TEST(agent_config, reads_every_key_of_the_manual)
{
        static const char text[] = HEAD
                "ca: /etc/fb/ca.pem\nring: early\nplatform: linux-amd64\nattributes: os=debian,os_version=12\npoll_ms_max: 60000\nbusy_poll_ms: 200\nbandwidth: {bytes_per_s: 4096}\nmirrors: [https://cache.local:8443/fb, http://10.0.0.2]\nmirrors_ca: /etc/fb/cache.pem\n"
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
        CHECK(strcmp(config->attributes, "os=debian,os_version=12") == 0 && config->poll_ms_max == 60000 && config->bandwidth.bytes_per_s == 4096);
        CHECK(config->mirrors.count == 2 && strcmp(config->mirrors.items[1], "http://10.0.0.2") == 0 && strcmp(config->mirrors_ca, "/etc/fb/cache.pem") == 0);
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
                { HEAD STREAM "    breaker: {actions_max: 3}\n", "socket" },
                { HEAD STREAM "    breaker: {socket: ask}\n", "absolute" },
                { HEAD STREAM "    breaker: {socket: /run/ask, actions_max: 257}\n", "actions_max" },
                { HEAD STREAM "    breaker: {socket: /run/ask, window_s: 0}\n", "window_s" },
                { HEAD STREAM "    breaker: {socket: /run/ask, protect: [usr]}\n", "absolute" },
                { HEAD STREAM "    breaker: {socket: /run/ask}\n  - name: b\n    engine: {command: [x]}\n    breaker: {socket: /run/ask}\n", "one socket" },
                { HEAD STREAM "    bake: 3\n", "agent.yaml:8" },
                { HEAD "bandwidth: {bytes_per_s: 4095}\n" STREAM, "bytes_per_s" },
                { HEAD "bandwidth: {bytes_per_s: 1073741825}\n" STREAM, "bytes_per_s" },
                { HEAD "bandwidth: {}\n" STREAM, "bytes_per_s" },
                { HEAD "mirrors: [ftp://x]\n" STREAM, "https://host" },
                { HEAD "mirrors: ['https://']\n" STREAM, "https://host" },
                { HEAD "mirrors: ['https:///x']\n" STREAM, "https://host" },
                { HEAD "mirrors: [https://x/]\n" STREAM, "without a / at its end" },
                { HEAD "mirrors: ['https://x:65536/y']\n" STREAM, "no port of 1 to 65535" },
                { HEAD "mirrors: ['https://x:0']\n" STREAM, "no port of 1 to 65535" },
                { HEAD "mirrors: ['https://x:']\n" STREAM, "no port of 1 to 65535" },
                { HEAD "mirrors: ['https://x:1:2']\n" STREAM, "no port of 1 to 65535" },
                { HEAD "mirrors: ['https://x:000000443']\n" STREAM, "no port of 1 to 65535" },
                { HEAD "mirrors: ['https://:443']\n" STREAM, "that is no host" },
                { HEAD "mirrors: ['https://-x']\n" STREAM, "that is no host" },
                { HEAD "mirrors: ['https://x,y']\n" STREAM, "that is no host" },
                { HEAD "mirrors: ['https://[]']\n" STREAM, "that is no host" },
                { HEAD "mirrors: ['https://[::1']\n" STREAM, "that is no host" },
                { HEAD "mirrors: ['https://[::1]x']\n" STREAM, "that is no host" },
                { HEAD "mirrors: ['https://u:p@x']\n" STREAM, "no user" },
                { HEAD "mirrors: ['https://x?y']\n" STREAM, "no question" },
                { HEAD "mirrors: ['https://x y']\n" STREAM, "no blank" },
                { HEAD "mirrors: [https://x, https://x]\n" STREAM, "twice" },
                { HEAD "mirrors: [https://a, https://b, https://c, https://d, https://e]\n" STREAM, "mirrors" },
                { HEAD "mirrors: []\n" STREAM, "mirrors" },
                { HEAD "mirrors_ca: /x\n" STREAM, "without mirrors" },
                { HEAD "mirrors: [https://x]\nmirrors_ca: x\n" STREAM, "absolute" },
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
                { HEAD "streams:\n  - name: x\n    engine: {command: [x], self: true}\n", "either" },
                { HEAD "streams:\n  - name: x\n    engine: {self: true, status_file: /x}\n", "no status_file" },
                { HEAD "streams:\n  - name: x\n    engine: {self: true, reload_signal: USR1}\n", "no signal" },
                { HEAD "streams:\n  - name: x\n    engine: {self: true}\n  - name: y\n    engine: {self: true}\n", "x and y are both this agent" },
                { HEAD "streams:\n  - name: x\n    engine: {command: [x], reload_signal: SEGV}\n", "SEGV" },
                { HEAD "streams:\n  - name: x\n    engine: {pid_file: /x, reload_signal: restart}\n", "restart" },
                { HEAD "streams:\n  - name: x\n    engine: {unit: x.service, command: [x]}\n", "either" },
                { HEAD "streams:\n  - name: x\n    engine: {unit: x.service, reload_signal: HUP}\n", "reload or restart" },
                { HEAD "streams:\n  - name: x\n    engine: {unit: --help}\n", "systemd unit" },
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

#define SHA "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
#define PROBE(text) HEAD STREAM "    probes:\n      - " text "\n"

TEST(agent_config, reads_every_kind_of_probe)
{
        static const char text[] = HEAD STREAM
                "    probes:\n      - http: https://127.0.0.1:8080/health?x=1\n        status: 204\n        contains: up\n        ca: /etc/ca.pem\n        timeout_ms: 500\n"
                "      - hash: {file: \"{current}/rules/a.yar\", sha256: " SHA "}\n      - unit: clamav-daemon.service\n"
                "      - files: [/usr/bin/dpkg, \"{current}\", \"{stream}/status\"]\n      - resources: {cpu: 300, memory: 200}\n      - command: [x]\n";
        OWN(agent_config) struct agent_config *config = NULL;
        CHECK(agent_config_parse("agent.yaml", text, strlen(text), &config, NULL) == OK);
        const struct agent_stream_config *stream = agent_config_find(config, "edr-rules");
        CHECK(stream == agent_config_stream(config, 0) && !agent_config_find(config, "other") && stream->probes.count == 6);
        static const enum agent_probe_kind kinds[] = { PROBE_HTTP, PROBE_HASH, PROBE_UNIT, PROBE_FILES, PROBE_RESOURCES, PROBE_COMMAND };
        for (size_t i = 0; i < 6; i++)
                CHECK(agent_config_probe(stream, i)->kind == kinds[i] && agent_config_probe(stream, i)->timeout_ms == (i ? 10000 : 500));
        const struct agent_probe *http = agent_config_probe(stream, 0), *hash = agent_config_probe(stream, 1);
        CHECK(http->status == 204 && strcmp(http->contains, "up") == 0 && strcmp(http->ca, "/etc/ca.pem") == 0);
        CHECK(strcmp(hash->hash.file, "{current}/rules/a.yar") == 0 && strcmp(hash->hash.sha256, SHA) == 0);
        const struct agent_resources *resources = &agent_config_probe(stream, 4)->resources;
        CHECK(resources->cpu == 300 && resources->memory == 200 && resources->for_s == 60 && resources->cpu_least == 25 && resources->memory_least_mb == 64);
}

TEST(agent_config, says_which_probe_is_wrong_and_how)
{
        static const struct { const char *text, *part; } cases[] = {
                { PROBE("command: [x]\n        unit: x.service"), "probe 1: `command` and `unit`: each is a probe of its own" },
                { PROBE("http: http://x/\n        files: [/x]"), "`http` and `files`" },
                { PROBE("timeout_ms: 100"), "says not what is looked at" },
                { PROBE("ping: 127.0.0.1"), "agent.yaml:9: unknown key `ping`" },
                { PROBE("htpp: http://127.0.0.1/"), "did you mean `http`" },
                { PROBE("unit: x.service\n      - unit: x.service\n        hash: {file: /x, sha256: " SHA "}"), "edr-rules: probe 2: `hash` and `unit`" },
                { PROBE("http: 127.0.0.1:8080/health"), "http://" },
                { PROBE("http: ftp://127.0.0.1/"), "http://" },
                { PROBE("http: \"http://\""), "http://" },
                { PROBE("http: \"http:///path\""), "http://" },
                { PROBE("http: \"http://:80/\""), "http://" },
                { PROBE("http: \"http://user:word@host/\""), "without user" },
                { PROBE("http: \"http://host/a b\""), "blanks" },
                { PROBE("http: http://host/\n        status: 99"), "status" },
                { PROBE("http: http://host/\n        contains: \"\""), "contains" },
                { PROBE("http: http://host/\n        ca: /x"), "https://" },
                { PROBE("http: https://host/\n        ca: x"), "absolute" },
                { PROBE("command: [x]\n        status: 200"), "without http" },
                { PROBE("hash: {file: /x}"), "sha256: missing" },
                { PROBE("hash: {file: x, sha256: " SHA "}"), "absolute" },
                { PROBE("hash: {file: /x, sha256: 2d71}"), "64 digits" },
                { PROBE("hash: {file: /x, sha256: \"2D711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881\"}"), "64 digits" },
                { PROBE("hash: /x"), "hash: not a map" },
                { PROBE("unit: \"a b\""), "no name of a systemd unit" },
                { PROBE("unit: -a"), "no name of a systemd unit" },
                { PROBE("unit: ../a"), "no name of a systemd unit" },
                { PROBE("files: []"), "files: 0 items" },
                { PROBE("files: [/x, etc/passwd]"), "`etc/passwd` must be an absolute path" },
                { PROBE("files: [\"{candidate}/x\"]"), "absolute" },
                { PROBE("files: [\"{currently}/x\"]"), "absolute" },
                { PROBE("files: [/,/,/,/,/,/,/,/,/,/,/,/,/,/,/,/,/,/,/,/,/,/,/,/,/,/,/,/,/,/,/,/,/]"), "files: 33 items" },
                { PROBE("resources: {for_s: 60}"), "cpu or memory" },
                { PROBE("resources: {}"), "says not what is looked at" },
                { PROBE("resources: {cpu: 100}"), "cpu: not an integer from 110" },
                { PROBE("resources: {cpu: 200, for_s: 3601}"), "for_s" },
                { PROBE("resources: {cpus: 200}"), "did you mean `cpu`" },
                { PROBE("resources: {cpu: 200}\n      - resources: {memory: 200}"), "probe 2: a second resources" },
                { PROBE("unit: a\n      - unit: a\n      - unit: a\n      - unit: a\n      - unit: a\n      - unit: a\n      - unit: a\n      - unit: a\n      - unit: a\n"
                        "      - unit: a\n      - unit: a\n      - unit: a\n      - unit: a\n      - unit: a\n      - unit: a\n      - unit: a\n      - unit: a"), "probes: 17 items" },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct why why = { .text = "" };
                enum err e = parse(cases[i].text, &why);
                if (e != ERR_SYNTAX || !strstr(why.text, cases[i].part))
                        printf("# %zu: %s\n", i, why.text);
                CHECK(e == ERR_SYNTAX && strstr(why.text, cases[i].part));
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

TEST(agent_config, takes_each_ready_stream_as_it_is_installed)
{
        static const char *const names[] = { "clamav", "files", "firebreak-yarad", "nftables", "service", "yara" };
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                OWN(agent_config) struct agent_config *config = NULL;
                OWN(buf) struct buf text;
                char path[512];
                struct why why;
                snprintf(path, sizeof(path), "%s/%s.yaml", STREAMS, names[i]);
                buf_init(&text, 1 << 16);
                buf_add_text(&text, HEAD "streams:\n");
                CHECK(file_read(path, &text, NULL) == OK);
                CHECK(agent_config_parse(path, buf_text(&text), text.length, &config, &why) == OK);
                const struct agent_stream_config *stream = agent_config_stream(config, 0);
                CHECK(config->streams.count == 1 && stream->preflight.count && stream->probes.count && stream->preflight_network == (strcmp(names[i], "nftables") == 0));
        }
}
