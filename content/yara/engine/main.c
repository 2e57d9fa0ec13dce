/* firebreak-yarad - a small engine that keeps YARA rules at work. See firebreak-yarad(8). */
#include "content/yara/engine/fields.h"
#include "content/yara/engine/ruleset.h"
#include "content/yara/engine/scan.h"
#include "content/yara/engine/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <yara.h>

enum { INTERVAL_MIN_MS = 10, INTERVAL_MAX_MS = 3600000, INTERVAL_MS = 2000 };

static const char usage[] =
        "usage: firebreak-yarad --rules DIR --watch DIR [--status FILE] [--interval-ms N] [--quarantine DIR [--ask SOCKET]]   keep the rules at work\n"
        "       firebreak-yarad --rules DIR --check                                         do they load?\n"
        "       firebreak-yarad --rules DIR --once FILE...                                  scan these files and end\n"
        "       firebreak-yarad --version\n"
        "       firebreak-yarad --help\n";

struct request {
        struct serve serve;
        bool is_check, is_version, is_help;
        char *const *once;               /* NULL-ended; NULL: not asked */
};

static enum err read_interval(const char *text, long *ret_ms, struct why *why)
{
        char *end;
        errno = 0;
        long value = strtol(text, &end, 10);
        if (errno || end == text || *end || value < INTERVAL_MIN_MS || value > INTERVAL_MAX_MS)
                return FAIL(why, ERR_USAGE, "--interval-ms %.40s: not a number from %d to %d", text, INTERVAL_MIN_MS, INTERVAL_MAX_MS);
        *ret_ms = value;
        return OK;
}

/* Words that stand alone; *ret_is_one tells whether this was one. */
static bool read_flag(char *const *at, struct request *request)
{
        request->is_check |= strcmp(*at, "--check") == 0;
        request->is_version |= strcmp(*at, "--version") == 0;
        request->is_help |= strcmp(*at, "--help") == 0;
        if (strcmp(*at, "--once") == 0)
                request->once = at + 1;
        return request->once || strcmp(*at, "--check") == 0 || strcmp(*at, "--version") == 0 || strcmp(*at, "--help") == 0;
}

static enum err read_option(const char *name, const char *value, struct request *request, struct why *why)
{
        const struct { const char *name; const char **into; } texts[] = {
                { "--rules", &request->serve.rules }, { "--watch", &request->serve.watch }, { "--status", &request->serve.status },
                { "--quarantine", &request->serve.quarantine }, { "--ask", &request->serve.ask },
        };
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
                if (strcmp(name, texts[i].name) == 0) {
                        *texts[i].into = value;
                        return value && value[0] ? OK : FAIL(why, ERR_USAGE, "%s needs a path", name);
                }
        if (strcmp(name, "--interval-ms") == 0)
                return value ? read_interval(value, &request->serve.interval_ms, why) : FAIL(why, ERR_USAGE, "%s needs a number", name);
        return FAIL(why, ERR_USAGE, "there is no option %.80s", name);
}

static enum err read_words(char *const *argv, struct request *request, struct why *why)
{
        *request = (struct request){ .serve.interval_ms = INTERVAL_MS };
        enum err e = OK;
        for (char *const *at = argv + 1; !e && *at && !request->once;) {
                bool is_flag = read_flag(at, request);
                if (!is_flag)
                        e = read_option(at[0], at[1], request, why);
                at += is_flag ? 1 : 2;
        }
        if (e || request->is_version || request->is_help)
                return e;
        if (!request->serve.rules)
                return FAIL(why, ERR_USAGE, "--rules is missing: where are the rules?");
        if (request->serve.quarantine && (!request->serve.watch || request->serve.watch[0] != '/'))
                return FAIL(why, ERR_USAGE, "--quarantine goes with --watch and an absolute path");
        if (request->serve.ask && !request->serve.quarantine)
                return FAIL(why, ERR_USAGE, "--ask is of no use without --quarantine");
        if (request->is_check + !!request->once + !!request->serve.watch != 1)
                return FAIL(why, ERR_USAGE, "give one of --watch, --check and --once");
        return request->once && !request->once[0] ? FAIL(why, ERR_USAGE, "--once needs files") : OK;
}

static enum err flushed(struct why *why)
{
        return fflush(stdout) == 0 && !ferror(stdout) ? OK : FAIL(why, ERR_IO, "writing the result: %s", strerror(errno));
}

/* Twice, the second while the first is loaded: that is what a reload needs. */
static enum err check(const struct request *request, struct why *why)
{
        OWN(ruleset) struct ruleset *set = NULL, *again = NULL;
        enum err e = ruleset_open(request->serve.rules, &set, why);
        if (!e)
                e = ruleset_open(request->serve.rules, &again, why);
        if (e)
                return e;
        printf("rules=%u warnings=%u version=%s\n", set->rules, set->warnings, set->version);
        return flushed(why);
}

static enum err once(const struct request *request, struct why *why)
{
        OWN(ruleset) struct ruleset *set = NULL;
        OWN(scan) struct scan *scan = NULL;
        enum err e = ruleset_open(request->serve.rules, &set, why);
        if (!e)
                e = scan_open(set, stdout, &scan, why);
        if (e)
                return e;
        for (char *const *at = request->once; *at; at++)
                scan_one(scan, &(struct scan_file){ AT_FDCWD, *at, *at, true });
        const struct scan_counts *counts = scan_counts(scan);
        printf("scanned files=%" PRIu64 " bytes=%" PRIu64 " errors=%" PRIu64 "\n", counts->files, counts->bytes, counts->errors);
        return flushed(why);
}

static enum err run(const struct request *request, struct why *why)
{
        bool is_serving = !request->is_check && !request->once;
        if (is_serving)
                serve_take_signals();
        if (yr_initialize() != ERROR_SUCCESS)
                return FAIL(why, ERR_NOMEM, "starting libyara");
        enum err e = request->is_check ? check(request, why) : request->once ? once(request, why) : serve_run(&request->serve, why);
        yr_finalize();
        return e;
}

/* About the program itself. */
static enum err say(const struct request *request, struct why *why)
{
        if (request->is_help)
                printf("%s\nsee also firebreak-yarad(8)\n", usage);
        else
                printf("firebreak-yarad %s\n", engine_version);
        return flushed(why);
}

int main(int argc, char **argv)
{
        (void)argc;
        struct request request;
        struct why why;
        enum err e = read_words(argv, &request, &why);
        if (e)
                fputs(usage, stderr);
        else if (request.is_help || request.is_version)
                e = say(&request, &why);
        else
                e = run(&request, &why);
        if (!e)
                return 0;
        fprintf(stderr, "firebreak-yarad: %s\n", why.text);
        return e == ERR_SYNTAX || e == ERR_NOT_FOUND || e == ERR_REFUSED || e == ERR_LIMIT ? 1 : err_info(e)->exit;
}
