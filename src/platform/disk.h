/* disk.h - the files that must survive a power cut, below one root folder.
 *
 * The one way the agent touches storage, so that tests can lose power at any step (tests/support/sim_disk.h).
 * Paths are relative, '/' separated, without '.' or '..'; for sync_folder and list, "" is the root. No call follows a
 * symbolic link or opens anything but a regular file or folder. A file's handle counts from 0 and -1 is none. Durable means: in effect, and stays so if the power goes right after the return. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct disk {
        const struct disk_ops *ops;
};

#define DISK_PENDING ".pending-"         /* how names begin that list() leaves out: what replace() and point() have not finished */
enum { DISK_NAME_MAX = 255, DISK_PATH_MAX = 1023 };        /* ext4's; deepest of ours: streams/NAME/a/ and a release's path */

enum disk_kind { DISK_FILE, DISK_FOLDER, DISK_LINK, DISK_OTHER };
typedef enum err disk_visit(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why);

struct disk_ops {
        /* All of the new content or all of the old; never a mixture. Durable. */
        enum err (*replace)(struct disk *disk, const char *path, const void *bytes, size_t length, struct why *why);
        /* Appends the whole file to `into`; ERR_NOT_FOUND, ERR_LIMIT past `into`'s ceiling. */
        enum err (*read)(struct disk *disk, const char *path, struct buf *into, struct why *why);
        /* A new file, open for writing; ERR_BUSY if there is one. Durable only after file_sync + sync_folder. */
        enum err (*create)(struct disk *disk, const char *path, unsigned mode, int *ret_file, struct why *why);
        enum err (*open)(struct disk *disk, const char *path, int *ret_file, uint64_t *ret_length, struct why *why);
        enum err (*file_read)(struct disk *disk, int file, void *bytes, size_t bytes_max, size_t *ret_length, struct why *why);
        enum err (*file_write)(struct disk *disk, int file, const void *bytes, size_t length, struct why *why);
        enum err (*file_sync)(struct disk *disk, int file, struct why *why);
        void (*file_close)(struct disk *disk, int file);
        bool (*file_is_program)(struct disk *disk, int file);      /* its owner may run it */
        /* A file or folder as create() or make_folder() would make it now: ours, of this mode, and a file has no other name. A system
         * that keeps none of that says so of whatever is there. */
        bool (*is_as_made)(struct disk *disk, const char *path, unsigned mode);
        /* Fine if it exists; ERR_REFUSED: it is no folder. Durable only after sync_folder of its parent. */
        enum err (*make_folder)(struct disk *disk, const char *path, struct why *why);
        enum err (*sync_folder)(struct disk *disk, const char *path, struct why *why);
        /* A file or a link, which is there. Durable only after sync_folder or sync_system. */
        enum err (*remove)(struct disk *disk, const char *path, struct why *why);
        /* Where many files are written at once: all that was changed on the file system of this folder since it was opened, contents and
         * names, durable in one go. It waits for what others write there, too. *ret_file is -1 where the system cannot: each file is synced then. */
        enum err (*open_system)(struct disk *disk, const char *path, int *ret_file, struct why *why);
        enum err (*sync_system)(struct disk *disk, int file, struct why *why);
        enum err (*rename)(struct disk *disk, const char *from, const char *to, struct why *why); /* durable; replaces files */
        /* A file, a link or a folder with all below. Fine if absent. Durable; cut short, any part of it may be left. */
        enum err (*remove_tree)(struct disk *disk, const char *path, struct why *why);
        enum err (*list)(struct disk *disk, const char *path, disk_visit *visit, void *user, struct why *why);
        /* Atomically point the link `path` at the name `target` (same folder). Durable. */
        enum err (*point)(struct disk *disk, const char *path, const char *target, struct why *why);
        /* Where it points; ERR_NOT_FOUND: nothing there, or no link that point() could have made. */
        enum err (*pointed)(struct disk *disk, const char *path, char target[DISK_NAME_MAX + 1], struct why *why);
        enum err (*free_bytes)(struct disk *disk, uint64_t *ret_bytes, struct why *why);
};

/* For those who implement a disk: ERR_USAGE or ERR_LIMIT for a path that no call takes; a name is a path of one part. */
MUST_CHECK enum err disk_path_check(const char *path, struct why *why);
MUST_CHECK enum err disk_name_check(const char *name, struct why *why);
