#include "lab/options.h"

#include "format/near.h"
#include "lab/stage.h"

#include <stddef.h>
#include <string.h>

#if defined(__x86_64__)
#define ARCH "amd64"
#elif defined(__aarch64__)
#define ARCH "arm64"
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH "riscv64"
#else
#define ARCH "other"
#endif

const char lab_usage[] =
        "usage: firebreak-lab run --release DIR --engine PATH [--stages S1,S2,S4] [--baseline DIR] [--json]\n"
        "                         [--key FILE --origin NAME --out DIR [--target SHA256 --subject STREAM/COUNTER] [--platform OS-ARCH]]\n"
        "exit: 0 all passed, 1 the content is at fault, 2 a check broke\n";

enum { AS_FLAG, AS_TEXT };

static const struct option {
        const char *name;
        int type;
        size_t offset;           /* of const char * or bool */
} table[] = {
        { "--release", AS_TEXT, offsetof(struct lab_options, release) }, { "--engine", AS_TEXT, offsetof(struct lab_options, engine) },
        { "--key", AS_TEXT, offsetof(struct lab_options, key) }, { "--passphrase-file", AS_TEXT, offsetof(struct lab_options, passphrase_file) },
        { "--origin", AS_TEXT, offsetof(struct lab_options, origin) }, { "--target", AS_TEXT, offsetof(struct lab_options, target) },
        { "--subject", AS_TEXT, offsetof(struct lab_options, subject) }, { "--out", AS_TEXT, offsetof(struct lab_options, out) },
        { "--baseline", AS_TEXT, offsetof(struct lab_options, baseline) }, { "--platform", AS_TEXT, offsetof(struct lab_options, platform) },
        { "--stages", AS_TEXT, offsetof(struct lab_options, stages) }, { "--json", AS_FLAG, offsetof(struct lab_options, is_json) },
        { "--help", AS_FLAG, offsetof(struct lab_options, wants_help) }, { "--version", AS_FLAG, offsetof(struct lab_options, wants_version) },
};

static enum err unknown(const char *word, struct why *why)
{
        struct near near = { .word = word };
        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
                near_consider(&near, table[i].name);
        return near.best ? FAIL(why, ERR_USAGE, "there is no option %.80s; did you mean %s?", word, near.best)
                         : FAIL(why, ERR_USAGE, "there is no option %.80s", word);
}

/* *ret_words: how many it took. */
static enum err read_one(char *const *at, struct lab_options *options, int *ret_words, struct why *why)
{
        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
                if (strcmp(*at, table[i].name) != 0)
                        continue;
                *ret_words = table[i].type == AS_FLAG ? 1 : 2;
                if (table[i].type == AS_FLAG)
                        *(bool *)((char *)options + table[i].offset) = true;
                else
                        *(const char **)((char *)options + table[i].offset) = at[1];
                return table[i].type == AS_FLAG || (at[1] && at[1][0]) ? OK : FAIL(why, ERR_USAGE, "%s needs a value", *at);
        }
        return unknown(*at, why);
}

static enum err check_stages(const char *list, struct why *why)
{
        for (const char *at = list;; at++) {
                size_t length = strcspn(at, ",");
                if (!stage_named(at, length))
                        return FAIL(why, ERR_USAGE, "--stages %.60s: \"%.*s\" is none; there are S1, S2 and S4", list, (int)length, at);
                at += length;
                if (!*at)
                        return OK;
        }
}

static enum err check(const struct lab_options *options, struct why *why)
{
        const struct { bool is_wrong; const char *text; } rules[] = {
                { !options->release, "--release is missing: the content folder, or the packed release" },
                { !options->engine, "--engine is missing: the program that devices run" },
                { options->key && !options->origin, "--origin is missing: the name of the lab's key" },
                { options->key && !options->out, "--out is missing: where does the signed evidence go?" },
                { options->origin && !options->key, "--key is missing: an origin without a key proves nothing" },
        };
        for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
                if (rules[i].is_wrong)
                        return FAIL(why, ERR_USAGE, "%s", rules[i].text);
        return check_stages(options->stages, why);
}

enum err lab_options_read(char *const *argv, struct lab_options *ret_options, struct why *why)
{
        struct lab_options options = { .stages = "S1,S2,S4", .platform = "linux-" ARCH };
        char *const *at = argv + 1;
        if (*at && strcmp(*at, "run") == 0)
                at++;
        else if (!*at || (*at)[0] != '-')
                return FAIL(why, ERR_USAGE, "what shall it do? say `run`");
        enum err e = OK;
        for (int words = 0; !e && *at; at += words)
                e = read_one(at, &options, &words, why);
        if (!e && !options.wants_help && !options.wants_version)
                e = check(&options, why);
        if (!e)
                *ret_options = options;
        return e;
}
