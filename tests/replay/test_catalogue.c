#include "replay/catalogue.h"

#include "replay/scenario.h"
#include "support/test.h"

#include <dirent.h>
#include <string.h>

TEST(catalogue, is_sorted_by_names_that_are_all_different)
{
        CHECK(catalogue_count() > 0);
        for (size_t i = 1; i < catalogue_count(); i++)
                CHECK(strcmp(catalogue_at(i - 1)->name, catalogue_at(i)->name) < 0);
}

TEST(catalogue, finds_july_19_and_nothing_that_is_not_there)
{
        CHECK(catalogue_find("july-19") && strcmp(catalogue_find("july-19")->name, "july-19") == 0);
        CHECK(!catalogue_find("july-20") && !catalogue_find("") && !catalogue_find("july-19.yaml"));
}

TEST(catalogue, holds_every_file_of_the_folder)
{
        DIR *folder = opendir(SCENARIOS);
        CHECK(folder);
        size_t found = 0;
        for (struct dirent *entry; (entry = readdir(folder));) {
                char *dot = strrchr(entry->d_name, '.');
                if (!dot || strcmp(dot, ".yaml") != 0)
                        continue;
                *dot = 0;
                if (!catalogue_find(entry->d_name))
                        fprintf(stderr, "%s: not in content/scenarios/meson.build\n", entry->d_name);
                CHECK(catalogue_find(entry->d_name));
                found++;
        }
        closedir(folder);
        CHECK(found == catalogue_count());
}

TEST(catalogue, scenarios_all_read_and_say_where_they_come_from)
{
        for (size_t i = 0; i < catalogue_count(); i++) {
                const struct catalogue_entry *entry = catalogue_at(i);
                OWN(arena) struct arena *arena = arena_new(LIMIT_YAML_BYTES);
                struct scenario scenario;
                struct why why = { .text = "" };
                enum err e = scenario_read(arena, entry->name, entry->bytes, entry->length, &scenario, &why);
                if (e)
                        fprintf(stderr, "%s\n", why.text);
                CHECK(e == OK && strcmp(scenario.name, entry->name) == 0);
                CHECK(*scenario.title && *scenario.class && *scenario.source && *scenario.guessed);
                bool is_harmless = strcmp(scenario.class, "good") == 0 || strcmp(scenario.class, "telemetry dark") == 0;
                CHECK(is_harmless == (scenario.faults.count == 0));
        }
}
