#include "format/yaml.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "support/sweep.h"
#include "support/test.h"

#include <string.h>

struct probe { const char *command; int64_t every_s; size_t line; };
struct engine { const char *path; bool is_on; struct yaml_texts args; };
struct config {
        const char *server;
        int64_t bake_s, any;
        bool is_quiet;
        struct yaml_texts roots;
        struct engine engine;
        struct yaml_maps probes;
        struct yaml_pairs patterns, swap;
};

static const struct yaml_key probe_keys[] = {
        { "command", YAML_TEXT, true, offsetof(struct probe, command), 1, 100, NULL },
        { "every_s", YAML_INT, false, offsetof(struct probe, every_s), 1, 60, NULL },
        { NULL, YAML_HERE, false, offsetof(struct probe, line), 0, 0, NULL },
};
static const struct yaml_schema probe_schema = { probe_keys, 3, sizeof(struct probe) };
static const struct yaml_key engine_keys[] = {
        { "path", YAML_TEXT, true, offsetof(struct engine, path), 0, 0, NULL },
        { "is_on", YAML_BOOL, false, offsetof(struct engine, is_on), 0, 0, NULL },
        { "args", YAML_TEXTS, false, offsetof(struct engine, args), 0, 0, NULL },
};
static const struct yaml_schema engine_schema = { engine_keys, 3, sizeof(struct engine) };
static const struct yaml_key config_keys[] = {
        { "server", YAML_TEXT, true, offsetof(struct config, server), 1, 30, NULL },
        { "bake_s", YAML_INT, false, offsetof(struct config, bake_s), 1, 86400, NULL },
        { "any", YAML_INT, false, offsetof(struct config, any), 0, 0, NULL },
        { "is_quiet", YAML_BOOL, false, offsetof(struct config, is_quiet), 0, 0, NULL },
        { "roots", YAML_TEXTS, false, offsetof(struct config, roots), 1, 9, NULL },
        { "engine", YAML_MAP, false, offsetof(struct config, engine), 0, 0, &engine_schema },
        { "probes", YAML_MAPS, false, offsetof(struct config, probes), 0, 9, &probe_schema },
        { "patterns", YAML_LINES, false, offsetof(struct config, patterns), 1, 3, NULL },
        { "swap", YAML_PAIRS, false, offsetof(struct config, swap), 1, 3, NULL },
};
static const struct yaml_schema config_schema = { config_keys, 9, sizeof(struct config) };

static enum err read_text(struct arena *arena, const char *text, struct config *config, struct why *why)
{
        return yaml_read(arena, "agent.yaml", text, strlen(text), &config_schema, config, why);
}

static const char full[] =
        "# a comment\n"
        "server: https://localhost:8443   # another\n"
        "bake_s: 600\n"
        "any: -9223372036854775808\n"
        "is_quiet: true\n"
        "roots: [a, 'b c', \"d\\n\", 1.10]\n"
        "engine:\n"
        "  path: |\n"
        "    two\n"
        "    lines\n"
        "  is_on: false\n"
        "  args:\n"
        "    - --rules\n"
        "    - \"\"\n"
        "probes:\n"
        "  - command: one\n"
        "    every_s: 5\n"
        "  - {command: two}\n"
        "  - command: three\n"
        "  - command: four\n"
        "  - command: five\n";

TEST(yaml_read, fills_nested_structs)
{
        OWN(arena) struct arena *arena = arena_new(LIMIT_YAML_BYTES);
        struct config config = { .engine.is_on = true };
        CHECK(read_text(arena, full, &config, NULL) == OK);
        CHECK(strcmp(config.server, "https://localhost:8443") == 0 && config.bake_s == 600 && config.any == INT64_MIN && config.is_quiet);
        CHECK(config.roots.count == 4 && strcmp(config.roots.items[1], "b c") == 0 && strcmp(config.roots.items[2], "d\n") == 0);
        CHECK(strcmp(config.roots.items[3], "1.10") == 0);
        CHECK(strcmp(config.engine.path, "two\nlines\n") == 0 && !config.engine.is_on);
        CHECK(config.engine.args.count == 2 && config.engine.args.items[1][0] == 0);
        const struct probe *probes = config.probes.items;
        CHECK(config.probes.count == 5 && strcmp(probes[0].command, "one") == 0 && probes[0].every_s == 5);
        CHECK(strcmp(probes[4].command, "five") == 0 && probes[4].every_s == 0);
}

TEST(yaml_read, says_where_things_stand)
{
        static const char text[] = "server: x\npatterns:\n  - one\n\n  - 'two'\nswap:\n  a b: c\n  '.*': ''\nprobes:\n  - command: a\n\n  - command: b\n";
        OWN(arena) struct arena *arena = arena_new(LIMIT_YAML_BYTES);
        struct config config = { 0 };
        CHECK(read_text(arena, text, &config, NULL) == OK);
        const struct yaml_pair *patterns = config.patterns.items, *swap = config.swap.items;
        CHECK(config.patterns.count == 2 && strcmp(patterns[1].text, "two") == 0 && patterns[0].line == 3 && patterns[1].line == 5 && !patterns[1].key);
        CHECK(config.swap.count == 2 && strcmp(swap[0].key, "a b") == 0 && strcmp(swap[0].text, "c") == 0 && swap[0].line == 7);
        CHECK(strcmp(swap[1].key, ".*") == 0 && swap[1].text[0] == 0 && swap[1].line == 8);
        const struct probe *probes = config.probes.items;
        CHECK(probes[0].line == 10 && probes[1].line == 12);
}

TEST(yaml_read, leaves_what_the_file_does_not_have)
{
        OWN(arena) struct arena *arena = arena_new(LIMIT_YAML_BYTES);
        struct config config = { .bake_s = 77, .engine = { .path = "kept", .is_on = true } };
        CHECK(read_text(arena, "server: x\nprobes: []\n", &config, NULL) == OK);
        CHECK(config.bake_s == 77 && config.engine.is_on && strcmp(config.engine.path, "kept") == 0 && config.probes.count == 0);
}

TEST(yaml_read, takes_an_empty_file_as_an_empty_map)
{
        static const char *const empty[] = { "", "\n\n", "# nothing\n", "---\n", "---\n...\n", "{}", "---\n# nothing\n" };
        const struct yaml_schema optional = { config_keys + 1, 8, sizeof(struct config) };
        OWN(arena) struct arena *arena = arena_new(LIMIT_YAML_BYTES);
        for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
                struct config config = { .bake_s = 77 };
                struct why why;
                CHECK(yaml_read(arena, "x", empty[i], strlen(empty[i]), &optional, &config, &why) == OK && config.bake_s == 77);
                CHECK(read_text(arena, empty[i], &config, &why) == ERR_SYNTAX);
                CHECK(strcmp(why.text, "agent.yaml:1: server: missing") == 0);
        }
}

static const struct { const char *text, *complaint; } complaints[] = {
        { "server: x\nbake: 5\n", "agent.yaml:2: unknown key `bake`; did you mean `bake_s`?" },
        { "server: x\nzzzzzz: 5\n", "agent.yaml:2: unknown key `zzzzzz`" },
        { "server: x\n\n\nbake_s: 0\n", "agent.yaml:4: bake_s: not an integer from 1 to 86400" },
        { "server: x\nbake_s: 1.5\n", "agent.yaml:2: bake_s: not an integer from 1 to 86400" },
        { "server: x\nbake_s: \"5\"\n", "agent.yaml:2: bake_s: not an integer from 1 to 86400" },
        { "server: x\nbake_s: 010\n", "agent.yaml:2: bake_s: not an integer from 1 to 86400" },
        { "server: x\nbake_s: +5\n", "agent.yaml:2: bake_s: not an integer from 1 to 86400" },
        { "server: x\nbake_s: 99999999999999999999\n", "agent.yaml:2: bake_s: not an integer from 1 to 86400" },
        { "server: x\nbake_s:\n", "agent.yaml:2: bake_s: not an integer from 1 to 86400" },
        { "server: x\nany: 0x10\n", "agent.yaml:2: any: not an integer" },
        { "server: x\nany: 9223372036854775808\n", "agent.yaml:2: any: not an integer" },
        { "server: x\nany: -\n", "agent.yaml:2: not YAML: " },
        { "server: x\nis_quiet: yes\n", "agent.yaml:2: is_quiet: not true or false" },
        { "server: x\nis_quiet: 'true'\n", "agent.yaml:2: is_quiet: not true or false" },
        { "server:\n", "agent.yaml:1: server: not a text" },
        { "server: ''\n", "agent.yaml:1: server: 0 bytes, not 1 to 30" },
        { "server: 0123456789012345678901234567890\n", "agent.yaml:1: server: 31 bytes, not 1 to 30" },
        { "server: [x]\n", "agent.yaml:1: server: not a text" },
        { "server: x\nroots: a\n", "agent.yaml:2: roots: not a list of texts (- one)" },
        { "server: x\nroots: []\n", "agent.yaml:2: roots: 0 items, not 1 to 9" },
        { "server: x\nroots:\n  - a\n  - {b: c}\n", "agent.yaml:4: roots: not a text" },
        { "server: x\npatterns: {a: b}\n", "agent.yaml:2: patterns: not a list of texts (- one)" },
        { "server: x\npatterns:\n  - a\n  - [b]\n", "agent.yaml:4: patterns: not a text" },
        { "server: x\nswap: [a]\n", "agent.yaml:2: swap: not a map of texts (key: text)" },
        { "server: x\nswap: {}\n", "agent.yaml:2: swap: 0 items, not 1 to 3" },
        { "server: x\nswap:\n  a: b\n  c: d\n  a: e\n", "agent.yaml:5: a: there twice" },
        { "server: x\nswap:\n  a: {b: c}\n", "agent.yaml:3: a: not a text" },
        { "server: x\nswap:\n  [a]: b\n", "agent.yaml:3: swap: a key is missing" },
        { "server: x\nengine: x\n", "agent.yaml:2: engine: not a map (key: value)" },
        { "server: x\nengine:\n  is_on: true\n", "agent.yaml:3: path: missing" },
        { "server: x\nprobes:\n  command: a\n", "agent.yaml:3: probes: not a list of maps (- key: value)" },
        { "server: x\nprobes:\n  - command: a\n  - every_s: 1\n", "agent.yaml:4: command: missing" },
        { "server: x\nprobes:\n  - x\n", "agent.yaml:3: probes: not a list of maps (- key: value)" },
        { "server: x\nserver: y\n", "agent.yaml:2: server: there twice" },
        { "server: &a x\n", "agent.yaml:1: anchors and aliases (&name, *name) are not allowed; write it out" },
        { "server: *a\n", "agent.yaml:1: anchors and aliases (&name, *name) are not allowed; write it out" },
        { "<<: {server: x}\n", "agent.yaml:1: unknown key `<<`" },
        { "server: !!str x\n", "agent.yaml:1: tags (!name) are not allowed" },
        { "!x {server: x}\n", "agent.yaml:1: tags (!name) are not allowed" },
        { "server: \"a\\0b\"\n", "agent.yaml:1: a NUL character is not allowed" },
        { "[server, x]\n", "agent.yaml:1: not a map (key: value)" },
        { "server\n", "agent.yaml:1: not a map (key: value)" },
        { "server: x\n---\nserver: y\n", "agent.yaml:2: a second document; one is enough" },
        { "server: x\n bake_s: 5\n", "agent.yaml:2: not YAML: " },
        { "server: x\n\tbake_s: 5\n", "agent.yaml:2: not YAML: " },
        { "server: \"x\n", "agent.yaml:2: not YAML: " },
        { "? [a]\n: b\n", "agent.yaml:1: a key is missing" },
        { "server: x\n? {a: b}\n", "agent.yaml:2: a key is missing" },
        { "%YAML 3.0\n---\nserver: x\n", "agent.yaml:1: not YAML: " },
        { "server: \xFF\n", "agent.yaml: byte 8: " },
        { "server: a\x01\n", "agent.yaml: byte 9: " },
};

TEST(yaml_read, names_the_line_of_every_complaint)
{
        for (size_t i = 0; i < sizeof(complaints) / sizeof(complaints[0]); i++) {
                OWN(arena) struct arena *arena = arena_new(LIMIT_YAML_BYTES);
                struct config config = { .bake_s = 1 };
                struct why why = { .text = "" };
                enum err e = read_text(arena, complaints[i].text, &config, &why);
                bool is_ours = !strstr(why.text, "not YAML: ") && !strstr(why.text, ": byte ");
                if (e != ERR_SYNTAX || strncmp(why.text, complaints[i].complaint, strlen(complaints[i].complaint)) != 0)
                        fprintf(stderr, "%zu: %s\n", i, e ? why.text : "ok");
                CHECK(e == ERR_SYNTAX && strstr(why.text, complaints[i].complaint) == why.text);
                CHECK(!is_ours || strcmp(why.text, complaints[i].complaint) == 0);      /* the library's words may change */
        }
}

TEST(yaml_read, has_ceilings)
{
        char *large = mem_new(LIMIT_YAML_BYTES + 2, 1);
        CHECK(large);
        memset(large, '\n', LIMIT_YAML_BYTES + 1);
        OWN(arena) struct arena *arena = arena_new(64);
        struct config config = { .bake_s = 1 };
        CHECK(read_text(arena, large, &config, NULL) == ERR_LIMIT);
        mem_free(large);
        OWN(arena) struct arena *roomy = arena_new(LIMIT_YAML_BYTES);
        OWN(buf) struct buf pairs;
        buf_init(&pairs, LIMIT_YAML_BYTES);
        buf_add_text(&pairs, "server: x\nswap:\n");
        for (int i = 0; i <= 1000; i++)
                buf_addf(&pairs, "  a%d: b\n", i);
        CHECK(read_text(roomy, buf_text(&pairs), &config, NULL) == ERR_LIMIT);
        CHECK(read_text(arena, full, &config, NULL) == ERR_NOMEM);
}

TEST(yaml_read, stops_at_deep_nesting_where_no_map_belongs)
{
        enum { DEPTH = 100000 };
        char *deep = mem_new(DEPTH + 1, 1);
        CHECK(deep);
        memset(deep, '[', DEPTH);
        OWN(arena) struct arena *arena = arena_new(LIMIT_YAML_BYTES);
        struct config config = { .bake_s = 1 };
        CHECK(read_text(arena, deep, &config, NULL) == ERR_SYNTAX);
        memset(deep, '{', DEPTH);
        CHECK(read_text(arena, deep, &config, NULL) == ERR_SYNTAX);
        mem_free(deep);
}

TEST(yaml_read, survives_every_allocation_failure_of_ours)
{
        SWEEP_MEMORY {
                OWN(arena) struct arena *arena = arena_new(LIMIT_YAML_BYTES);
                struct config config = { .bake_s = 1 };
                enum err e = arena ? read_text(arena, full, &config, NULL) : ERR_NOMEM;
                CHECK(e == OK || e == ERR_NOMEM);
        }
}
