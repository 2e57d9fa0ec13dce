/* Whatever the bytes: a struct or a complaint that names the file. */
#include "base/limits.h"
#include "format/yaml.h"

#include <assert.h>
#include <string.h>

struct probe { const char *command; int64_t every_s; size_t line; };
struct config { const char *server; int64_t bake_s; bool is_quiet; struct yaml_texts roots; struct probe probe; struct yaml_maps probes; struct yaml_pairs patterns, swap; };

static const struct yaml_key probe_keys[] = {
        { "command", YAML_TEXT, true, offsetof(struct probe, command), 1, 100, NULL },
        { "every_s", YAML_INT, false, offsetof(struct probe, every_s), 1, 60, NULL },
        { NULL, YAML_HERE, false, offsetof(struct probe, line), 0, 0, NULL },
};
static const struct yaml_schema probe_schema = { probe_keys, 3, sizeof(struct probe) };
static const struct yaml_key config_keys[] = {
        { "server", YAML_TEXT, false, offsetof(struct config, server), 1, 30, NULL },
        { "bake_s", YAML_INT, false, offsetof(struct config, bake_s), 0, 0, NULL },
        { "is_quiet", YAML_BOOL, false, offsetof(struct config, is_quiet), 0, 0, NULL },
        { "roots", YAML_TEXTS, false, offsetof(struct config, roots), 0, 9, NULL },
        { "probe", YAML_MAP, false, offsetof(struct config, probe), 0, 0, &probe_schema },
        { "probes", YAML_MAPS, false, offsetof(struct config, probes), 0, 9, &probe_schema },
        { "patterns", YAML_LINES, false, offsetof(struct config, patterns), 0, 9, NULL },
        { "swap", YAML_PAIRS, false, offsetof(struct config, swap), 0, 9, NULL },
};
static const struct yaml_schema config_schema = { config_keys, 8, sizeof(struct config) };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        OWN(arena) struct arena *arena = arena_new(LIMIT_YAML_BYTES);
        struct config config = { .bake_s = 1 };
        struct why why = { .err = OK };
        if (arena && yaml_read(arena, "fuzz", (const char *)bytes, length, &config_schema, &config, &why))
                assert(why.err && strncmp(why.text, "fuzz:", 5) == 0);
        return 0;
}
