#include "content/yara/engine/quarantine.h"

#include "ask/firebreak-ask.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_MS = 2000 };

struct quarantine {
        const char *socket;
        int folder;
        struct stat info;
};

enum err quarantine_open(const char *folder, const char *socket, struct quarantine **ret_quarantine, struct why *why)
{
        OWN(quarantine) struct quarantine *quarantine = mem_new(1, sizeof(*quarantine));
        if (!quarantine)
                return FAIL(why, ERR_NOMEM, "a quarantine");
        quarantine->socket = socket;
        quarantine->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (quarantine->folder < 0 || fstat(quarantine->folder, &quarantine->info))
                return FAIL(why, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "--quarantine %.150s: %s", folder, strerror(errno));
        *ret_quarantine = GIVE(quarantine);
        return OK;
}

void quarantine_close(struct quarantine *quarantine)
{
        if (!quarantine)
                return;
        if (quarantine->folder >= 0)
                close(quarantine->folder);
        mem_free(quarantine);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
        return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

bool quarantine_is(const struct quarantine *quarantine, int folder)
{
        struct stat info;
        return fstat(folder, &info) == 0 && is_same(&info, &quarantine->info);
}

static bool may_take(const struct quarantine *quarantine, const char *path, struct why *why)
{
        char reason[FIREBREAK_REASON_BYTES];
        if (!quarantine->socket)
                return true;
        enum firebreak_answer answer = firebreak_ask(quarantine->socket, "quarantine", path, ANSWER_MS, reason, sizeof(reason));
        if (answer == FIREBREAK_ALLOW)
                return true;
        (void)!FAIL(why, ERR_REFUSED, "%s: %s", answer == FIREBREAK_DENY ? "denied" : "no answer", reason);
        return false;
}

/* The number of the file makes names of its own of names that are the same. */
static bool move(struct quarantine *quarantine, const struct quarantine_file *file, struct why *why)
{
        struct stat now;
        char name[NAME_MAX + 1];
        int wrote = snprintf(name, sizeof(name), "%llu.%s", (unsigned long long)file->scanned->st_ino, file->name);
        if (wrote >= (int)sizeof(name))
                snprintf(name, sizeof(name), "%llu", (unsigned long long)file->scanned->st_ino);
        if (fstatat(file->folder, file->name, &now, AT_SYMLINK_NOFOLLOW) || !is_same(&now, file->scanned)) {
                (void)!FAIL(why, ERR_BUSY, "another file has its name now");
                return false;
        }
        if (renameat2(file->folder, file->name, quarantine->folder, name, RENAME_NOREPLACE) == 0)
                return true;
        (void)!FAIL(why, ERR_IO, "%s", errno == EXDEV ? "the quarantine is on another file system" : strerror(errno));
        return false;
}

bool quarantine_take(struct quarantine *quarantine, const struct quarantine_file *file, struct why *why)
{
        return may_take(quarantine, file->path, why) && move(quarantine, file, why);
}
