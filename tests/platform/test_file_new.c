#include "platform/file_new.h"

#include "platform/file.h"
#include "support/sweep.h"
#include "support/test.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct desk { char folder[64], path[128]; };

static void desk_open(struct desk *desk)
{
        CHECK(file_temporary(desk->folder, NULL) == OK);
        snprintf(desk->path, sizeof(desk->path), "%s/key", desk->folder);
}

static void desk_release(struct desk *desk)
{
        file_remove_tree(desk->folder);
}

static bool holds(const char *path, const char *text)
{
        OWN(buf) struct buf found;
        buf_init(&found, 100);
        return file_read(path, &found, NULL) == OK && strcmp(buf_text(&found), text) == 0;
}

TEST(file_new, takes_its_place_only_when_told_to)
{
        OWN(desk) struct desk d;
        desk_open(&d);
        OWN(file_new) struct file_new *file = NULL;
        CHECK(file_new_write(d.path, "one", 3, &file, NULL) == OK && file_kind(d.path) == FILE_ABSENT && holds(file_new_path(file), "one"));
        CHECK(file_new_settle(file, FILE_ONLY_NEW, NULL) == OK && holds(d.path, "one") && file_mode(d.path) == 0600 && file_kind(file_new_path(file)) == FILE_ABSENT);
}

TEST(file_new, is_gone_when_it_was_not_told_to)
{
        OWN(desk) struct desk d;
        char beside[160];
        desk_open(&d);
        CHECK(file_write(d.path, "old", 3, NULL) == OK);
        {
                OWN(file_new) struct file_new *file = NULL;
                CHECK(file_new_write(d.path, "new", 3, &file, NULL) == OK);
                snprintf(beside, sizeof(beside), "%s", file_new_path(file));
        }
        CHECK(file_kind(beside) == FILE_ABSENT && holds(d.path, "old"));
}

TEST(file_new, replaces_only_where_that_was_asked_for)
{
        OWN(desk) struct desk d;
        desk_open(&d);
        CHECK(file_write(d.path, "old", 3, NULL) == OK);
        {
                OWN(file_new) struct file_new *file = NULL;
                CHECK(file_new_write(d.path, "new", 3, &file, NULL) == OK && file_new_settle(file, FILE_ONLY_NEW, NULL) == ERR_BUSY && holds(d.path, "old"));
        }
        OWN(file_new) struct file_new *file = NULL;
        CHECK(file_new_write(d.path, "new", 3, &file, NULL) == OK && file_new_settle(file, FILE_REPLACE, NULL) == OK && holds(d.path, "new"));
}

TEST(file_new, takes_away_what_a_cut_left)
{
        OWN(desk) struct desk d;
        char beside[160];
        desk_open(&d);
        snprintf(beside, sizeof(beside), "%s/.key.new", d.folder);
        CHECK(file_write(beside, "left behind", 11, NULL) == OK);
        OWN(file_new) struct file_new *file = NULL;
        CHECK(file_new_write(d.path, "new", 3, &file, NULL) == OK && strcmp(file_new_path(file), beside) == 0 && holds(beside, "new"));
}

TEST(file_new, lets_one_at_a_time_into_a_folder)
{
        OWN(desk) struct desk d;
        desk_open(&d);
        OWN(file_new) struct file_new *one = NULL, *other = NULL;
        CHECK(file_new_write(d.path, "one", 3, &one, NULL) == OK && file_new_write(d.path, "other", 5, &other, NULL) == ERR_BUSY && holds(file_new_path(one), "one"));
}

TEST(file_new, needs_a_folder_and_a_name)
{
        OWN(desk) struct desk d;
        char path[192];
        desk_open(&d);
        OWN(file_new) struct file_new *file = NULL;
        snprintf(path, sizeof(path), "%s/nowhere/key", d.folder);
        CHECK(file_new_write(path, "x", 1, &file, NULL) == ERR_NOT_FOUND && file_new_write("", "x", 1, &file, NULL) == ERR_USAGE);
        snprintf(path, sizeof(path), "%s/", d.folder);
        CHECK(file_new_write(path, "x", 1, &file, NULL) == ERR_USAGE);
        SWEEP_MEMORY {
                OWN(file_new) struct file_new *swept = NULL;
                enum err e = file_new_write(d.path, "x", 1, &swept, NULL);
                CHECK(e == OK || e == ERR_NOMEM);
        }
}
