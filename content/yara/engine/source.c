#include "content/yara/engine/source.h"

#include "base/limits.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

struct names {
        char (*items)[NAME_MAX + 1];
        size_t count, capacity;
};

static void names_release(struct names *names)
{
        mem_free(names->items);
}

static bool is_rules(const char *name)
{
        size_t length = strlen(name);
        return length > 4 && strcmp(name + length - 4, ".yar") == 0;
}

static enum err names_add(struct names *names, const char *name, struct why *why)
{
        if (names->count == LIMIT_RELEASE_FILES)
                return FAIL(why, ERR_LIMIT, "more than %d files of rules", LIMIT_RELEASE_FILES);
        if (names->count == names->capacity) {
                size_t capacity = names->capacity ? 2 * names->capacity : 8;
                void *items = mem_resize(names->items, capacity * sizeof(*names->items));
                if (!items)
                        return FAIL(why, ERR_NOMEM, "%zu file names", capacity);
                names->items = items;
                names->capacity = capacity;
        }
        snprintf(names->items[names->count++], sizeof(*names->items), "%s", name);
        return OK;
}

static int by_name(const void *a, const void *b)
{
        return strcmp(a, b);
}

static enum err names_read(int folder, struct names *names, struct why *why)
{
        DIR *listing = fdopendir(folder);
        if (!listing) {
                close(folder);
                return FAIL(why, ERR_IO, "listing: %s", strerror(errno));
        }
        enum err e = OK;
        for (struct dirent *entry; !e && (entry = readdir(listing));)
                if (is_rules(entry->d_name))
                        e = names_add(names, entry->d_name, why);
        closedir(listing);
        if (names->count)
                qsort(names->items, names->count, sizeof(*names->items), by_name);
        return e;
}

static enum err read_all(int file, struct buf *into, struct why *why)
{
        char part[16384];
        for (ssize_t n; (n = read(file, part, sizeof(part)));) {
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return FAIL(why, ERR_IO, "%s", strerror(errno));
                buf_add(into, part, (size_t)n);
        }
        return buf_check(into, why);
}

static enum err read_file(int folder, const char *name, struct buf *into, struct why *why)
{
        struct stat info;
        int file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (file < 0 && errno == ELOOP)
                return FAIL(why, ERR_REFUSED, "a symbolic link; put the file itself there");
        if (file < 0)
                return FAIL(why, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s", strerror(errno));
        enum err e = fstat(file, &info) == 0 && S_ISREG(info.st_mode) ? read_all(file, into, why)
                                                                       : FAIL(why, ERR_REFUSED, "not a regular file");
        close(file);
        return e;
}

static enum err visit_one(int folder, const char *name, source_visit *visit, void *user, struct why *why)
{
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_RULE_FILE_BYTES);
        enum err e = read_file(folder, name, &text, why);
        if (!e && text.length && memchr(text.bytes, 0, text.length))
                e = FAIL(why, ERR_SYNTAX, "has a NUL byte; rules are text");
        return e ? DURING(why, e, "%s", name) : visit(user, name, &text, why);
}

static int open_rules(const char *folder)
{
        int top = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (top < 0)
                return -1;
        int below = openat(top, "rules", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (below < 0 && errno == ENOENT)
                return top;
        close(top);
        return below;
}

enum err source_each(const char *folder, source_visit *visit, void *user, struct why *why)
{
        OWN(names) struct names names = { 0 };
        int open_folder = open_rules(folder);
        if (open_folder < 0)
                return FAIL(why, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", folder, strerror(errno));
        int listed = fcntl(open_folder, F_DUPFD_CLOEXEC, 3);
        enum err e = listed < 0 ? FAIL(why, ERR_LIMIT, "%s", strerror(errno)) : names_read(listed, &names, why);
        for (size_t i = 0; !e && i < names.count; i++)
                e = visit_one(open_folder, names.items[i], visit, user, why);
        close(open_folder);
        return e;
}

static bool is_word(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || strchr("._+:-", c);
}

void source_version(const char *folder, char *version, int size)
{
        OWN(buf) struct buf text;
        buf_init(&text, LIMIT_RULE_FILE_BYTES);
        version[0] = 0;
        int top = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (top < 0)
                return;
        if (read_file(top, "VERSION", &text, NULL) == OK)
                snprintf(version, (size_t)size, "%.*s", (int)strcspn(buf_text(&text), "\r\n"), buf_text(&text));
        close(top);
        for (char *at = version; *at; at++)
                if (!is_word(*at))
                        *at = '_';
}
