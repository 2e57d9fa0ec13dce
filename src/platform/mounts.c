#include "platform/mounts.h"

#include "base/buf.h"
#include "base/limits.h"
#include "platform/file.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

/* One line of it: this folder of this file system stands there. */
struct mount { char device[32], root[PATH_MAX], place[PATH_MAX]; };

static bool is_octal(const char *text)
{
        return strspn(text, "01234567") >= 3;
}

/* The next field, with its `\040` undone; *at goes behind it. False: the line has no more, or it does not fit. */
static bool read_field(const char **at, char *field, size_t size)
{
        size_t length = 0;
        const char *text = *at + strspn(*at, " ");
        while (*text && *text != ' ' && *text != '\n' && length + 1 < size) {
                bool is_escaped = text[0] == '\\' && is_octal(text + 1);
                field[length++] = (char)(is_escaped ? (text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0') : *text);
                text += is_escaped ? 4 : 1;
        }
        field[length] = 0;
        *at = text;
        return length && (*text == ' ' || *text == '\n' || !*text);
}

/* Number, parent's number, device, root, place. */
static bool read_mount(const char *line, struct mount *ret_mount)
{
        char number[24];
        return read_field(&line, number, sizeof(number)) && read_field(&line, number, sizeof(number)) && read_field(&line, ret_mount->device, sizeof(ret_mount->device))
               && read_field(&line, ret_mount->root, sizeof(ret_mount->root)) && read_field(&line, ret_mount->place, sizeof(ret_mount->place));
}

static const char *next_line(const char *line)
{
        const char *end = strchr(line, '\n');
        return end && end[1] ? end + 1 : NULL;
}

/* What follows the folder in the path, with its `/`; NULL: it is not in there. */
static const char *below(const char *path, const char *folder)
{
        size_t length = strcmp(folder, "/") == 0 ? 0 : strlen(folder);
        if (strncmp(path, folder, length) != 0 || (path[length] != '/' && path[length]))
                return NULL;
        return strcmp(path + length, "/") == 0 ? "" : path + length;
}

static bool join(const char *folder, const char *rest, char path[static PATH_MAX])
{
        const char *head = strcmp(folder, "/") == 0 ? "" : folder;
        int wrote = snprintf(path, PATH_MAX, "%s%s", head, head[0] || rest[0] ? rest : "/");
        return wrote < PATH_MAX;
}

/* The deepest one that the path is below, and of several at one place the last, which hides the others. */
static bool find_home(const char *table, const char *path, struct mount *ret_home)
{
        bool is_found = false;
        struct mount mount;
        for (const char *line = table; line; line = next_line(line)) {
                bool is_above = read_mount(line, &mount) && below(path, mount.place);
                if (is_above && (!is_found || strlen(mount.place) >= strlen(ret_home->place))) {
                        *ret_home = mount;
                        is_found = true;
                }
        }
        return is_found;
}

enum err mounts_places(const char *table, const char *path, paths_visit *visit, void *user, struct why *why)
{
        struct mount home, mount;
        char inside[PATH_MAX], other[PATH_MAX];
        enum err e = OK;
        if (!find_home(table, path, &home) || !join(home.root, below(path, home.place), inside))
                return OK;
        for (const char *line = table; line && !e; line = next_line(line)) {
                bool is_same = read_mount(line, &mount) && strcmp(mount.device, home.device) == 0;
                const char *rest = is_same ? below(inside, mount.root) : NULL;
                if (rest && join(mount.place, rest, other) && strcmp(other, path) != 0)
                        e = visit(user, other, why);
        }
        return e;
}

struct naming { struct stat file; paths_visit *visit; void *user; };

/* Something else may be mounted over it. */
static enum err name_if_same(void *user, const char *path, struct why *why)
{
        const struct naming *naming = user;
        struct stat info;
        bool is_same = lstat(path, &info) == 0 && info.st_dev == naming->file.st_dev && info.st_ino == naming->file.st_ino;
        return is_same ? naming->visit(naming->user, path, why) : OK;
}

enum err mounts_names(const char *path, paths_visit *visit, void *user, struct why *why)
{
        struct naming naming = { .visit = visit, .user = user };
        OWN(buf) struct buf table;
        buf_init(&table, LIMIT_MOUNTS_BYTES);
        if (lstat(path, &naming.file))
                return OK;
        enum err e = file_read("/proc/self/mountinfo", &table, why);
        return e ? e : mounts_places(buf_text(&table), path, name_if_same, &naming, why);
}
