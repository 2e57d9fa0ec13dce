#include "cli/content.h"

#include "base/limits.h"
#include "platform/disk_folder.h"
#include "platform/file.h"
#include "support/sweep.h"
#include "support/test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A real folder, since what is refused is what only real folders have. */
struct place {
        char path[64];
        struct disk *disk;
        struct arena *arena;
        struct content content;
        struct why why;
};

static void place_open(struct place *place)
{
        memset(place, 0, sizeof(*place));
        CHECK(file_temporary(place->path, NULL) == OK && disk_folder_open(place->path, &place->disk, NULL) == OK);
        place->arena = arena_new(16 << 20);
        CHECK(place->arena);
}

static void place_release(struct place *place)
{
        file_remove_tree(place->path);
        disk_folder_close(place->disk);
        arena_free(place->arena);
}

static const char *in(const struct place *place, const char *name)
{
        static char path[512];
        snprintf(path, sizeof(path), "%s/%s", place->path, name);
        return path;
}

static void put(const struct place *place, const char *name, const char *text)
{
        CHECK(file_write(in(place, name), text, strlen(text), NULL) == OK);
}

static enum err list(struct place *place)
{
        return content_list(place->disk, place->arena, &place->content, &place->why);
}

TEST(content, lists_files_sorted_by_bytes_without_their_descriptions)
{
        OWN(place) struct place p;
        place_open(&p);
        put(&p, "dossier.yaml", "what: x\n");
        put(&p, "release.yaml", "stream: x\n");
        put(&p, "VERSION", "4\n");
        CHECK(mkdir(in(&p, "rules"), 0755) == 0);
        put(&p, "rules/b.yar", "bb");
        put(&p, "rules/a.yar", "a");
        put(&p, "rules/dossier.yaml", "kept: below the top it is content");
        put(&p, "rules-more", "z");
        CHECK(list(&p) == OK && p.content.count == 5 && p.content.bytes == 2 + 1 + 2 + 33 + 1);
        static const char *const paths[] = { "VERSION", "rules-more", "rules/a.yar", "rules/b.yar", "rules/dossier.yaml" };
        for (size_t i = 0; i < 5; i++)
                CHECK(strcmp(p.content.files[i].path, paths[i]) == 0);
}

TEST(content, refuses_an_empty_folder_and_one_with_only_a_dossier)
{
        OWN(place) struct place p;
        place_open(&p);
        CHECK(list(&p) == ERR_REFUSED && strstr(p.why.text, "no content"));
        put(&p, "dossier.yaml", "what: x\n");
        CHECK(list(&p) == ERR_REFUSED);
}

/* It would be dropped in silence, and whoever made it meant something by it. */
TEST(content, refuses_a_folder_in_it_that_is_empty)
{
        OWN(place) struct place p;
        place_open(&p);
        put(&p, "a", "x");
        CHECK(mkdir(in(&p, "rules"), 0755) == 0 && mkdir(in(&p, "rules/more"), 0755) == 0);
        CHECK(list(&p) == ERR_REFUSED && strstr(p.why.text, "rules/more is an empty folder"));
        put(&p, "rules/more/b", "y");
        CHECK(list(&p) == OK && p.content.count == 2);
}

TEST(content, refuses_links_wherever_they_point)
{
        static const char *const targets[] = { "/etc/passwd", "a", "../..", "nowhere" };
        for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
                OWN(place) struct place p;
                place_open(&p);
                put(&p, "a", "x");
                CHECK(symlink(targets[i], in(&p, "link")) == 0);
                CHECK(list(&p) == ERR_REFUSED && strstr(p.why.text, "link is a symbolic link"));
        }
}

TEST(content, refuses_a_description_that_is_a_link)
{
        OWN(place) struct place p;
        place_open(&p);
        put(&p, "a", "x");
        CHECK(symlink("/etc/passwd", in(&p, "dossier.yaml")) == 0);
        CHECK(list(&p) == ERR_REFUSED);
}

TEST(content, refuses_pipes_and_sockets)
{
        OWN(place) struct place p;
        place_open(&p);
        put(&p, "a", "x");
        CHECK(mkfifo(in(&p, "pipe"), 0600) == 0);
        CHECK(list(&p) == ERR_REFUSED && strstr(p.why.text, "pipe"));
        CHECK(unlink(in(&p, "pipe")) == 0);
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        snprintf(address.sun_path, sizeof(address.sun_path), "%.100s", in(&p, "socket"));
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
        close(fd);
        CHECK(list(&p) == ERR_REFUSED && strstr(p.why.text, "socket"));
}

TEST(content, refuses_names_that_a_note_cannot_hold)
{
        static const char *const names[] = { "two\nlines", "a b", "\x1b[31m", "gr\xc3\xbcn", "back\\slash", "\xff\xfe", "tab\t", "quote\"", "$HOME", "*" };
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                OWN(place) struct place p;
                place_open(&p);
                put(&p, names[i], "x");
                CHECK(list(&p) == ERR_REFUSED && strstr(p.why.text, "rename it"));
        }
}

TEST(content, refuses_a_file_that_is_too_large_before_reading_it)
{
        OWN(place) struct place p;
        place_open(&p);
        put(&p, "huge", "x");
        CHECK(truncate(in(&p, "huge"), (off_t)LIMIT_ARTIFACT_BYTES + 1) == 0);
        CHECK(list(&p) == ERR_LIMIT && strstr(p.why.text, "huge"));
}

TEST(content, refuses_more_bytes_in_all_than_a_release_may_have)
{
        OWN(place) struct place p;
        place_open(&p);
        put(&p, "one", "x");
        put(&p, "two", "x");
        CHECK(truncate(in(&p, "one"), LIMIT_ARTIFACT_BYTES) == 0);
        CHECK(list(&p) == ERR_LIMIT && strstr(p.why.text, "in all"));
}

TEST(content, refuses_too_many_files)
{
        OWN(place) struct place p;
        place_open(&p);
        for (int i = 0; i <= LIMIT_RELEASE_FILES; i++) {
                char name[16];
                snprintf(name, sizeof(name), "%d", i);
                int fd = open(in(&p, name), O_CREAT | O_WRONLY, 0600);
                CHECK(fd >= 0);
                close(fd);
        }
        CHECK(list(&p) == ERR_LIMIT && strstr(p.why.text, "more than 8192 files"));
}

TEST(content, refuses_paths_and_folders_that_are_too_deep)
{
        OWN(place) struct place p;
        place_open(&p);
        char path[512] = "d";
        for (int i = 0; i < 34; i++) {
                CHECK(mkdir(in(&p, path), 0755) == 0);
                strncat(path, "/d", sizeof(path) - strlen(path) - 1);
        }
        CHECK(list(&p) == ERR_LIMIT && strstr(p.why.text, "deep"));
        OWN(place) struct place q;
        place_open(&q);
        char longname[131];
        memset(longname, 'n', 130);
        longname[130] = '\0';
        CHECK(mkdir(in(&q, longname), 0755) == 0);
        snprintf(path, sizeof(path), "%s/%s", longname, longname);
        put(&q, path, "x");
        CHECK(list(&q) == ERR_LIMIT && strstr(q.why.text, "255"));
}

TEST(content, survives_every_allocation_failure)
{
        OWN(place) struct place p;
        place_open(&p);
        CHECK(mkdir(in(&p, "rules"), 0755) == 0);
        put(&p, "rules/a", "a");
        put(&p, "b", "b");
        SWEEP_MEMORY {
                OWN(arena) struct arena *arena = arena_new(1 << 20);
                struct content content = { 0 };
                enum err e = arena ? content_list(p.disk, arena, &content, NULL) : ERR_NOMEM;
                CHECK(e == OK ? content.count == 2 : e == ERR_NOMEM);
        }
}
