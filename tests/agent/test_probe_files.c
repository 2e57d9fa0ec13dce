#include "agent/probe_kinds.h"

#include "platform/child.h"
#include "platform/file.h"
#include "support/test.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

TEST(probe_path, has_a_letter_for_what_it_is)
{
        char folder[64], path[96];
        CHECK(file_temporary(folder, NULL) == OK && probe_path_letter(folder) == 'e');
        snprintf(path, sizeof(path), "%s/x", folder);
        CHECK(probe_path_letter(path) == PROBE_PATH_ABSENT && file_write(path, "", 0, NULL) == OK && probe_path_letter(path) == '0');
        CHECK(file_write(path, "x", 1, NULL) == OK && probe_path_letter(path) == 'f' && probe_path_letter(folder) == 'd' && probe_path_letter("/dev/null") == 'o');
        file_remove_tree(folder);
}

TEST(probe_path, has_changed_when_it_is_gone_or_emptied_or_something_else)
{
        static const struct { char was, now; const char *change; } cases[] = {
                { 'f', 'f', NULL },   { 'f', '-', "gone" },    { 'f', '0', "an empty file" },   { 'f', 'd', "a folder" }, { 'd', 'e', "an empty folder" },
                { 'd', 'f', "a file" }, { '0', 'f', NULL },    { '0', '0', NULL },              { '0', '-', "gone" },     { 'e', 'd', NULL },
                { '-', '-', NULL },   { '-', '0', NULL },      { 'o', 'o', NULL },              { 'o', '-', "gone" },     { 'o', 'f', "a file" },
                { 0, '-', "gone" },   { 0, 'f', NULL },        { 0, '0', NULL },                { '?', '-', "gone" },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                const char *change = probe_path_change(cases[i].was, cases[i].now);
                CHECK(cases[i].change ? change && strcmp(change, cases[i].change) == 0 : !change);
        }
}

struct look { probe_look *look; const struct probe_task *task; const char *says; };

/* 0: all is well; 1: it is not, and the text is the one that was expected; 2: anything else. */
static int look_at(void *user)
{
        const struct look *look = user;
        struct why why = { .text = "" };
        enum err e = look->look(look->task, &why);
        if (e == OK)
                return 0;
        if (e == ERR_CONTENT && strcmp(why.text, look->says) == 0)
                return 1;
        fprintf(stderr, "# %s\n", why.text);
        return 2;
}

/* In a child, which is confined by it. */
static int ended_with(const struct look *look)
{
        struct child child = { 0 };
        int status = 0;
        CHECK(child_fork(look_at, (void *)look, &child, NULL) == OK);
        CHECK(waitpid(child.pid, &status, 0) == child.pid && WIFEXITED(status));
        return WEXITSTATUS(status);
}

TEST(probe_look_files, says_which_one_is_gone)
{
        char folder[64], first[96], second[96], says[160];
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(first, sizeof(first), "%s/first", folder);
        snprintf(second, sizeof(second), "%s/second", folder);
        snprintf(says, sizeof(says), "%s is gone", second);
        CHECK(file_write(first, "x", 1, NULL) == OK && file_write(second, "x", 1, NULL) == OK);
        const char *paths[] = { first, second };
        const struct agent_probe probe = { .kind = PROBE_FILES, .files = { 2, paths } };
        struct probe_task task = { .probe = &probe, .paths = paths, .was = "ff" };
        const struct look look = { probe_look_files, &task, says };
        CHECK(ended_with(&look) == 0);
        CHECK(unlink(second) == 0 && ended_with(&look) == 1);
        task.was = NULL;
        CHECK(ended_with(&look) == 1);
        task.was = "f-";
        CHECK(ended_with(&look) == 0);
        task.was = "f";                  /* of another list: it says nothing */
        CHECK(ended_with(&look) == 1);
        file_remove_tree(folder);
}

/* SHA-256 of "x". */
#define SHA_X "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"

TEST(probe_look_hash, says_what_it_found_instead)
{
        char folder[64], path[96], says[160];
        CHECK(file_temporary(folder, NULL) == OK);
        snprintf(path, sizeof(path), "%s/file", folder);
        snprintf(says, sizeof(says), "%s has sha256 a1fce4363854.., not 2d711642b726..", path);
        CHECK(file_write(path, "x", 1, NULL) == OK);
        const char *paths[] = { path };
        const struct agent_probe probe = { .kind = PROBE_HASH, .hash = { path, SHA_X } };
        const struct probe_task task = { .probe = &probe, .paths = paths };
        struct look look = { probe_look_hash, &task, says };
        CHECK(ended_with(&look) == 0 && file_write(path, "y", 1, NULL) == OK && ended_with(&look) == 1);
        snprintf(says, sizeof(says), "cannot be read: %s: No such file or directory", path);
        CHECK(unlink(path) == 0 && ended_with(&look) == 1);
        file_remove_tree(folder);
}
