#include "content/yara/engine/watch.h"

#include "base/limits.h"
#include "base/mem.h"
#include "content/yara/engine/scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 64 };         /* folders in folders; each costs an open file */

/* What a file looked like when it was scanned. Device and inode name it, so that paths need not be kept. */
struct seen {
        uint64_t device, inode;  /* inode 0: a free row; no file system gives it out */
        int64_t size;
        struct timespec changed, modified;
};

/* Open addressing, at most half full. */
struct table {
        struct seen *rows;
        size_t count, capacity;
};

struct watch {
        const char *folder;
        struct table known, next;
};

struct round {
        struct watch *watch;
        struct scan *scan;
        const struct watch_pulse *pulse;
        bool is_stopped;
        char path[PATH_MAX];
};

static struct seen *table_find(const struct table *table, uint64_t device, uint64_t inode)
{
        if (!table->capacity)
                return NULL;
        size_t at = (size_t)((inode * 0x9e3779b97f4a7c15u) ^ device) & (table->capacity - 1);
        while (table->rows[at].inode && (table->rows[at].inode != inode || table->rows[at].device != device))
                at = (at + 1) & (table->capacity - 1);
        return &table->rows[at];
}

static void table_done(struct table *table)
{
        mem_free(table->rows);
        *table = (struct table){ 0 };
}

static enum err table_grow(struct table *table, struct why *why)
{
        struct table larger = { .capacity = table->capacity ? 2 * table->capacity : 256, .count = table->count };
        larger.rows = mem_new(larger.capacity, sizeof(*larger.rows));
        if (!larger.rows)
                return FAIL(why, ERR_NOMEM, "remembering %zu files", table->count);
        for (size_t i = 0; i < table->capacity; i++)
                if (table->rows[i].inode)
                        *table_find(&larger, table->rows[i].device, table->rows[i].inode) = table->rows[i];
        table_done(table);
        *table = larger;
        return OK;
}

static enum err table_put(struct table *table, const struct seen *seen, struct why *why)
{
        if (table->count >= LIMIT_WATCHED_FILES)
                return FAIL(why, ERR_LIMIT, "more than %d files; watch a smaller folder", LIMIT_WATCHED_FILES);
        enum err e = 2 * table->count >= table->capacity ? table_grow(table, why) : OK;
        if (e)
                return e;
        struct seen *row = table_find(table, seen->device, seen->inode);
        table->count += !row->inode;
        *row = *seen;
        return OK;
}

static bool same_time(struct timespec a, struct timespec b)
{
        return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_unchanged(const struct table *known, const struct seen *seen)
{
        const struct seen *row = table_find(known, seen->device, seen->inode);
        return row && row->inode && row->size == seen->size && same_time(row->changed, seen->changed) && same_time(row->modified, seen->modified);
}

static enum err look_at(struct round *round, int folder, const char *name, const struct stat *info, struct why *why)
{
        struct seen seen = { info->st_dev, info->st_ino, info->st_size, info->st_ctim, info->st_mtim };
        if (!is_unchanged(&round->watch->known, &seen))
                scan_one(round->scan, &(struct scan_file){ folder, name, round->path, false });
        return table_put(&round->watch->next, &seen, why);
}

/* What cannot be looked at is said once and passed over: whoever may make a folder must not be able to hide what lies beside it. */
static enum err pass_over(struct round *round, const struct stat *info, const char *text, struct why *why)
{
        struct seen seen = { info->st_dev, info->st_ino, 0, { 0, 0 }, { 0, 0 } };
        if (!is_unchanged(&round->watch->known, &seen))
                scan_skip(round->scan, round->path, text);
        return table_put(&round->watch->next, &seen, why);
}

static bool is_stopped(struct round *round)
{
        round->is_stopped |= round->pulse->beat(round->pulse->user);
        return round->is_stopped;
}

static enum err walk(struct round *round, int take_folder, int depth, struct why *why);

static enum err walk_entry(struct round *round, DIR *listing, const char *name, int depth, struct why *why)
{
        struct stat info;
        size_t length = strlen(round->path);
        int wrote = snprintf(round->path + length, sizeof(round->path) - length, "/%s", name);
        enum err e = OK;
        if (fstatat(dirfd(listing), name, &info, AT_SYMLINK_NOFOLLOW) == 0) {            /* else it is gone again */
                if (wrote >= (int)(sizeof(round->path) - length))
                        e = pass_over(round, &info, "its path is too long", why);
                else if (S_ISDIR(info.st_mode) && depth + 1 == DEPTH_MAX)
                        e = pass_over(round, &info, "folders more than 64 deep", why);
                else if (S_ISREG(info.st_mode))
                        e = look_at(round, dirfd(listing), name, &info, why);
                else if (S_ISDIR(info.st_mode))
                        e = walk(round, openat(dirfd(listing), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), depth + 1, why);
        }
        round->path[length] = 0;
        return e;
}

static enum err walk(struct round *round, int take_folder, int depth, struct why *why)
{
        if (take_folder < 0)
                return depth && errno != EMFILE ? OK     /* gone, or not ours to read */
                                                : FAIL(why, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%.150s: %s", round->path, strerror(errno));
        DIR *listing = fdopendir(take_folder);
        if (!listing) {
                enum err failed = FAIL(why, ERR_IO, "%.150s: %s", round->path, strerror(errno));
                close(take_folder);
                return failed;
        }
        enum err e = OK;
        for (struct dirent *entry; !e && !is_stopped(round) && (entry = readdir(listing));)
                if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                        e = walk_entry(round, listing, entry->d_name, depth, why);
        closedir(listing);
        return e;
}

enum err watch_open(const char *folder, struct watch **ret_watch, struct why *why)
{
        struct watch *watch = mem_new(1, sizeof(*watch));
        if (!watch)
                return FAIL(why, ERR_NOMEM, "watching %.100s", folder);
        watch->folder = folder;
        *ret_watch = watch;
        return OK;
}

void watch_close(struct watch *watch)
{
        if (!watch)
                return;
        table_done(&watch->known);
        table_done(&watch->next);
        mem_free(watch);
}

enum err watch_round(struct watch *watch, struct scan *scan, const struct watch_pulse *pulse, struct why *why)
{
        struct round round = { .watch = watch, .scan = scan, .pulse = pulse };
        snprintf(round.path, sizeof(round.path), "%s", watch->folder);
        table_done(&watch->next);
        enum err e = walk(&round, open(watch->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), 0, why);
        if (is_stopped(&round))
                return e;
        table_done(&watch->known);
        watch->known = watch->next;
        watch->next = (struct table){ 0 };
        return e ? DURING(why, e, "watching") : OK;
}

void watch_forget(struct watch *watch)
{
        table_done(&watch->known);
}
