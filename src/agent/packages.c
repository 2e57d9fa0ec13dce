#include "agent/packages.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "platform/file.h"
#include "platform/lock.h"
#include "platform/paths.h"

#include <string.h>

enum { MD5_DIGITS = 32, PACKAGE_NAME_MAX = 255 };

struct diversion { const char *from, *to, *package; };
struct packages_diversions { size_t count; struct diversion items[]; };

struct reading {
        const char *database;
        struct packages_diversions *diversions;
        packages_visit *visit;
        void *user;
        size_t packages;
};

/* The next line, without its end; NULL: none left. */
static const char *next_line(const char **at, const char *end, size_t *ret_length)
{
        const char *line = *at;
        if (line == end)
                return NULL;
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        *ret_length = (size_t)((stop ? stop : end) - line);
        *at = stop ? stop + 1 : end;
        return line;
}

/* Where a package's file is, if another package, or the administrator, had it moved. */
static const char *diverted(const struct packages_file *file, const char *path)
{
        for (size_t i = 0; file->diversions && i < file->diversions->count; i++) {
                const struct diversion *item = &file->diversions->items[i];
                if (strcmp(item->from, path) == 0 && strcmp(item->package, file->package) != 0)
                        return item->to;
        }
        return path;
}

static bool is_path(const char *path, size_t length)
{
        return length > 1 && length < PATH_MAX && path[0] == '/' && !memchr(path, 0, length);
}

enum err packages_list(const struct packages_file *file, packages_visit *visit, void *user, struct why *why)
{
        const char *at = file->bytes, *end = at + file->length, *line;
        char path[PATH_MAX];
        size_t length = 0;
        enum err e = OK;
        while (!e && (line = next_line(&at, end, &length))) {
                if (!is_path(line, length))
                        continue;
                snprintf(path, sizeof(path), "%.*s", (int)length, line);
                e = visit(user, diverted(file, path), NULL, why);
        }
        return e;
}

static int digit(char c)
{
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_md5(const char *text, uint8_t md5[static MD5_DIGITS / 2])
{
        for (size_t i = 0; i < MD5_DIGITS / 2; i++) {
                int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
                if (high < 0 || low < 0)
                        return false;
                md5[i] = (uint8_t)(high << 4 | low);
        }
        return true;
}

/* As md5sum(1) writes it: digits, a blank, a blank or `*`, and the path without the first `/`. */
enum err packages_sums(const struct packages_file *file, packages_visit *visit, void *user, struct why *why)
{
        const char *at = file->bytes, *end = at + file->length, *line;
        char path[PATH_MAX] = "/";
        uint8_t md5[MD5_DIGITS / 2];
        size_t length = 0;
        enum err e = OK;
        while (!e && (line = next_line(&at, end, &length))) {
                if (length < MD5_DIGITS + 3 || line[MD5_DIGITS] != ' ' || !read_md5(line, md5))
                        continue;
                const char *name = line + MD5_DIGITS + 2, *stop = line + length;
                name += stop - name > 2 && name[0] == '.' && name[1] == '/' ? 2 : 0;
                if (memchr(name, 0, (size_t)(stop - name)) || stop - name >= PATH_MAX - 1)
                        continue;
                snprintf(path + 1, sizeof(path) - 1, "%.*s", (int)(stop - name), name);
                e = visit(user, diverted(file, path), md5, why);
        }
        return e;
}

enum err packages_diversions_new(char *bytes, size_t length, struct packages_diversions **ret_diversions, struct why *why)
{
        struct packages_diversions *diversions = mem_new(1, sizeof(*diversions) + LIMIT_DIVERSIONS * sizeof(struct diversion));
        if (!diversions)
                return FAIL(why, ERR_NOMEM, "diversions");
        const char *lines[3];
        size_t line_length = 0, lines_read = 0;
        for (const char *at = bytes, *end = bytes + length, *line; diversions->count < LIMIT_DIVERSIONS && (line = next_line(&at, end, &line_length));) {
                if (line + line_length == end)
                        break;                   /* not ended: cut off */
                bytes[line - bytes + (ptrdiff_t)line_length] = 0;
                lines[lines_read++] = line;
                if (lines_read < 3)
                        continue;
                lines_read = 0;
                if (lines[0][0] == '/' && lines[1][0] == '/')
                        diversions->items[diversions->count++] = (struct diversion){ lines[0], lines[1], lines[2] };
        }
        *ret_diversions = diversions;
        return OK;
}

void packages_diversions_free(struct packages_diversions *diversions)
{
        mem_free(diversions);
}

/* /var/lib/dpkg/info/libc6:amd64.list: libc6 */
static void package_of(const char *path, char name[static PACKAGE_NAME_MAX + 1])
{
        const char *base = strrchr(path, '/') + 1, *dot = strrchr(base, '.'), *colon = strchr(base, ':');
        const char *end = colon && dot && colon < dot ? colon : dot;
        snprintf(name, PACKAGE_NAME_MAX + 1, "%.*s", end ? (int)(end - base) : 0, base);
}

static enum err read_one(struct reading *reading, const char *path, bool is_list, struct why *why)
{
        OWN(buf) struct buf bytes;
        char package[PACKAGE_NAME_MAX + 1];
        buf_init(&bytes, LIMIT_PACKAGE_BYTES);
        enum err e = file_read_regular(path, &bytes, why);
        if (e)
                return e == ERR_NOT_FOUND ? OK : e;      /* a package that went in this moment */
        package_of(path, package);
        const struct packages_file file = { buf_text(&bytes), bytes.length, package, reading->diversions };
        return (is_list ? packages_list : packages_sums)(&file, reading->visit, reading->user, why);
}

static enum err read_list(void *user, const char *path, struct why *why)
{
        struct reading *reading = user;
        if (reading->packages++ == LIMIT_PACKAGES)
                return FAIL(why, ERR_LIMIT, "more than %d packages", LIMIT_PACKAGES);
        return read_one(reading, path, true, why);
}

static enum err read_sums(void *user, const char *path, struct why *why)
{
        return read_one(user, path, false, why);
}

static enum err read_packages(struct reading *reading, struct why *why)
{
        char pattern[PATH_MAX];
        snprintf(pattern, sizeof(pattern), "%s/info/*.list", reading->database);
        enum err e = paths_like(pattern, read_list, reading, why);
        if (!e && !reading->packages)
                return FAIL(why, ERR_NOT_FOUND, "no packages in %s", reading->database);
        snprintf(pattern, sizeof(pattern), "%s/info/*.md5sums", reading->database);
        return e ? e : paths_like(pattern, read_sums, reading, why);
}

enum err packages_each(const char *database, packages_visit *visit, void *user, struct why *why)
{
        struct reading reading = { .database = database, .visit = visit, .user = user };
        OWN(buf) struct buf text;
        char path[PATH_MAX];
        buf_init(&text, LIMIT_PACKAGE_BYTES);
        snprintf(path, sizeof(path), "%s/diversions", database);
        enum err e = file_read_regular(path, &text, why);
        if (!e && text.length)
                e = packages_diversions_new(text.bytes, text.length, &reading.diversions, why);
        if (!e || e == ERR_NOT_FOUND)
                e = read_packages(&reading, why);
        packages_diversions_free(reading.diversions);
        return e;
}

uint64_t packages_mark(const char *database)
{
        char path[PATH_MAX];
        snprintf(path, sizeof(path), "%s/info", database);
        uint64_t info = file_mark(path);
        snprintf(path, sizeof(path), "%s/diversions", database);
        uint64_t diversions = file_mark(path);
        return info ? (info ^ (diversions << 1)) | 1 : 0;
}

bool packages_is_busy(const char *database)
{
        char path[PATH_MAX];
        snprintf(path, sizeof(path), "%s/lock", database);
        return lock_is_held(path);
}
