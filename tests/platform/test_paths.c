#include "platform/paths.h"

#include "platform/file.h"
#include "support/test.h"

#include <string.h>
#include <unistd.h>

struct seen { int count; char last[PATH_MAX]; };

static enum err see(void *user, const char *path, struct why *why)
{
        struct seen *seen = user;
        seen->count++;
        snprintf(seen->last, sizeof(seen->last), "%s", path);
        return strstr(path, "stop") ? FAIL(why, ERR_REFUSED, "stopped at %s", path) : OK;
}

TEST(paths_like, shows_each_path_in_order_and_stops_when_told)
{
        char folder[64], path[128];
        struct seen seen = { 0 };
        CHECK(file_temporary(folder, NULL) == OK);
        const char *const names[] = { "b.1", "a.1", "c.2" };
        for (int i = 0; i < 3; i++) {
                snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
                CHECK(file_write(path, "x", 1, NULL) == OK);
        }
        snprintf(path, sizeof(path), "%s/*.1", folder);
        CHECK(paths_like(path, see, &seen, NULL) == OK && seen.count == 2 && strstr(seen.last, "/b.1"));
        snprintf(path, sizeof(path), "%s/none*", folder);
        CHECK(paths_like(path, see, &seen, NULL) == OK && seen.count == 2);
        snprintf(path, sizeof(path), "%s/stop", folder);
        CHECK(file_write(path, "x", 1, NULL) == OK);
        CHECK(paths_like(path, see, &seen, NULL) == ERR_REFUSED);
        file_remove_tree(folder);
}

TEST(paths_real, resolves_links_and_tells_what_is_not_there)
{
        char folder[64], path[128], real[PATH_MAX];
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/link", folder);
        CHECK(symlink("/usr/bin", path) == 0);
        CHECK(paths_real(path, real, NULL) == OK && strcmp(real, "/usr/bin") == 0);
        snprintf(path, sizeof(path), "%s/none", folder);
        CHECK(paths_real(path, real, NULL) == ERR_NOT_FOUND);
        file_remove_tree(folder);
        CHECK(paths_own_folder(real, NULL) == OK && strstr(real, "tests"));
}

TEST(paths, are_absolute_from_the_root_on)
{
        CHECK(paths_is_absolute("/") && paths_is_absolute("/x") && !paths_is_absolute("") && !paths_is_absolute("x/y") && !paths_is_absolute("C:/x"));
}
