#include "platform/file.h"
#include "platform/places.h"
#include "support/test.h"

#include <string.h>
#include <windows.h>

static bool has_below(const struct places *places, const char *folder)
{
        for (size_t i = 0; i < places->count; i++)
                if (places_is_below(places->path[i], folder))
                        return true;
        return false;
}

TEST(places, tells_what_is_below_a_folder_as_windows_reads_names)
{
        static const struct { const char *path, *folder; bool is_below; } cases[] = {
                { "C:/Windows/System32/svchost.exe", "C:/Windows", true }, { "c:/WINDOWS/x", "C:\\windows\\", true }, { "C:/Windows", "C:/Windows", true },
                { "C:/Windows.old/x", "C:/Windows", false }, { "D:/Windows/x", "C:/Windows", false }, { "D:/Windows/x", "/Windows", true }, { "C:/Users/Windows/x", "/Windows", false },
                { "C:/\xc3\x84rger/x", "c:/\xc3\xa4RGER", true }, { "C:/W", "C:/Windows", false },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                CHECK(places_is_below(cases[i].path, cases[i].folder) == cases[i].is_below);
        size_t count = 0;
        const char **folders = places_of_platform(&count);
        CHECK(count > 0 && places_is_below("E:/Windows/explorer.exe", folders[0]));
}

TEST(places, finds_the_file_by_whatever_name_it_is_said)
{
        struct places places;
        char folder[64], path[256];
        places_find("C:/windows/./system32/../System32/KERNEL32.dll", &places);
        CHECK(!places.is_hidden && places.count && has_below(&places, "C:/Windows/System32"));
        places_find("\\\\?\\C:\\windows\\system32", &places);
        CHECK(!places.is_hidden && has_below(&places, "/Windows"));
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/x", folder);
        places_find(path, &places);                     /* not there yet */
        CHECK(!places.is_hidden && has_below(&places, folder));
        CHECK(file_write(path, "x", 1, NULL) == OK);
        places_find(path, &places);
        CHECK(!places.is_hidden && has_below(&places, folder) && !has_below(&places, "/Windows"));
        file_remove_tree(folder);
}

TEST(places, does_not_vouch_for_what_has_another_name_or_is_none_of_a_file)
{
        struct places places;
        char folder[64], path[256], other[256];
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/x", folder);
        snprintf(other, sizeof(other), "%s/y", folder);
        CHECK(file_write(path, "x", 1, NULL) == OK && CreateHardLinkA(other, path, NULL));
        places_find(path, &places);
        CHECK(places.is_hidden);
        static const char *const none[] = { "//./PhysicalDrive0", "C:/x:stream", "\\\\server\\share\\x", "Q:/Windows/x" };
        for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
                places_find(none[i], &places);
                CHECK(places.is_hidden);
        }
        file_remove_tree(folder);
}
