#include "agent/packages.h"
#include "base/buf.h"
#include "platform/file.h"
#include "support/test.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

static char said[8192];

/* `path` or `path=md5`, a blank after each. */
static enum err hear(void *user, const char *path, const uint8_t *md5, struct why *why)
{
        (void)user;
        (void)why;
        size_t length = strlen(said);
        length += (size_t)snprintf(said + length, sizeof(said) - length, "%s", path);
        for (int i = 0; md5 && i < 16; i++)
                length += (size_t)snprintf(said + length, sizeof(said) - length, "%s%02x", i ? "" : "=", md5[i]);
        snprintf(said + length, sizeof(said) - length, " ");
        return OK;
}

static bool lists(const char *text, const char *expected)
{
        said[0] = 0;
        CHECK(packages_list(&(struct packages_file){ text, strlen(text), "one", NULL }, hear, NULL, NULL) == OK);
        return strcmp(said, expected) == 0;
}

static bool sums(const char *text, const char *expected)
{
        said[0] = 0;
        CHECK(packages_sums(&(struct packages_file){ text, strlen(text), "one", NULL }, hear, NULL, NULL) == OK);
        return strcmp(said, expected) == 0;
}

#define MD5 "00112233445566778899aabbccddeeff"

TEST(packages, reads_paths_and_passes_over_what_is_none)
{
        CHECK(lists("/.\n/usr\n/usr/bin/a b\nrelative\n\n/\n/end", "/. /usr /usr/bin/a b /end "));
        CHECK(lists("", "") && lists("\n\n", ""));
        char text[9000];
        memset(text, 'x', sizeof(text));
        memcpy(text, "/", 1);
        snprintf(text + 8000, 100, "\n/short\n");
        CHECK(lists(text, "/short "));
}

TEST(packages, reads_digests_as_md5sum_writes_them)
{
        CHECK(sums(MD5 "  usr/bin/a\n" MD5 " *usr/bin/b c\n" MD5 "  ./opt/d\n", "/usr/bin/a=" MD5 " /usr/bin/b c=" MD5 " /opt/d=" MD5 " "));
        CHECK(sums("zz112233445566778899aabbccddeeff  x\n" MD5 "\n" MD5 " \n" MD5 "  \n0011  x\n" MD5 "xx y\n", ""));
}

TEST(packages, lead_to_where_another_package_had_the_file_moved)
{
        char text[] = "/bin/a\n/bin/a.real\nother\n/bin/b\n/bin/b.real\none\n/bin/c\n/bin/c.real\n:\n/bin/d\n/bin/d.real\ncut";
        struct packages_diversions *diversions = NULL;
        CHECK(packages_diversions_new(text, strlen(text), &diversions, NULL) == OK);
        const char list[] = "/bin/a\n/bin/b\n/bin/c\n/bin/d\n";
        said[0] = 0;
        CHECK(packages_list(&(struct packages_file){ list, sizeof(list) - 1, "one", diversions }, hear, NULL, NULL) == OK);
        CHECK(strcmp(said, "/bin/a.real /bin/b /bin/c.real /bin/d ") == 0);
        packages_diversions_free(diversions);
}

static void put(const char *folder, const char *name, const char *text)
{
        char path[256];
        snprintf(path, sizeof(path), "%s/%s", folder, name);
        CHECK(file_write(path, text, strlen(text), NULL) == OK);
}

TEST(packages, reads_a_database_and_marks_its_changes)
{
        char folder[64], path[256];
        CHECK(file_temporary(folder, NULL) == OK);
        CHECK(packages_each(folder, hear, NULL, NULL) == ERR_NOT_FOUND && packages_mark(folder) == 0);
        snprintf(path, sizeof(path), "%s/info", folder);
        CHECK(mkdir(path, 0700) == 0 && packages_each(folder, hear, NULL, NULL) == ERR_NOT_FOUND);
        put(folder, "info/lib:amd64.list", "/lib/x\n/etc/x\n");
        put(folder, "info/lib:amd64.md5sums", MD5 "  lib/x\n");
        put(folder, "diversions", "/lib/x\n/lib/x.lib\nlib\n/etc/x\n/etc/x.old\nother\n");
        uint64_t mark = packages_mark(folder);
        said[0] = 0;
        CHECK(mark && packages_each(folder, hear, NULL, NULL) == OK && strcmp(said, "/lib/x /etc/x.old /lib/x=" MD5 " ") == 0);
        struct timespec pause = { 0, 20000000 };
        nanosleep(&pause, NULL);
        put(folder, "info/new.list", "/new\n");
        CHECK(packages_mark(folder) != mark);
        file_remove_tree(folder);
}
