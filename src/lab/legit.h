/* legit.h - the files that this machine needs to boot and to be reached: whatever content says of them is wrong.
 *
 * Found by a list of paths and, where dpkg knows them, as all programs and libraries of a list of packages, with the digest that
 * their package shipped. No file of others is stored or given away: only paths and digests. */
#pragma once

#include "base/arena.h"
#include "base/own.h"
#include "lab/digest.h"

#include <stdbool.h>

struct legit_file {
        const char *path;                /* absolute, without links */
        const char *md5;                 /* as its package says, hex; NULL: not known */
        bool is_changed;                 /* it is not the file that its package shipped */
};

struct legit {
        struct arena *arena;
        struct legit_file *files;        /* sorted by path, each once */
        size_t count, room;
        char digest[DIGEST_TEXT_MAX];    /* SHA-256 over lines `LENGTH SHA256 PATH` */
};

/* What to look for. Each list ends with NULL. */
struct legit_lists {
        const char *const *patterns;     /* as a shell's */
        const char *const *packages;     /* of dpkg */
        const char *dpkg_info;           /* "/var/lib/dpkg/info" */
};
extern const struct legit_lists legit_boot_critical;

/* `extra` ends with NULL: the engine and our own programs. ERR_LIMIT: more than LIMIT_CORPUS_FILES; ERR_IO, ERR_NOMEM. */
MUST_CHECK enum err legit_open(const struct legit_lists *lists, const char *const *extra, struct legit **ret_legit, struct why *why);
void legit_close(struct legit *legit);                    /* NULL is fine */
OWN_DEFINE(legit, struct legit *, legit_close)

const struct legit_file *legit_find(const struct legit *legit, const char *path);      /* NULL: not one of them */
