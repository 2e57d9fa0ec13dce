#include "cli/api.h"

#include "cli/fake_net.h"
#include "support/sweep.h"

#define PROBLEM(code, detail) "{\"type\":\"about:blank\",\"title\":\"x\",\"status\":409,\"detail\":\"" detail "\",\"code\":\"" code "\"}"

TEST(api, gives_the_servers_advice_and_exit_code)
{
        static const struct {
                struct fake_answer answer;
                int exit;
                const char *says;
        } cases[] = {
                { { "GET /api/v1/status", 409, PROBLEM("REFUSED", "do this first") }, 78, "do this first" },
                { { "GET /api/v1/status", 503, PROBLEM("BUSY", "wait") }, 75, "wait" },
                { { "GET /api/v1/status", 418, PROBLEM("NEW_CODE", "odd") }, 78, "odd" },
                { { "GET /api/v1/status", 404, "{}" }, 66, "status 404 and no reason" },
                { { "GET /api/v1/status", 400, "This port speaks HTTPS: use https://\r\n" }, 65, "status 400: This port speaks HTTPS: use https://" },
                { { "GET /api/v1/status", 502, "<html>" }, 69, "status 502 and no reason" },
                { { "GET /api/v1/status", 401, PROBLEM("UNAUTHORIZED", "x") }, 77, "does not know the key in /tmp/" },
                { { "GET /api/v1/status", 302, "" }, 78, "status 302" },
                { { "GET /api/v1/status", 0, "" }, 69, "nobody there" },
                { { "GET /api/v1/status", 200, "not json" }, 65, "answer of https://fake:1" },
                { { "GET /api/v1/status", 200, "{\"a\":1,\"a\":2}" }, 65, "answer of" },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(fake_run) struct fake_run run = { 0 };
                CHECK(fake_run(&run, &cases[i].answer, 1, "status") == cases[i].exit);
                CHECK(strstr(run.err, cases[i].says) && run.out[0] == '\0');
        }
}

TEST(api, lets_no_problem_command_the_terminal)
{
        static const struct fake_answer script[] = { { "GET /api/v1/status", 409, PROBLEM("REFUSED", "\\u001b[2Jhidden") } };
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(FAKE_RUN(&run, script, "status") == 78 && !strchr(run.err, 0x1b) && strstr(run.err, "?[2Jhidden"));
}

TEST(api, follows_the_pages_of_a_list_as_far_as_asked)
{
        static const struct fake_answer script[] = {
                { "GET /api/v1/devices?limit=3", 200, "{\"items\":[{\"device\":\"a\"},{\"device\":\"b\"}],\"next\":\"b\"}" },
                { "GET /api/v1/devices?limit=1&cursor=b", 200, "{\"items\":[{\"device\":\"c\"},{\"device\":\"d\"}],\"next\":\"d\"}" },
        };
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(FAKE_RUN(&run, script, "device list --limit 3") == 0);
        CHECK(strstr(run.out, "\na") && strstr(run.out, "\nc") && !strstr(run.out, "\nd"));
}

TEST(api, takes_nothing_for_no_answer)
{
        static const char *const nothing[] = { "{}", "[]", "[1]", "null", "\"fbt_0\"", "" };
        for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++) {
                OWN(fake_run) struct fake_run run = { 0 };
                const struct fake_answer script[] = { { "POST /api/v1/tokens", 201, nothing[i] } };
                CHECK(FAKE_RUN(&run, script, "token new") == 65 && !run.out[0]);
        }
}

TEST(api_open, survives_a_lack_of_memory)
{
        const struct fake_answer script[] = { { "POST /api/v1/tokens", 201, "{\"token\":\"fbt_0\"}" } };
        unsigned failed = 0;
        SWEEP_MEMORY {
                OWN(fake_run) struct fake_run run = { 0 };
                int code = fake_run_freely(&run, script, 1, "token new");
                CHECK(code == 0 ? strcmp(run.out, "fbt_0\n") == 0 : code == err_info(ERR_NOMEM)->exit && !run.out[0]);
                failed += code != 0;
        }
        CHECK(failed > 3);
}

TEST(api, says_that_a_list_goes_on)
{
        static const struct fake_answer cut[] = { { "GET /api/v1/devices?limit=1", 200, "{\"items\":[{\"device\":\"a\"}],\"next\":\"a\"}" } };
        static const struct fake_answer whole[] = { { "GET /api/v1/devices?limit=1", 200, "{\"items\":[{\"device\":\"a\"}],\"next\":null}" } };
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(FAKE_RUN(&run, cut, "device list --limit 1") == 0 && strcmp(run.err, "firebreak: and more: --limit N prints more than 1\n") == 0);
        CHECK(FAKE_RUN(&run, cut, "device list --limit 1 --json") == 0 && strstr(run.err, "and more") && !strstr(run.out, "more"));
        CHECK(FAKE_RUN(&run, whole, "device list --limit 1") == 0 && !run.err[0]);
}

TEST(api, ends_a_list_that_does_not_end)
{
        static const struct fake_answer same[] = {
                { "GET /api/v1/devices?limit=100", 200, "{\"items\":[{\"device\":\"a\"}],\"next\":\"x\"}" },
                { "GET /api/v1/devices?limit=99&cursor=x", 200, "{\"items\":[{\"device\":\"a\"}],\"next\":\"x\"}" },
        };
        static const struct fake_answer strange[] = { { "GET /api/v1/devices?limit=100", 200, "{\"items\":[],\"next\":\"a b&c\"}" } };
        static const struct fake_answer none[] = { { "GET /api/v1/devices?limit=100", 200, "{\"next\":null}" } };
        OWN(fake_run) struct fake_run run = { 0 };
        CHECK(FAKE_RUN(&run, same, "device list") == 65 && strstr(run.err, "does not end"));
        CHECK(FAKE_RUN(&run, strange, "device list") == 65);
        CHECK(FAKE_RUN(&run, none, "device list") == 65 && strstr(run.err, "no items"));
}

static void without(const char *variable, const char *line, int code, const char *says)
{
        char *out = NULL, *err = NULL, copy[128], *words[8], *rest = copy;
        size_t size, count = 0;
        FILE *to = open_memstream(&out, &size), *errors = open_memstream(&err, &size);
        CHECK(!setenv("FIREBREAK_SERVER", "https://fake:1", 1) && !setenv("FIREBREAK_KEY_FILE", "/nonexistent/key", 1) && !setenv("XDG_CONFIG_HOME", "/nonexistent", 1));
        unsetenv(variable);
        snprintf(copy, sizeof(copy), "%s", line);
        for (char *word; (word = strsep(&rest, " "));)
                words[count++] = word;
        struct net net = { .ops = &fake_ops };
        struct cli cli = { .out = to, .err = errors, .clock = clock_system(), .net = &net };
        CHECK(cli_run(&cli, (int)count, words) == code);
        fclose(to);
        fclose(errors);
        CHECK(strstr(err, says));
        free(out);
        free(err);
}

TEST(api, says_what_is_missing_to_reach_a_server)
{
        without("FIREBREAK_SERVER", "status", 64, "FIREBREAK_SERVER");
        without("FIREBREAK_KEY_FILE", "status", 64, "--key-file");
        without("FIREBREAK_CA", "status", 66, "/nonexistent/key");
        without("FIREBREAK_CA", "status --server fake:1234", 64, "https://");
        without("FIREBREAK_CA", "status --server http://127.0.0.1:8443", 64, "write https://127.0.0.1:8443");
        without("FIREBREAK_CA", "status --key-file /dev/null", 64, "does not hold an API key");
        without("FIREBREAK_CA", "status --key-file /dev/zero", 65, "more than 512 bytes");
}
