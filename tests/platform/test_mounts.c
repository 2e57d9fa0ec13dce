#include "platform/mounts.h"
#include "support/test.h"

#include <string.h>

static const char table[] =
        "43 42 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
        "44 43 254:1 / /srv rw - ext4 /dev/vdb rw\n"
        "45 43 254:0 / /mnt/all rw shared:1 - ext4 /dev/vda rw\n"
        "46 43 254:0 /usr/bin /mnt/a\\040b rw - ext4 /dev/vda rw\n"
        "47 43 254:0 /usr/bin/ls /mnt/list rw - ext4 /dev/vda rw\n"
        "48 43 254:1 /x /mnt/x rw - ext4 /dev/vdb rw\n"
        "49 43 0:7 /@ /tree rw - btrfs /dev/vdc rw\n"
        "50 43 0:7 / /pool rw - btrfs /dev/vdc rw\n"
        "\n51 43\nnonsense\n"
        "52 43 254:0 /usr/b /mnt/b rw - ext4 /dev/vda rw\n"
        "53 48 0:9 / /mnt/x rw - tmpfs none rw\n";

static char said[1024];

static enum err hear(void *user, const char *path, struct why *why)
{
        (void)user;
        (void)why;
        snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s|", path);
        return OK;
}

static bool has(const char *path, const char *names)
{
        said[0] = 0;
        CHECK(mounts_places(table, path, hear, NULL, NULL) == OK);
        return strcmp(said, names) == 0;
}

TEST(mounts, name_a_file_at_each_place_of_its_file_system)
{
        CHECK(has("/usr/bin/ls", "/mnt/all/usr/bin/ls|/mnt/a b/ls|/mnt/list|"));
        CHECK(has("/mnt/a b/ls", "/usr/bin/ls|/mnt/all/usr/bin/ls|/mnt/list|") && has("/mnt/list", "/usr/bin/ls|/mnt/all/usr/bin/ls|/mnt/a b/ls|"));
        CHECK(has("/mnt/all", "/|") && has("/", "/mnt/all|") && has("/mnt/all/home/x", "/home/x|"));
        CHECK(has("/pool/@/usr/bin/ls", "/tree/usr/bin/ls|") && has("/pool/@", "/tree|") && has("/tree", "/pool/@|"));
}

TEST(mounts, look_at_the_one_that_hides_the_others)
{
        CHECK(has("/srv/x/y", "/mnt/x/y|") && has("/mnt/x/y", "") && has("/srvx", "/mnt/all/srvx|"));
}

TEST(mounts, are_none_in_a_table_that_is_none)
{
        static const char *const tables[] = { "", "\n", "1 2 3", "43 42 254:0 / / rw", "43 42 254:0 \\04 \\9 rw\n" };
        said[0] = 0;
        for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
                CHECK(mounts_places(tables[i], "/usr/bin/ls", hear, NULL, NULL) == OK);
        CHECK(!said[0] && mounts_names("/no/such/file", hear, NULL, NULL) == OK && !said[0]);
}
