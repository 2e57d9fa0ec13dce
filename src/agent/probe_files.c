/* Files that somebody cannot do without still exist: of the kind that they were, and not emptied. Their content is not looked at. */
#include "agent/probe_kinds.h"
#include "platform/confine.h"
#include "platform/file.h"

#include <stddef.h>
#include <string.h>

static const struct letter {
        enum file_kind kind;
        bool is_empty;
        char letter;
        const char *word;
} letters[] = {
        { FILE_ABSENT, false, PROBE_PATH_ABSENT, "gone" }, { FILE_REGULAR, false, 'f', "a file" },     { FILE_REGULAR, true, '0', "an empty file" },
        { FILE_FOLDER, false, 'd', "a folder" },           { FILE_FOLDER, true, 'e', "an empty folder" }, { FILE_OTHER, false, 'o', "no file and no folder" },
};
enum { LETTERS = sizeof(letters) / sizeof(letters[0]) };

static const struct letter *find_letter(char letter)
{
        for (size_t i = 0; i < LETTERS; i++)
                if (letters[i].letter == letter)
                        return &letters[i];
        return NULL;
}

char probe_path_letter(const char *path)
{
        enum file_kind kind = file_kind(path);
        bool is_empty = file_is_empty(path);
        for (size_t i = 0; i < LETTERS; i++)
                if (letters[i].kind == kind && letters[i].is_empty == is_empty)
                        return letters[i].letter;
        return PROBE_PATH_ABSENT;
}

/* What was not there, or was empty, may become what it likes. */
const char *probe_path_change(char was, char now)
{
        const struct letter *before = find_letter(was), *found = find_letter(now);
        if (!found || (before && before->kind == FILE_ABSENT))
                return NULL;
        if (!before)
                return found->kind == FILE_ABSENT ? found->word : NULL;
        bool is_same = found->kind == before->kind && (!found->is_empty || before->is_empty);
        return is_same ? NULL : found->word;
}

static enum err judge(const struct probe_task *task, struct why *why)
{
        const char *was = task->was ? task->was : "";
        const size_t known = strlen(was), count = task->probe->files.count;
        for (size_t i = 0; i < count; i++) {
                const char *change = probe_path_change(known == count ? was[i] : 0, probe_path_letter(task->paths[i]));
                if (change)
                        return FAIL(why, ERR_CONTENT, "%s is %s", task->paths[i], change);
        }
        return OK;
}

enum err probe_look_files(const struct probe_task *task, struct why *why)
{
        (void)!confine_to_reading(NULL, why);
        if (!task->before)
                return judge(task, why);
        for (size_t i = 0; i < task->probe->files.count; i++)
                buf_add(task->before, (const char[]){ probe_path_letter(task->paths[i]) }, 1);
        return buf_check(task->before, why);
}
