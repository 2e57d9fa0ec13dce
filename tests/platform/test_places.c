/* What platform_file's tests do not reach: those are of a whole machine with links and mounts (tests/agent/test_platform_file.c). */
#include "platform/file.h"
#include "platform/places.h"
#include "support/test.h"

#include <string.h>
#include <unistd.h>

static bool has(const struct places *places, const char *path)
{
        for (size_t i = 0; i < places->count; i++)
                if (strcmp(places->path[i], path) == 0)
                        return true;
        return false;
}

TEST(places, tells_what_is_below_a_folder)
{
        static const struct { const char *path, *folder; bool is_below; } cases[] = {
                { "/usr/bin/ls", "/usr", true }, { "/usr", "/usr/", true }, { "/usrlocal/x", "/usr", false }, { "/x", "/", true }, { "/Usr/x", "/usr", false }, { "/us", "/usr", false },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                CHECK(places_is_below(cases[i].path, cases[i].folder) == cases[i].is_below);
        size_t count = 0;
        const char **folders = places_of_platform(&count);
        CHECK(count > 0 && places_is_below("/usr/bin/ls", folders[0]));
}

TEST(places, finds_each_name_once_also_of_what_is_not_there)
{
        static struct places places;
        char folder[64], path[128], link[128];
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/x", folder);
        snprintf(link, sizeof(link), "%s/link", folder);
        CHECK(file_write(path, "x", 1, NULL) == OK && symlink("x", link) == 0);
        places_find(link, &places);
        CHECK(!places.is_hidden && has(&places, link) && has(&places, path));
        snprintf(link, sizeof(link), "%s//./gone/", folder);
        snprintf(path, sizeof(path), "%s/gone", folder);
        places_find(link, &places);
        CHECK(!places.is_hidden && has(&places, path));
        file_remove_tree(folder);
}
