#include "server/settings.h"

#include "format/near.h"
#include "format/yaml.h"
#include "platform/file.h"

#include <stddef.h>
#include <string.h>

static const struct setting {
        const char *option, *argument, *text;
        enum yaml_type type;
        size_t offset;
        int64_t least, most;
} table[] = {
#define SETTING(field, option, argument, type, otherwise, least, most, text) \
        { option, argument, text, YAML_##type, offsetof(struct settings, field), least, most },
#include "server/settings.def"
#undef SETTING
};
enum { SETTINGS = sizeof(table) / sizeof(table[0]) };

static const struct yaml_key keys[] = {
#define SETTING(field, option, argument, type, otherwise, least, most, text) \
        { #field, YAML_##type, false, offsetof(struct settings, field), least, most, NULL },
#include "server/settings.def"
#undef SETTING
};
static const struct yaml_schema schema = { keys, SETTINGS, sizeof(struct settings) };

static const struct settings otherwise = {
#define SETTING(field, option, argument, type, value, least, most, text) .field = value,
#include "server/settings.def"
#undef SETTING
};

/* "--data" or "--data=" at the start of a word; what follows the name, or NULL. */
static const char *match(const char *word, const char *option)
{
        size_t length = strlen(option);
        if (strncmp(word, "--", 2) != 0 || strncmp(word + 2, option, length) != 0)
                return NULL;
        word += 2 + length;
        return *word == 0 || *word == '=' ? word : NULL;
}

static const struct setting *find(const char *word)
{
        for (size_t i = 0; i < SETTINGS; i++)
                if (match(word, table[i].option))
                        return &table[i];
        return NULL;
}

static enum err unknown(const char *word, struct why *why)
{
        char name[64];
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(word, "="), word);
        struct near near = { .word = name };
        char options[SETTINGS + 3][32];
        for (size_t i = 0; i < SETTINGS; i++)
                snprintf(options[i], sizeof(options[i]), "--%s", table[i].option);
        snprintf(options[SETTINGS], sizeof(options[0]), "--config");
        snprintf(options[SETTINGS + 1], sizeof(options[0]), "--version");
        snprintf(options[SETTINGS + 2], sizeof(options[0]), "--help");
        for (size_t i = 0; i < SETTINGS + 3; i++)
                near_consider(&near, options[i]);
        if (near.best)
                return FAIL(why, ERR_USAGE, "unknown option `%s`; did you mean `%s`?", name, near.best);
        return FAIL(why, ERR_USAGE, "unknown option `%s`; firebreakd --help lists them", name);
}

static enum err set_number(const struct setting *setting, const char *text, struct settings *into, struct why *why)
{
        char *end = NULL;
        long long number = *text >= '0' && *text <= '9' && strlen(text) <= 15 ? strtoll(text, &end, 10) : -1;
        if (!end || *end || number < setting->least || number > setting->most)
                return FAIL(why, ERR_USAGE, "--%s: not a number from %lld to %lld", setting->option, (long long)setting->least, (long long)setting->most);
        *(int64_t *)((char *)into + setting->offset) = number;
        return OK;
}

static enum err set(const struct setting *setting, const char *text, struct settings *into, struct why *why)
{
        char *field = (char *)into + setting->offset;
        if (setting->type == YAML_BOOL)
                *(bool *)field = true;
        if (setting->type == YAML_INT)
                return set_number(setting, text, into, why);
        if (setting->type != YAML_TEXT)
                return OK;
        size_t length = strlen(text);
        if (length < (size_t)setting->least || length > (size_t)setting->most)
                return FAIL(why, ERR_USAGE, "--%s: %s", setting->option, length ? "too long" : "is empty");
        *(const char **)field = text;
        return OK;
}

/* The value of the option at argv[*at], which may be the next word; NULL: there is none. */
static const char *value_of(int argc, char **argv, int *at, const char *rest)
{
        if (*rest == '=')
                return rest + 1;
        return *at + 1 < argc ? argv[++*at] : NULL;
}

static enum err read_option(int argc, char **argv, int *at, struct settings *into, struct why *why)
{
        const char *word = argv[*at], *rest = match(word, "config");
        const struct setting *setting = rest ? NULL : find(word);
        if (!rest && !setting)
                return unknown(word, why);
        if (setting)
                rest = match(word, setting->option);
        if (setting && !setting->argument)
                return *rest ? FAIL(why, ERR_USAGE, "--%s takes no value", setting->option) : set(setting, "", into, why);
        const char *value = value_of(argc, argv, at, rest);
        if (!value)
                return FAIL(why, ERR_USAGE, "%s needs a value", word);
        return setting ? set(setting, value, into, why) : OK;
}

static enum err read_file(struct arena *arena, const char *path, struct settings *into, struct why *why)
{
        OWN(buf) struct buf file;
        buf_init(&file, LIMIT_YAML_BYTES);
        enum err e = file_check_regular(path, why);
        if (!e)
                e = file_read(path, &file, why);
        if (e)
                return DURING(why, e, "--config");
        return yaml_read(arena, path, buf_text(&file), file.length, &schema, into, why);
}

/* The file that --config names, first, so that the other words go before it. */
static enum err read_config(struct arena *arena, int argc, char **argv, struct settings *into, struct why *why)
{
        for (int at = 1; at < argc; at++) {
                const char *rest = match(argv[at], "config");
                const char *path = rest ? value_of(argc, argv, &at, rest) : NULL;
                enum err e = path ? read_file(arena, path, into, why) : OK;
                if (e)
                        return e;
        }
        return OK;
}

enum err settings_read(struct arena *arena, int argc, char **argv, struct settings *ret_settings, struct why *why)
{
        struct settings settings = otherwise;
        for (int at = 1; at < argc; at++) {
                settings.wants_help |= strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0;
                settings.wants_version |= strcmp(argv[at], "--version") == 0;
        }
        enum err e = OK;
        if (!settings.wants_help && !settings.wants_version) {
                e = read_config(arena, argc, argv, &settings, why);
                for (int at = 1; at < argc && !e; at++)
                        e = read_option(argc, argv, &at, &settings, why);
                if (!e && !settings.data)
                        e = FAIL(why, ERR_USAGE, "say where to keep the data: --data DIR");
                if (!e && !settings.keys)
                        e = FAIL(why, ERR_USAGE, "give the online keys: --keys DIR, the folder online/ that `firebreak init` made");
        }
        if (!e)
                *ret_settings = settings;
        return e;
}

void settings_help(FILE *to)
{
        fprintf(to, "firebreakd - hand out releases to devices, and stop a bad one within its budget\n\n"
                    "usage: firebreakd --data DIR --keys DIR [--listen ADDRESS] [OPTION...]\n\n");
        for (size_t i = 0; i < SETTINGS; i++) {
                char option[32];
                snprintf(option, sizeof(option), "--%s %s", table[i].option, table[i].argument ? table[i].argument : "");
                fprintf(to, "  %-18s %s\n", option, table[i].text);
        }
        fprintf(to, "  %-18s %s\n", "--config FILE", "All of these from FILE as well, as YAML (pace_ms: 60000); the command line goes before it.");
        fprintf(to, "  %-18s %s\n  %-18s %s\n\n", "--help", "This.", "--version", "The version.");
        fprintf(to, "At first start DIR gets a certificate (tls/cert.pem), the operators' key (admin.key) and the server's\n"
                    "secret. SIGTERM ends it after what was begun. See firebreakd(8).\n");
}
