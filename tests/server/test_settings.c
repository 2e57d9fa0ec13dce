#include "server/settings.h"

#include "platform/file.h"
#include "support/sweep.h"
#include "support/test.h"

#include <string.h>

enum { WORDS = 8 };

/* The words after the program's name; NULL ends them. */
static enum err read_words(struct arena *arena, const char *const words[WORDS], struct settings *settings, struct why *why)
{
        char *argv[WORDS + 1] = { (char[]){ "firebreakd" } };
        int argc = 1;
        for (; argc <= WORDS && words[argc - 1]; argc++)
                argv[argc] = (char *)words[argc - 1];
        return settings_read(arena, argc, argv, settings, why);
}

TEST(settings, has_a_default_for_all_but_the_folders)
{
        OWN(arena) struct arena *arena = arena_new(LIMIT_YAML_BYTES);
        struct settings settings;
        CHECK(read_words(arena, (const char *const[WORDS]){ "--data", "d", "--keys=k" }, &settings, NULL) == OK);
        CHECK(strcmp(settings.data, "d") == 0 && strcmp(settings.keys, "k") == 0 && strcmp(settings.listen, "127.0.0.1:8443") == 0);
        CHECK(settings.pace_ms == 300000 && settings.metadata_s == 3600 && settings.connections == LIMIT_CONNECTIONS && settings.ready_fd == 1);
        CHECK(!settings.plain && !settings.log && strcmp(settings.tenant, "default") == 0);
}

TEST(settings, says_what_is_wrong_with_a_word)
{
        static const struct { const char *words[WORDS], *says; } cases[] = {
                { { NULL }, "--data" },
                { { "--data", "d" }, "firebreak init" },
                { { "--data" }, "needs a value" },
                { { "--data", "", "--keys", "k" }, "is empty" },
                { { "--dat", "d" }, "did you mean `--data`" },
                { { "--keyz=k" }, "did you mean `--keys`" },
                { { "--completely-different" }, "--help" },
                { { "serve" }, "serve" },
                { { "--plain=yes" }, "takes no value" },
                { { "--pace-ms", "99" }, "from 100 to" },
                { { "--pace-ms", "86400001" }, "from 100 to" },
                { { "--pace-ms", "5s" }, "not a number" },
                { { "--pace-ms", "-5" }, "not a number" },
                { { "--pace-ms", " 500" }, "not a number" },
                { { "--pace-ms", "99999999999999999999" }, "not a number" },
                { { "--pace-ms=" }, "not a number" },
                { { "--connections", "7" }, "from 8 to" },
                { { "--ready-fd", "1024" }, "from 0 to" },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(arena) struct arena *arena = arena_new(LIMIT_YAML_BYTES);
                struct settings settings;
                struct why why = { 0 };
                CHECK(read_words(arena, cases[i].words, &settings, &why) == ERR_USAGE);
                if (!strstr(why.text, cases[i].says))
                        printf("# case %zu: %s\n", i, why.text);
                CHECK(strstr(why.text, cases[i].says));
        }
}

struct written { char folder[64], path[80]; };

static void write_config(struct written *written, const char *text)
{
        CHECK(file_temporary(written->folder, NULL) == OK);
        snprintf(written->path, sizeof(written->path), "%s/d.yaml", written->folder);
        CHECK(file_write(written->path, text, strlen(text), NULL) == OK);
}

TEST(settings, takes_the_command_line_before_the_file)
{
        OWN(arena) struct arena *arena = arena_new(LIMIT_YAML_BYTES);
        struct settings settings;
        struct written written;
        write_config(&written, "data: a\nkeys: b\npace_ms: 60000\nplain: true\nlog: info,json\n");
        /* Wherever --config stands. */
        CHECK(read_words(arena, (const char *const[WORDS]){ "--pace-ms", "500", "--config", written.path, "--keys=c" }, &settings, NULL) == OK);
        CHECK(strcmp(settings.data, "a") == 0 && strcmp(settings.keys, "c") == 0 && settings.pace_ms == 500);
        CHECK(settings.plain && strcmp(settings.log, "info,json") == 0 && settings.metadata_s == 3600);
        file_remove_tree(written.folder);
}

TEST(settings, names_the_line_of_a_mistake_in_the_file)
{
        static const struct { const char *text, *says; } cases[] = {
                { "data: a\npace-ms: 500\n", "d.yaml:2" },
                { "data: a\nkeys: b\npace_ms: 5\n", "d.yaml:3" },
                { "data: a\npace_ms: fast\n", "d.yaml:2" },
                { "plain: 1\n", "d.yaml:1" },
                { "data: [a]\n", "d.yaml:1" },
                { "data: a\ndata: b\n", "d.yaml:2" },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                OWN(arena) struct arena *arena = arena_new(LIMIT_YAML_BYTES);
                struct settings settings;
                struct written written;
                struct why why = { 0 };
                write_config(&written, cases[i].text);
                CHECK(read_words(arena, (const char *const[WORDS]){ "--config", written.path }, &settings, &why) == ERR_SYNTAX);
                CHECK(strstr(why.text, cases[i].says));
                file_remove_tree(written.folder);
        }
}

TEST(settings, says_that_the_file_is_not_there)
{
        OWN(arena) struct arena *arena = arena_new(LIMIT_YAML_BYTES);
        struct settings settings;
        struct why why = { 0 };
        CHECK(read_words(arena, (const char *const[WORDS]){ "--config", "/no/such/file.yaml" }, &settings, &why) == ERR_NOT_FOUND);
        CHECK(strstr(why.text, "--config") && strstr(why.text, "/no/such/file.yaml"));
        CHECK(read_words(arena, (const char *const[WORDS]){ "--config", "/" }, &settings, &why) == ERR_REFUSED && strstr(why.text, "a folder, not a file"));
}

TEST(settings, asked_for_help_looks_at_nothing_else)
{
        OWN(arena) struct arena *arena = arena_new(LIMIT_YAML_BYTES);
        struct settings settings;
        CHECK(read_words(arena, (const char *const[WORDS]){ "--nonsense", "--help" }, &settings, NULL) == OK && settings.wants_help);
        CHECK(read_words(arena, (const char *const[WORDS]){ "--version" }, &settings, NULL) == OK && settings.wants_version);
}

TEST(settings, survives_a_lack_of_memory)
{
        struct written written;
        write_config(&written, "data: a\nkeys: b\ntenant: \"acme\"\n");
        SWEEP_MEMORY {
                struct settings settings;
                OWN(arena) struct arena *arena = arena_new(LIMIT_YAML_BYTES);
                enum err e = arena ? read_words(arena, (const char *const[WORDS]){ "--config", written.path }, &settings, NULL) : ERR_NOMEM;
                CHECK(e == OK || e == ERR_NOMEM);
        }
        file_remove_tree(written.folder);
}
