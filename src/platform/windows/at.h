/* at.h - one name in an open folder, as openat(2) and its kin have it. Used by the other sources of this folder, nobody else.
 *
 * No call follows a link of any kind (a reparse point), and no name is taken that Windows would understand as something else: a stream of a
 * file, a device, the same file under a shorter name. All handles are closed with at_close(). */
#pragma once

#include "base/own.h"
#include "platform/disk.h"

#include <stdint.h>

typedef void *at_handle;                         /* HANDLE; NULL: none */

void at_close(at_handle handle);
OWN_DEFINE(at_handle, at_handle, at_close)
#define GIVE_HANDLE(handle) __extension__({ at_handle given_ = (handle); (handle) = NULL; given_; })

/* ERR_USAGE: Windows has another meaning for this name, or none. */
MUST_CHECK enum err at_name_check(const char *name, struct why *why);

/* A folder by a path of the system's own; links on the way are followed, as a person expects. */
MUST_CHECK enum err at_root(const char *path, at_handle *ret_folder, struct why *why);

/* ERR_REFUSED: it is a link, or of another kind. */
MUST_CHECK enum err at_folder(at_handle folder, const char *name, at_handle *ret_folder, struct why *why);
MUST_CHECK enum err at_file(at_handle folder, const char *name, at_handle *ret_file, uint64_t *ret_length, struct why *why);
/* ERR_BUSY: there is something. */
MUST_CHECK enum err at_new_file(at_handle folder, const char *name, at_handle *ret_file, struct why *why);
MUST_CHECK enum err at_new_folder(at_handle folder, const char *name, struct why *why);
/* The file that is there, or a new one; for this process alone until it is closed. ERR_BUSY: another process has it. */
MUST_CHECK enum err at_own_file(at_handle folder, const char *name, at_handle *ret_file, struct why *why);

/* ERR_NOT_FOUND: nothing has this name. */
MUST_CHECK enum err at_look(at_handle folder, const char *name, enum disk_kind *ret_kind, struct why *why);
MUST_CHECK enum err at_rename(at_handle from, const char *name, at_handle to, const char *new_name, struct why *why);
/* A file or an empty folder. ERR_NOT_FOUND; ERR_BUSY: the folder is not empty. */
MUST_CHECK enum err at_remove(at_handle folder, const char *name, struct why *why);
MUST_CHECK enum err at_write(at_handle file, const void *bytes, size_t length, struct why *why);
MUST_CHECK enum err at_sync(at_handle file, const char *name, struct why *why);
/* As far as Windows writes a folder to the device when it is asked to; see docs/decisions/025-windows.md. */
MUST_CHECK enum err at_sync_folder(at_handle folder, const char *name, struct why *why);
/* Each entry but `.` and `..`. */
MUST_CHECK enum err at_list(at_handle folder, disk_visit *visit, void *user, struct why *why);
