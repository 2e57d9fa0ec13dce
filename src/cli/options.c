#include "cli/options.h"

#include "base/limits.h"
#include "format/near.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option options[OPTION_COUNT] = {
#define OPTION(id, name, type, value, min, max, help) [OPTION_##id] = { name, value, help, AS_##type, min, max },
#include "cli/options.def"
#undef OPTION
};

const struct option *option_info(enum option_id id)
{
        assert(id < OPTION_COUNT);
        return &options[id];
}

bool name_is_good(const char *text)
{
        static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        static const char rest[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-";
        size_t length = strlen(text);
        return length >= 1 && length <= 64 && strchr(first, text[0]) && strspn(text, rest) == length;
}

enum { SCALE_MOST = 1000000 };                   /* what a number may be multiplied with: a share's parts, a day's seconds */

/* Digits only; strtoll alone would take white space, signs and nothing. */
static bool number_parse(const char *text, const char **ret_end, int64_t *ret_number)
{
        if (text[0] < '0' || text[0] > '9')
                return false;
        errno = 0;
        char *end = NULL;
        long long number = strtoll(text, &end, 10);
        if (errno || number > INT64_MAX / SCALE_MOST)
                return false;
        *ret_end = end;
        *ret_number = number;
        return true;
}

/* It is a number, whatever follows, and larger than anything that is meant. */
static bool is_beyond(const char *text)
{
        const char *end = NULL;
        int64_t number = 0;
        return text[0] >= '0' && text[0] <= '9' && !number_parse(text, &end, &number);
}

enum err duration_parse(const char *text, int64_t *ret_seconds, struct why *why)
{
        static const struct {
                const char *unit;
                int64_t seconds;
        } units[] = { { "", 1 }, { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "d", 86400 } };
        const char *end = NULL;
        int64_t number = 0;
        if (number_parse(text, &end, &number))
                for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
                        if (strcmp(end, units[i].unit) == 0) {
                                *ret_seconds = number * units[i].seconds;
                                return OK;
                        }
        if (is_beyond(text))
                return FAIL(why, ERR_USAGE, "`%.40s` is too long a time", text);
        return FAIL(why, ERR_USAGE, "`%.40s` is no time; write 90s, 15m, 1h or 3d", text);
}

enum err share_parse(const char *text, int64_t *ret_ppm, struct why *why)
{
        const char *end = NULL;
        int64_t number = 0, scale = 10000;
        if (number_parse(text, &end, &number)) {
                if ((end[0] == '\0' && number == 0) || strcmp(end, "ppm") == 0) {
                        *ret_ppm = number;
                        return OK;
                }
                number *= scale;
                if (end[0] == '.')
                        for (end++; *end >= '0' && *end <= '9' && scale > 1; end++) {
                                scale /= 10;
                                number += (*end - '0') * scale;
                        }
                if (strcmp(end, "%") == 0) {
                        *ret_ppm = number;
                        return OK;
                }
        }
        if (is_beyond(text))
                return FAIL(why, ERR_USAGE, "`%.40s` is too large a share", text);
        return FAIL(why, ERR_USAGE, "`%.40s` is no share; write 5%%, 0.01%%, 100ppm or 0", text);
}

static enum err check_range(const struct option *option, int64_t number, struct why *why)
{
        if (number >= option->min && number <= option->max)
                return OK;
        return FAIL(why, ERR_USAGE, "%lld is outside %lld to %lld%s", (long long)number, (long long)option->min, (long long)option->max,
                    option->type == AS_DURATION ? " seconds" : option->type == AS_SHARE ? " ppm" : "");
}

static enum err read_int(const struct option *option, const char *text, int64_t *ret_number, struct why *why)
{
        const char *end = NULL;
        if (is_beyond(text) && !text[strspn(text, "0123456789")])
                return FAIL(why, ERR_USAGE, "%.40s is outside %lld to %lld", text, (long long)option->min, (long long)option->max);
        if (!number_parse(text, &end, ret_number) || *end)
                return FAIL(why, ERR_USAGE, "`%.40s` is no whole number", text);
        return OK;
}

static enum err check_text(const struct option *option, const char *text, struct why *why)
{
        size_t length = strlen(text);
        if ((int64_t)length < option->min || (int64_t)length > option->max)
                return FAIL(why, ERR_USAGE, "a text of %zu bytes; %lld to %lld are taken", length, (long long)option->min,
                            (long long)option->max);
        if ((option->type == AS_NAME || option->type == AS_NAMES) && !name_is_good(text))
                return FAIL(why, ERR_USAGE, "`%.60s` is no name; letters, digits and ._+- are taken, a letter or digit first", text);
        return OK;
}

static enum err take_value(const struct option *option, const char *text, struct arg *arg, struct why *why)
{
        bool repeats = option->type == AS_TEXTS || option->type == AS_NAMES;
        enum err e = OK;
        if (!repeats && arg->count)
                return FAIL(why, ERR_USAGE, "given twice; once is enough");
        if (arg->count >= ARG_REPEATS)
                return FAIL(why, ERR_USAGE, "given more than %d times", ARG_REPEATS);
        arg->texts[arg->count] = text;
        switch (option->type) {
        case AS_INT:
                e = read_int(option, text, &arg->number, why);
                break;
        case AS_DURATION:
                e = duration_parse(text, &arg->number, why);
                break;
        case AS_SHARE:
                e = share_parse(text, &arg->number, why);
                break;
        case AS_FLAG:
        case AS_TEXT:
        case AS_TEXTS:
        case AS_NAME:
        case AS_NAMES:
                arg->count++;
                return check_text(option, text, why);
        }
        arg->count++;
        return e ? e : check_range(option, arg->number, why);
}

static enum err unknown_option(const enum option_id *allowed, const char *name, struct why *why)
{
        struct near near = { .word = name };
        for (size_t i = 0; allowed[i] != OPTION_NONE; i++)
                near_consider(&near, options[allowed[i]].name);
        if (near.best)
                return FAIL(why, ERR_USAGE, "no option --%.40s here; did you mean --%s?", name, near.best);
        return FAIL(why, ERR_USAGE, "no option --%.40s here; --help lists those there are", name);
}

static bool is_named(const struct option *option, const char *name, size_t length)
{
        return strlen(option->name) == length && memcmp(option->name, name, length) == 0;
}

/* One `--name`, with its value from the same word or the next one; *at moves over what was used. */
static enum err take_option(const enum option_id *allowed, int argc, char *const *argv, int *at, struct args *args, struct why *why)
{
        const char *name = argv[*at] + 2, *equals = strchr(name, '=');
        size_t length = equals ? (size_t)(equals - name) : strlen(name), i = 0;
        while (allowed[i] != OPTION_NONE && !is_named(&options[allowed[i]], name, length))
                i++;
        if (allowed[i] == OPTION_NONE) {
                char text[48];
                snprintf(text, sizeof(text), "%.*s", (int)length, name);
                return unknown_option(allowed, text, why);
        }
        const struct option *option = &options[allowed[i]];
        const char *value = equals ? equals + 1 : NULL;
        if (option->type == AS_FLAG && value)
                return FAIL(why, ERR_USAGE, "--%s takes no value", option->name);
        if (option->type != AS_FLAG && !value) {
                if (*at + 1 >= argc)
                        return FAIL(why, ERR_USAGE, "--%s needs a value: --%s %s", option->name, option->name, option->value);
                value = argv[++*at];
        }
        enum err e = take_value(option, value ? value : "", &args->of[allowed[i]], why);
        return e ? DURING(why, e, "--%s", option->name) : OK;
}

enum err options_parse(const enum option_id *allowed, int argc, char *const *argv, struct args *ret_args, struct why *why)
{
        bool is_over = false;
        for (int at = 0; at < argc; at++) {
                const char *word = argv[at];
                enum err e = OK;
                if (!is_over && strcmp(word, "--") == 0) {
                        is_over = true;
                } else if (!is_over && strcmp(word, "-h") == 0) {
                        ret_args->of[OPTION_HELP].count = 1;
                } else if (!is_over && strncmp(word, "--", 2) == 0) {
                        e = take_option(allowed, argc, argv, &at, ret_args, why);
                } else if (!is_over && word[0] == '-' && word[1]) {
                        e = FAIL(why, ERR_USAGE, "no option %.20s; options have two dashes", word);
                } else if (ret_args->word_count == ARG_WORDS) {
                        e = FAIL(why, ERR_USAGE, "one word too many: `%.60s`", word);
                } else {
                        ret_args->words[ret_args->word_count++] = word;
                }
                if (e)
                        return e;
        }
        return OK;
}

const char *arg_text(const struct args *args, enum option_id id, const char *otherwise)
{
        return args->of[id].count ? args->of[id].texts[0] : otherwise;
}

int64_t arg_int(const struct args *args, enum option_id id, int64_t otherwise)
{
        return args->of[id].count ? args->of[id].number : otherwise;
}
