/* Which names lead to one of the platform's files: over a made-up machine with links, and this one's package database. */
#include "agent/packages.h"
#include "agent/platform_file.h"
#include "agent/platform_index.h"
#include "platform/child.h"
#include "platform/disk_folder.h"
#include "platform/file.h"
#include "support/test.h"

#include <fcntl.h>
#include <string.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUM_OF_HELLO "b1946ac92492d2347c6235b4d2611184"          /* "hello\n" */

static char root[64];
static struct owners *owners;

static const char *at(const char *name)
{
        static char paths[8][256];
        static int turn;
        char *path = paths[turn = (turn + 1) % 8];
        snprintf(path, sizeof(paths[0]), "%s/%s", root, name);
        return path;
}

static void put(const char *name, const char *text)
{
        CHECK(file_write(at(name), text, strlen(text), NULL) == OK);
}

/* usr/bin/ls as its package brought it, usr/bin/ssh not, a configuration file, an owned link; bin is a link to usr/bin. */
static void machine(void)
{
        OWN(disk_folder) struct disk *disk = NULL;
        static const char *const folders[] = { "usr", "usr/bin", "etc", "db", "db/info", "state", "state/streams", "home" };
        char text[1024];
        size_t count = 0;
        CHECK(file_temporary(root, NULL) == OK);
        for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
                CHECK(mkdir(at(folders[i]), 0755) == 0);
        put("usr/bin/ls", "hello\n");
        put("usr/bin/ssh", "trojan\n");
        put("etc/conf", "edited\n");
        put("home/x", "mine\n");
        put("usr/bin/mine", "mine\n");
        CHECK(symlink("usr/bin", at("bin")) == 0 && symlink("ls", at("usr/bin/dir")) == 0 && symlink("../bin/ls", at("home/list")) == 0);
        CHECK(symlink("../usr", at("home/u")) == 0 && symlink("loop", at("home/loop")) == 0);
        snprintf(text, sizeof(text), "%s/bin\n%s/bin/ls\n%s/bin/ssh\n%s/bin/dir\n%s/etc/conf\n%s/gone\n", root, root, root, root, root, root);
        put("db/info/p.list", text);
        snprintf(text, sizeof(text), SUM_OF_HELLO "  %s/bin/ls\n" SUM_OF_HELLO "  %s/bin/ssh\n" SUM_OF_HELLO "  %s/gone\n", root + 1, root + 1, root + 1);
        put("db/info/p.md5sums", text);
        CHECK(disk_folder_open(at("state"), &disk, NULL) == OK);
        CHECK(platform_index_make(&(struct platform_index){ at("db"), disk, "streams/platform-files" }, &count, NULL) == OK && count > 6);
        CHECK(owners_open(at("state/streams/platform-files"), &owners, NULL) == OK);
}

static enum breaker_file ask(const char *name, bool has_owners, bool is_stale)
{
        const char *const protect[] = { at("usr/"), at("bin") }, *const own[] = { at("state"), at("etc/agent.yaml") };
        const struct platform platform = { has_owners ? owners : NULL, is_stale ? at("none") : at("db"), protect, 2, own, 2 };
        return platform_file(&platform, at(name));
}

static enum breaker_file of(const char *name)
{
        return ask(name, true, false);
}

static int keep_locked(void *user)
{
        struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        int file = open(at("db/lock"), O_RDWR | O_CLOEXEC);
        (void)user;
        return file < 0 || fcntl(file, F_SETLK, &all) || pause();
}

static void end(void)
{
        owners_close(owners);
        owners = NULL;
        file_remove_tree(root);
}

TEST(platform_file, is_the_platforms_under_each_of_its_names)
{
        machine();
        const char *const names[] = { "bin/ls", "usr/bin/ls", "usr//bin/./ls", "usr/bin/ls/", "home/../bin/ls", "home/u/bin/ls", "home/list", "bin/dir", "usr/bin/dir", "etc/conf", "bin", "usr/bin/../bin/ls" };
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                CHECK(of(names[i]) == BREAKER_PLATFORM);
        end();
}

TEST(platform_file, is_ordinary_where_its_content_is_not_the_packages)
{
        machine();
        CHECK(of("bin/ssh") == BREAKER_ORDINARY && of("usr/bin/ssh") == BREAKER_ORDINARY && of("usr/bin/mine") == BREAKER_ORDINARY && of("home/x") == BREAKER_ORDINARY);
        CHECK(of("home/absent") == BREAKER_ORDINARY && of("gone") == BREAKER_ORDINARY);
        put("usr/bin/ls", "hello!\n");
        CHECK(of("bin/ls") == BREAKER_ORDINARY && of("home/list") == BREAKER_ORDINARY);
        CHECK(unlink(at("usr/bin/ls")) == 0 && symlink("/home/x", at("usr/bin/ls")) == 0 && of("bin/ls") == BREAKER_ORDINARY);
        CHECK(unlink(at("usr/bin/ls")) == 0 && mkfifo(at("usr/bin/ls"), 0600) == 0 && of("bin/ls") == BREAKER_ORDINARY);
        end();
}

TEST(platform_file, too_large_to_be_read_counts_as_unchanged)
{
        machine();
        CHECK(truncate(at("usr/bin/ssh"), LIMIT_BREAKER_FILE_BYTES + 1ll) == 0 && of("bin/ssh") == BREAKER_PLATFORM);
        end();
}

/* As to an agent that is not root, of another's file. */
TEST(platform_file, that_it_may_not_read_counts_as_unchanged)
{
        machine();
        bool is_root = geteuid() == 0;
        CHECK(chmod(root, 0755) == 0 && chmod(at("usr/bin/ssh"), 0) == 0 && chmod(at("state"), 0755) == 0);
        CHECK(!is_root || seteuid(65534) == 0);
        enum breaker_file file = of("bin/ssh");
        CHECK(!is_root || seteuid(0) == 0);
        CHECK(file == BREAKER_PLATFORM);
        end();
}

TEST(platform_file, is_the_agents_own_in_its_folder_and_above_it)
{
        machine();
        CHECK(of("state/streams/x") == BREAKER_OWN && of("state") == BREAKER_OWN && of("") == BREAKER_OWN && of("home/../state/slots") == BREAKER_OWN && of("statement") == BREAKER_ORDINARY);
        CHECK(of("etc/agent.yaml") == BREAKER_OWN && of("home/../etc/agent.yaml") == BREAKER_OWN && of("etc") == BREAKER_OWN && of("etc/agent.yaml.old") == BREAKER_ORDINARY);
        end();
}

TEST(platform_file, is_not_known_in_the_folders_to_protect_while_there_is_no_fresh_list)
{
        machine();
        CHECK(ask("usr/bin/mine", false, true) == BREAKER_UNKNOWN && ask("bin/ls", false, true) == BREAKER_UNKNOWN && ask("home/x", false, true) == BREAKER_ORDINARY);
        CHECK(ask("home/list", false, true) == BREAKER_UNKNOWN && ask("usrx", false, true) == BREAKER_ORDINARY && ask("usr", false, true) == BREAKER_UNKNOWN);
        CHECK(ask("usr/bin/mine", true, true) == BREAKER_UNKNOWN && ask("bin/ls", true, true) == BREAKER_PLATFORM && ask("bin/ssh", true, true) == BREAKER_UNKNOWN);
        CHECK(of("home/loop/x") == BREAKER_UNKNOWN);
        end();
}

/* As it was installed, and before it is configured, nobody edits what dpkg(1) itself is made of. */
/* In a mount namespace of its own: 0, or which of them was taken for something else. 99: we may not mount. */
static int look_where_it_is_mounted(void *user)
{
        static const char *const theirs[] = { "home/b/ls", "home/r/usr/bin/ls", "home/r/bin/ls", "home/r/etc/conf" };
        (void)user;
        if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount(at("usr/bin"), at("home/b"), NULL, MS_BIND, NULL)
            || mount(root, at("home/r"), NULL, MS_BIND, NULL))
                return 99;
        for (int i = 0; i < 4; i++)
                if (of(theirs[i]) != BREAKER_PLATFORM)
                        return i + 1;
        return of("home/b/mine") != BREAKER_ORDINARY ? 5 : of("home/r/home/x") != BREAKER_ORDINARY ? 6 : of("home/r/state/streams") != BREAKER_OWN ? 7 : 0;
}

TEST(platform_file, is_the_platforms_where_its_folder_is_mounted_too)
{
        struct child child;
        struct child_end ended = { .code = -1 };
        machine();
        CHECK(mkdir(at("home/b"), 0755) == 0 && mkdir(at("home/r"), 0755) == 0 && child_fork(look_where_it_is_mounted, NULL, &child, NULL) == OK);
        for (int i = 0; i < 5000 && !child_ended(&child, &ended); i++)
                usleep(1000);
        CHECK(ended.code == 0 || (ended.code == 99 && geteuid() != 0));
        end();
}

/* As dpkg has it while it replaces files, before its database says so. */
TEST(platform_file, is_not_known_while_packages_are_being_replaced)
{
        struct child dpkg;
        struct child_end ended;
        machine();
        put("db/lock", "");
        put("usr/bin/ls", "of the next version\n");
        CHECK(of("bin/ls") == BREAKER_ORDINARY && child_fork(keep_locked, NULL, &dpkg, NULL) == OK);
        for (int i = 0; i < 5000 && !packages_is_busy(at("db")); i++)
                usleep(1000);
        CHECK(of("bin/ls") == BREAKER_UNKNOWN && of("usr/bin/mine") == BREAKER_UNKNOWN && of("home/x") == BREAKER_ORDINARY && of("etc/conf") == BREAKER_PLATFORM);
        child_kill(&dpkg);
        CHECK(!child_ended(&dpkg, &ended) && of("bin/ls") == BREAKER_ORDINARY);
        end();
}

TEST(platform_index, knows_this_machines_files)
{
        OWN(disk_folder) struct disk *disk = NULL;
        size_t count = 0;
        if (file_kind("/var/lib/dpkg/info/dpkg.list") == FILE_ABSENT)
                return;
        CHECK(file_temporary(root, NULL) == OK && disk_folder_open(root, &disk, NULL) == OK);
        CHECK(platform_index_make(&(struct platform_index){ platform_database, disk, "files" }, &count, NULL) == OK && count > 1000);
        CHECK(owners_open(at("files"), &owners, NULL) == OK);
        const char *const own = root;
        const struct platform platform = { owners, platform_database, NULL, 0, &own, 1 };
        const char *const theirs[] = { "/usr/bin/dpkg", "/bin/ls", "/usr/bin/ls", "/etc/passwd", "/usr", "/bin", "/", "/etc/bash.bashrc", "/usr/bin/../../bin/cat" };
        for (size_t i = 0; i < sizeof(theirs) / sizeof(theirs[0]); i++)
                CHECK(platform_file(&platform, theirs[i]) == (strcmp(theirs[i], "/") == 0 ? BREAKER_OWN : BREAKER_PLATFORM));
        CHECK(platform_file(&platform, "/usr/bin/no-such-program") == BREAKER_ORDINARY && platform_file(&platform, "/srv/x") == BREAKER_ORDINARY);
        end();
}

TEST(platform_index, says_that_there_is_no_database)
{
        OWN(disk_folder) struct disk *disk = NULL;
        size_t count;
        CHECK(file_temporary(root, NULL) == OK && disk_folder_open(root, &disk, NULL) == OK);
        CHECK(platform_index_make(&(struct platform_index){ at("none"), disk, "files" }, &count, NULL) == ERR_NOT_FOUND && file_kind(at("files")) == FILE_ABSENT);
        end();
}
