#include "cli/settings.h"

#include "base/limits.h"
#include "format/yaml.h"
#include "platform/file.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct {
        enum option_id option;
        const char *variable;
        size_t offset;
} sources[] = {
        { OPTION_SERVER, "FIREBREAK_SERVER", offsetof(struct settings, server) },
        { OPTION_KEY_FILE, "FIREBREAK_KEY_FILE", offsetof(struct settings, key_file) },
        { OPTION_CA, "FIREBREAK_CA", offsetof(struct settings, ca) },
};

static const struct yaml_key file_keys[] = {
        { "server", YAML_TEXT, false, offsetof(struct settings, server), 8, 1024, NULL },
        { "key_file", YAML_TEXT, false, offsetof(struct settings, key_file), 1, 4095, NULL },
        { "ca", YAML_TEXT, false, offsetof(struct settings, ca), 1, 4095, NULL },
};
static const struct yaml_schema file_schema = { file_keys, sizeof(file_keys) / sizeof(file_keys[0]), sizeof(struct settings) };

static enum err read_file(struct arena *arena, struct settings *settings, struct why *why)
{
        char path[4096];
        const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
        if (base && base[0] == '/')
                snprintf(path, sizeof(path), "%s/firebreak/cli.yaml", base);
        else
                snprintf(path, sizeof(path), "%s/.config/firebreak/cli.yaml", home ? home : "");
        if (file_kind(path) == FILE_ABSENT)
                return OK;
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_YAML_BYTES);
        enum err e = file_read(path, &text, why);
        return e ? e : yaml_read(arena, path, buf_text(&text), text.length, &file_schema, settings, why);
}

enum err settings_read(const struct args *args, struct arena *arena, struct settings *ret_settings, struct why *why)
{
        struct settings found = { 0 };
        enum err e = read_file(arena, &found, why);
        if (e)
                return e;
        for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
                const char **into = (const char **)(void *)((char *)&found + sources[i].offset);
                const char *variable = getenv(sources[i].variable);
                if (arg_has(args, sources[i].option))
                        *into = arg_text(args, sources[i].option, NULL);
                else if (variable && variable[0])
                        *into = variable;
        }
        *ret_settings = found;
        return OK;
}
