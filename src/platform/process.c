#include "platform/process.h"

#include "base/buf.h"
#include "platform/file.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

enum { STAT_BYTES = 4096, STATUS_BYTES = 16384, CHILDREN_BYTES = 16384, TREE_MAX = 256 };

/* Pids that are still to be looked at; what does not fit is left out. */
struct tree { int pids[TREE_MAX]; size_t count; };

bool process_stat_read(const char *text, struct process_stat *ret_stat)
{
        uint64_t own, own_system, waited, waited_system, start;
        const char *end = strrchr(text, ')');            /* the name stands in brackets, and may have some itself */
        if (!end || sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %*d %*d %*d %*d %" SCNu64,
                           &own, &own_system, &waited, &waited_system, &start) != 5)
                return false;
        *ret_stat = (struct process_stat){ start, own + own_system + waited + waited_system };
        return true;
}

uint64_t process_status_kib(const char *text, const char *name)
{
        size_t length = strlen(name);
        for (const char *line = text; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
                if (strncmp(line, name, length) == 0 && line[length] == ':')
                        return strtoull(line + length + 1, NULL, 10);
        return 0;
}

static enum err read_of(int pid, const char *name, struct buf *into, struct why *why)
{
        char path[128];
        snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
        return file_read(path, into, why);
}

static void add_children(int pid, const char *task, struct tree *tree)
{
        char name[64];
        struct why why;
        OWN(buf) struct buf text;
        buf_init(&text, CHILDREN_BYTES);
        snprintf(name, sizeof(name), "task/%.16s/children", task);
        if (read_of(pid, name, &text, &why))
                return;
        char *end;
        for (const char *at = buf_text(&text); tree->count < TREE_MAX; at = end) {
                long child = strtol(at, &end, 10);
                if (end == at)
                        return;
                tree->pids[tree->count++] = (int)child;
        }
}

static void add_descendants(int pid, struct tree *tree)
{
        char path[64];
        snprintf(path, sizeof(path), "/proc/%d/task", pid);
        DIR *tasks = opendir(path);
        if (!tasks)
                return;
        for (const struct dirent *task; (task = readdir(tasks));)
                if (task->d_name[0] != '.')
                        add_children(pid, task->d_name, tree);
        closedir(tasks);
}

static enum err usage_of_one(int pid, struct process_usage *ret_usage, struct why *why)
{
        OWN(buf) struct buf stat, status;
        struct process_stat found;
        buf_init(&stat, STAT_BYTES);
        buf_init(&status, STATUS_BYTES);
        enum err e = read_of(pid, "stat", &stat, why);
        if (!e)
                e = read_of(pid, "status", &status, why);
        if (!e && !process_stat_read(buf_text(&stat), &found))
                e = FAIL(why, ERR_SYNTAX, "/proc/%d/stat is none", pid);
        if (e)
                return e;
        const char *memory = buf_text(&status);
        *ret_usage = (struct process_usage){
                .start = found.start, .cpu_ms = found.cpu_ticks * 1000 / (uint64_t)sysconf(_SC_CLK_TCK),
                .memory_kib = process_status_kib(memory, "RssAnon") + process_status_kib(memory, "VmSwap"),
        };
        return OK;
}

enum err process_usage(int pid, struct process_usage *ret_usage, struct why *why)
{
        struct process_usage sum;
        struct tree tree = { .count = 0 };
        enum err e = usage_of_one(pid, &sum, why);
        if (e)
                return e;
        add_descendants(pid, &tree);
        for (size_t i = 0; i < tree.count; i++) {
                struct process_usage one;
                struct why gone;
                if (usage_of_one(tree.pids[i], &one, &gone))
                        continue;
                sum.cpu_ms += one.cpu_ms;
                sum.memory_kib += one.memory_kib;
                add_descendants(tree.pids[i], &tree);
        }
        *ret_usage = sum;
        return OK;
}

/* Without it the C library lets pieces of up to 32 MB come from its heap, once one of that size was freed, and keeps them there. */
void process_gives_back(void)
{
#ifdef __GLIBC__
        enum { LARGE_BYTES = 64 << 10 };
        (void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
        (void)mallopt(M_TRIM_THRESHOLD, LARGE_BYTES);
#endif
}
