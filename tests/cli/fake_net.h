/* fake_net.h - a server of stored answers, asked in order, that keeps what it was asked.
 *
 *      static const struct fake_answer script[] = { { "GET /api/v1/status", 200, "{}" } };
 *      OWN(fake_run) struct fake_run run = { 0 };
 *      CHECK(fake_run(&run, script, 1, "status --json") == 0);          run.out, run.err: what was printed */
#pragma once

#include "base/buf.h"
#include "cli/run.h"
#include "platform/clock.h"
#include "platform/file.h"
#include "platform/net.h"
#include "platform/random.h"
#include "support/sim_clock.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fake_answer {
        const char *asked;       /* method, blank, and the address after the host, to its end */
        int status;              /* 0: cannot be reached */
        const char *body;
};

struct fake_run {
        struct net net;
        const struct fake_answer *script;
        size_t count, at;
        char bodies[16384];      /* of all requests, a line each */
        char *out, *err;
        struct clock *clock;     /* NULL: the system's */
        bool is_live;
        const char *fault;       /* the first thing that was not as the script says */
};

static enum err fake_exchange(struct net *net, const struct net_request *request, struct net_response *response, struct why *why)
{
        struct fake_run *run = (struct fake_run *)net;
        char asked[1024];
        snprintf(asked, sizeof(asked), "%s %s", request->method, strncmp(request->url, "https://fake:1", 14) == 0 ? request->url + 14 : request->url);
        if (run->at == run->count || strcmp(run->script[run->at].asked, asked) != 0) {
                run->fault = "asked for something else";
                printf("# asked: %s\n", asked);
                return FAIL(why, ERR_IO, "not in the script: %s", asked);
        }
        bool is_known = false;
        for (size_t i = 0; i < request->header_count; i++)
                is_known = is_known || (strcmp(request->headers[i].name, "Authorization") == 0 && strcmp(request->headers[i].value, "Bearer key-of-a-test") == 0);
        if (!is_known)
                run->fault = "came without the key";
        size_t used = strlen(run->bodies);
        if (request->body)
                snprintf(run->bodies + used, sizeof(run->bodies) - used, "%.*s\n", (int)request->body_length, (const char *)request->body);
        for (size_t got = 1; request->upload && got;) {
                char part[4096];
                enum err e = request->upload->read(request->upload->user, part, sizeof(part), &got, why);
                if (e)
                        return e;
                used = strlen(run->bodies);
                snprintf(run->bodies + used, sizeof(run->bodies) - used, "%.*s", (int)got, part);
        }
        const struct fake_answer *answer = &run->script[run->at++];
        if (!answer->status)
                return FAIL(why, ERR_UNAVAILABLE, "nobody there");
        response->status = answer->status;
        buf_add_text(response->body, answer->body);
        return buf_check(response->body, why);
}

static const struct net_ops fake_ops = { .exchange = fake_exchange };

static inline void fake_run_release(struct fake_run *run)
{
        free(run->out);
        free(run->err);
}

/* Runs the words of `line` (split at blanks; `~` within a word is a blank). It may end before the script does. */
static inline int fake_run_freely(struct fake_run *run, const struct fake_answer *script, size_t count, const char *line)
{
        char key[] = "/tmp/firebreak-key-XXXXXX", copy[1024], *words[32];
        int used = 0, fd = mkstemp(key);
        CHECK(fd >= 0 && write(fd, "key-of-a-test\n", 14) == 14 && close(fd) == 0);
        CHECK(!setenv("FIREBREAK_SERVER", "https://fake:1/", 1) && !setenv("FIREBREAK_KEY_FILE", key, 1) && !setenv("XDG_CONFIG_HOME", "/nonexistent", 1));
        snprintf(copy, sizeof(copy), "%s", line);
        char *rest = copy;
        for (char *word; (word = strsep(&rest, " ")) && used < 32;) {
                for (char *c = word; *c; c++)
                        *c = *c == '~' ? ' ' : *c;
                words[used++] = word;
        }
        fake_run_release(run);
        run->net.ops = &fake_ops;
        run->script = script;
        run->count = count;
        run->at = 0;
        run->fault = NULL;
        run->bodies[0] = '\0';
        size_t out_size, err_size;
        FILE *out = open_memstream(&run->out, &out_size), *err = open_memstream(&run->err, &err_size);
        struct cli cli = { .out = out, .err = err, .columns = 80, .rows = 24, .is_live = run->is_live, .is_err_live = run->is_live, .clock = run->clock ? run->clock : clock_system(),
                           .random = random_system(), .net = &run->net };
        int code = cli_run(&cli, used, words);
        fclose(out);
        fclose(err);
        unlink(key);
        return code;
}

/* The same, and it comes to the script's end. */
static inline int fake_run(struct fake_run *run, const struct fake_answer *script, size_t count, const char *line)
{
        int code = fake_run_freely(run, script, count, line);
        if (run->fault || run->at != run->count)
                printf("# %s (%zu of %zu answers used)\n", run->fault ? run->fault : "ended early", run->at, run->count);
        CHECK(!run->fault && run->at == run->count);
        return code;
}
#define FAKE_RUN(run, script, line) fake_run((run), (script), sizeof(script) / sizeof((script)[0]), (line))
