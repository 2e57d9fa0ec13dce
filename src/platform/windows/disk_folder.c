#include "platform/disk_folder.h"

#include "base/mem.h"
#include "platform/windows/at.h"
#include "platform/windows/wide.h"

#include <string.h>
#include <windows.h>

#include <sddl.h>

enum { READ_BYTES = 16 << 10, TREE_DEPTH_MAX = 160 };

/* A new file waits under the first until it is whole. What a link is elsewhere is here a file that holds the name it points to: links take a
 * privilege on Windows, and are not replaced in one step. Neither is listed under its own name. */
static const char pending_prefix[] = ".pending-", pointer_prefix[] = ".points-";
enum { PREFIXED_BYTES = DISK_NAME_MAX + 1 + sizeof(".pending-") };

struct disk_folder {
        struct disk disk;
        at_handle root, lock;
};

/* The folder that holds the last part of a path, and that part. */
struct place {
        at_handle folder;
        char name[DISK_NAME_MAX + 1];
};
static void place_release(struct place *place) { at_close(place->folder); }

/* Opened anew, not only named anew: where a listing stands belongs to what is open. */
static at_handle again(at_handle folder)
{
        HANDLE copy = ReOpenFile(folder, FILE_LIST_DIRECTORY | FILE_TRAVERSE | FILE_READ_ATTRIBUTES, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, FILE_FLAG_BACKUP_SEMANTICS);
        return copy == INVALID_HANDLE_VALUE ? NULL : copy;
}

static bool has_prefix(const char *name, const char *prefix)
{
        return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* Part by part, so that no link on the way can lead out. */
static enum err place_open(struct disk *disk, const char *path, struct place *ret_place, struct why *why)
{
        enum err e = disk_path_check(path, why);
        OWN(at_handle) at_handle folder = e ? NULL : again(((struct disk_folder *)disk)->root);
        if (!e && !folder)
                e = WIN_FAIL(why, GetLastError(), "%s", path);
        size_t length;
        for (; !e && (length = strcspn(path, "/"), path[length]); path += length + 1) {
                char name[DISK_NAME_MAX + 1] = "";
                memcpy(name, path, length);
                at_handle next = NULL;
                e = at_folder(folder, name, &next, why);
                if (!e) {
                        at_close(folder);
                        folder = next;
                }
        }
        if (e)
                return e;
        if (has_prefix(path, pending_prefix) || has_prefix(path, pointer_prefix))
                return FAIL(why, ERR_REFUSED, "%.100s: names that begin so are ours", path);
        memcpy(ret_place->name, path, length + 1);
        ret_place->folder = GIVE_HANDLE(folder);
        return OK;
}

#define NOWHERE { .folder = NULL }

/* The folder itself; "" is the root. */
static enum err open_folder(struct disk *disk, const char *path, at_handle *ret_folder, struct why *why)
{
        if (!*path) {
                *ret_folder = again(((struct disk_folder *)disk)->root);
                return *ret_folder ? OK : WIN_FAIL(why, GetLastError(), "the folder");
        }
        OWN(place) struct place place = NOWHERE;
        enum err e = place_open(disk, path, &place, why);
        return e ? e : at_folder(place.folder, place.name, ret_folder, why);
}

static bool is_there(at_handle folder, const char *name, enum disk_kind *ret_kind)
{
        struct why why;
        return at_look(folder, name, ret_kind, &why) == OK;
}

static void prefixed(const char *prefix, const char *name, char text[PREFIXED_BYTES])
{
        snprintf(text, PREFIXED_BYTES, "%s%s", prefix, name);
}

static bool is_pointer(const struct place *place)
{
        char pointer[PREFIXED_BYTES];
        enum disk_kind kind;
        prefixed(pointer_prefix, place->name, pointer);
        return is_there(place->folder, pointer, &kind);
}

static enum err write_new(at_handle folder, const char *name, const void *bytes, size_t length, struct why *why)
{
        OWN(at_handle) at_handle file = NULL;
        enum err e = at_new_file(folder, name, &file, why);
        if (!e)
                e = at_write(file, bytes, length, why);
        return e ? e : at_sync(file, name, why);
}

/* All of the new file, or what was there. */
static enum err replace_at(at_handle folder, const char *name, const void *bytes, size_t length, struct why *why)
{
        char pending[PREFIXED_BYTES + sizeof(pointer_prefix)];
        struct why unsaid;
        snprintf(pending, sizeof(pending), "%s%s", pending_prefix, name);
        (void)!at_remove(folder, pending, &unsaid);
        enum err e = write_new(folder, pending, bytes, length, why);
        if (!e)
                e = at_rename(folder, pending, folder, name, why);
        if (e)
                (void)!at_remove(folder, pending, &unsaid);
        return e ? e : at_sync_folder(folder, name, why);
}

static enum err folder_replace(struct disk *disk, const char *path, const void *bytes, size_t length, struct why *why)
{
        OWN(place) struct place place = NOWHERE;
        enum disk_kind kind;
        enum err e = place_open(disk, path, &place, why);
        if (e)
                return e;
        if (is_pointer(&place) || (is_there(place.folder, place.name, &kind) && kind == DISK_FOLDER))
                return FAIL(why, ERR_REFUSED, "%s: a folder or a link is in its place: move it away", path);
        return replace_at(place.folder, place.name, bytes, length, why);
}

enum err disk_folder_try(struct disk *disk, const char *path, struct why *why)
{
        OWN(place) struct place place = NOWHERE;
        char pending[PREFIXED_BYTES];
        struct why unsaid;
        enum err e = place_open(disk, path, &place, why);
        if (e)
                return e;
        prefixed(pending_prefix, place.name, pending);
        (void)!at_remove(place.folder, pending, &unsaid);
        OWN(at_handle) at_handle file = NULL;
        e = at_new_file(place.folder, pending, &file, why);
        (void)!at_remove(place.folder, pending, &unsaid);
        return e;
}

static enum err open_regular(struct disk *disk, const char *path, at_handle *ret_file, uint64_t *ret_length, struct why *why)
{
        OWN(place) struct place place = NOWHERE;
        enum err e = place_open(disk, path, &place, why);
        if (!e && is_pointer(&place))
                return FAIL(why, ERR_REFUSED, "%s: not a regular file", path);
        return e ? e : at_file(place.folder, place.name, ret_file, ret_length, why);
}

static enum err folder_open(struct disk *disk, const char *path, int *ret_file, uint64_t *ret_length, struct why *why)
{
        at_handle file = NULL;
        enum err e = open_regular(disk, path, &file, ret_length, why);
        if (!e)
                *ret_file = wide_file(file);
        return e;
}

static enum err read_some(HANDLE file, void *bytes, size_t bytes_max, size_t *ret_length, struct why *why)
{
        DWORD length = 0;
        if (!ReadFile(file, bytes, bytes_max < INT32_MAX ? (DWORD)bytes_max : INT32_MAX, &length, NULL) && GetLastError() != ERROR_HANDLE_EOF)
                return WIN_FAIL(why, GetLastError(), "reading");
        *ret_length = length;
        return OK;
}

static enum err read_all(at_handle file, struct buf *into, struct why *why)
{
        for (;;) {
                char bytes[READ_BYTES];
                size_t length = 0;
                enum err e = read_some(file, bytes, sizeof(bytes), &length, why);
                if (!e && !length)
                        return OK;
                if (!e) {
                        buf_add(into, bytes, length);
                        e = buf_check(into, why);
                }
                if (e)
                        return e;
        }
}

static enum err folder_read(struct disk *disk, const char *path, struct buf *into, struct why *why)
{
        OWN(at_handle) at_handle file = NULL;
        uint64_t expected;
        enum err e = open_regular(disk, path, &file, &expected, why);
        if (e)
                return e;
        e = read_all(file, into, why);
        return e ? DURING(why, e, "%s", path) : OK;
}

static enum err folder_create(struct disk *disk, const char *path, unsigned mode, int *ret_file, struct why *why)
{
        OWN(place) struct place place = NOWHERE;
        at_handle file = NULL;
        (void)mode;                              /* the folder's permissions are the file's */
        enum err e = place_open(disk, path, &place, why);
        if (!e && is_pointer(&place))
                e = FAIL(why, ERR_BUSY, "new file %s: there already", path);
        if (!e)
                e = at_new_file(place.folder, place.name, &file, why);
        if (!e)
                *ret_file = wide_file(file);
        return e;
}

static enum err folder_file_read(struct disk *disk, int file, void *bytes, size_t bytes_max, size_t *ret_length, struct why *why)
{
        (void)disk;
        return read_some(wide_handle(file), bytes, bytes_max, ret_length, why);
}

static enum err folder_file_write(struct disk *disk, int file, const void *bytes, size_t length, struct why *why)
{
        (void)disk;
        return at_write(wide_handle(file), bytes, length, why);
}

static enum err folder_file_sync(struct disk *disk, int file, struct why *why)
{
        (void)disk;
        return at_sync(wide_handle(file), "a file", why);
}

static void folder_file_close(struct disk *disk, int file)
{
        (void)disk;
        if (file != -1)
                CloseHandle(wide_handle(file));
}

/* There is no mark for it here: whether a file runs is a matter of its name and of what is in it. */
static bool folder_file_is_program(struct disk *disk, int file)
{
        (void)disk, (void)file;
        return true;
}

static bool folder_is_as_made(struct disk *disk, const char *path, unsigned mode)
{
        (void)disk, (void)path, (void)mode;
        return true;
}

static enum err folder_make_folder(struct disk *disk, const char *path, struct why *why)
{
        OWN(place) struct place place = NOWHERE;
        enum disk_kind kind;
        enum err e = place_open(disk, path, &place, why);
        if (e)
                return e;
        bool is_taken = is_there(place.folder, place.name, &kind);
        if (is_pointer(&place) || (is_taken && kind != DISK_FOLDER))
                return FAIL(why, ERR_REFUSED, "%s: not a folder: move it away", path);
        return is_taken ? OK : at_new_folder(place.folder, place.name, why);
}

static enum err folder_sync_folder(struct disk *disk, const char *path, struct why *why)
{
        OWN(at_handle) at_handle folder = NULL;
        enum err e = open_folder(disk, path, &folder, why);
        return e ? e : at_sync_folder(folder, path, why);
}

static enum err folder_rename(struct disk *disk, const char *from, const char *to, struct why *why)
{
        OWN(place) struct place old = NOWHERE;
        OWN(place) struct place new = NOWHERE;
        enum err e = place_open(disk, from, &old, why);
        if (!e)
                e = place_open(disk, to, &new, why);
        if (!e)
                e = at_rename(old.folder, old.name, new.folder, new.name, why);
        if (!e)
                e = at_sync_folder(new.folder, to, why);
        return e ? e : at_sync_folder(old.folder, from, why);
}

struct removal {
        at_handle folder;
        unsigned depth;
};

static enum err remove_one(const struct removal *removal, const char *name, enum disk_kind kind, struct why *why);

static enum err remove_entry(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        (void)length;
        return remove_one(user, name, kind, why);
}

static enum err remove_one(const struct removal *removal, const char *name, enum disk_kind kind, struct why *why)
{
        if (kind == DISK_FOLDER) {
                if (removal->depth == TREE_DEPTH_MAX)
                        return FAIL(why, ERR_LIMIT, "removing %s: folders more than %d deep", name, TREE_DEPTH_MAX);
                OWN(at_handle) at_handle below = NULL;
                enum err e = at_folder(removal->folder, name, &below, why);
                if (!e)
                        e = at_list(below, remove_entry, &(struct removal){ below, removal->depth + 1 }, why);
                if (e)
                        return e;
        }
        enum err e = at_remove(removal->folder, name, why);
        return e == ERR_NOT_FOUND ? OK : e;
}

static enum err folder_remove(struct disk *disk, const char *path, struct why *why)
{
        OWN(place) struct place place = NOWHERE;
        char pointer[PREFIXED_BYTES];
        enum err e = place_open(disk, path, &place, why);
        if (e)
                return e;
        prefixed(pointer_prefix, place.name, pointer);
        enum disk_kind kind;
        if (is_pointer(&place))
                return at_remove(place.folder, pointer, why);
        if (is_there(place.folder, place.name, &kind) && kind == DISK_FOLDER)
                return FAIL(why, ERR_REFUSED, "removing %s: a folder", path);
        return at_remove(place.folder, place.name, why);
}

/* Only an administrator may have a whole volume flushed, and the agent is none. */
static enum err folder_open_system(struct disk *disk, const char *path, int *ret_file, struct why *why)
{
        OWN(place) struct place place = NOWHERE;
        enum disk_kind kind;
        enum err e = place_open(disk, path, &place, why);
        *ret_file = -1;
        if (e)
                return e;
        return is_there(place.folder, place.name, &kind) && kind == DISK_FOLDER ? OK : FAIL(why, ERR_NOT_FOUND, "%s: no folder", path);
}

static enum err folder_sync_system(struct disk *disk, int file, struct why *why)
{
        (void)disk;
        (void)file;
        return FAIL(why, ERR_IO, "no file system of Windows is synced at once");
}

static enum err folder_remove_tree(struct disk *disk, const char *path, struct why *why)
{
        OWN(place) struct place place = NOWHERE;
        char pointer[PREFIXED_BYTES];
        enum disk_kind kind;
        enum err e = place_open(disk, path, &place, why);
        if (e)
                return e == ERR_NOT_FOUND ? OK : e;
        prefixed(pointer_prefix, place.name, pointer);
        const struct removal removal = { place.folder, 1 };
        if (is_there(place.folder, pointer, &kind))
                e = remove_one(&removal, pointer, kind, why);
        if (!e && is_there(place.folder, place.name, &kind))
                e = remove_one(&removal, place.name, kind, why);
        return e ? e : at_sync_folder(place.folder, path, why);
}

struct visit {
        disk_visit *visit;
        void *user;
};

static enum err visit_entry(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        const struct visit *visit = user;
        if (has_prefix(name, pending_prefix))
                return OK;
        if (has_prefix(name, pointer_prefix))
                return visit->visit(visit->user, name + strlen(pointer_prefix), DISK_LINK, 0, why);
        return visit->visit(visit->user, name, kind, length, why);
}

static enum err folder_list(struct disk *disk, const char *path, disk_visit *visit, void *user, struct why *why)
{
        OWN(at_handle) at_handle folder = NULL;
        enum err e = open_folder(disk, path, &folder, why);
        return e ? e : at_list(folder, visit_entry, &(struct visit){ visit, user }, why);
}

static enum err folder_point(struct disk *disk, const char *path, const char *target, struct why *why)
{
        OWN(place) struct place place = NOWHERE;
        char pointer[PREFIXED_BYTES];
        enum disk_kind kind;
        enum err e = disk_name_check(target, why);
        if (!e)
                e = place_open(disk, path, &place, why);
        if (e)
                return e;
        if (is_there(place.folder, place.name, &kind))
                return FAIL(why, ERR_REFUSED, "new link %s: something else is in its place: move it away", path);
        prefixed(pointer_prefix, place.name, pointer);
        return replace_at(place.folder, pointer, target, strlen(target), why);
}

static enum err folder_pointed(struct disk *disk, const char *path, char target[DISK_NAME_MAX + 1], struct why *why)
{
        OWN(place) struct place place = NOWHERE;
        OWN(at_handle) at_handle file = NULL;
        char pointer[PREFIXED_BYTES];
        uint64_t expected;
        OWN(buf) struct buf text;
        buf_init(&text, DISK_NAME_MAX);
        enum err e = place_open(disk, path, &place, why);
        if (e)
                return e;
        prefixed(pointer_prefix, place.name, pointer);
        e = at_file(place.folder, pointer, &file, &expected, why);
        if (!e)
                e = read_all(file, &text, why);
        if (e == ERR_LIMIT || (!e && (strlen(buf_text(&text)) != text.length || disk_name_check(buf_text(&text), why))))
                return FAIL(why, ERR_NOT_FOUND, "%s: not a link to a name", path);
        if (!e)
                memcpy(target, buf_text(&text), text.length + 1);
        return e;
}

static enum err folder_free_bytes(struct disk *disk, uint64_t *ret_bytes, struct why *why)
{
        wchar_t path[WIDE_PATH_MAX];
        ULARGE_INTEGER room;
        DWORD length = GetFinalPathNameByHandleW(((struct disk_folder *)disk)->root, path, WIDE_PATH_MAX, 0);
        if (!length || length >= WIDE_PATH_MAX || !GetDiskFreeSpaceExW(path, &room, NULL, NULL))
                return WIN_FAIL(why, GetLastError(), "asking for free room");
        *ret_bytes = room.QuadPart;
        return OK;
}

static const struct disk_ops folder_ops = {
        .replace = folder_replace, .read = folder_read, .create = folder_create, .open = folder_open,
        .file_read = folder_file_read, .file_write = folder_file_write, .file_sync = folder_file_sync,
        .file_close = folder_file_close, .file_is_program = folder_file_is_program, .is_as_made = folder_is_as_made, .make_folder = folder_make_folder, .sync_folder = folder_sync_folder,
        .remove = folder_remove, .open_system = folder_open_system, .sync_system = folder_sync_system, .rename = folder_rename, .remove_tree = folder_remove_tree, .list = folder_list, .point = folder_point,
        .pointed = folder_pointed, .free_bytes = folder_free_bytes,
};

static enum err attach(const char *root, struct disk **ret_disk, struct why *why)
{
        at_handle handle = NULL;
        enum err e = at_root(root, &handle, why);
        struct disk_folder *folder = e ? NULL : mem_new(1, sizeof(*folder));
        if (e || !folder) {
                at_close(handle);
                return e ? e : FAIL(why, ERR_NOMEM, "out of memory for folder %s", root);
        }
        folder->disk.ops = &folder_ops;
        folder->root = handle;
        *ret_disk = &folder->disk;
        return OK;
}

/* For the system, the administrators and its owner; what is made in it gets the same, and nothing of the folders above. */
static enum err make_private(const char *root, struct why *why)
{
        wchar_t wide[WIDE_PATH_MAX];
        SECURITY_ATTRIBUTES security = { .nLength = sizeof(security) };
        if (!wide_path(root, wide))
                return FAIL(why, ERR_USAGE, "%.150s: not a path that Windows takes", root);
        if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(L"D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;OW)", SDDL_REVISION_1, &security.lpSecurityDescriptor, NULL))
                return WIN_FAIL(why, GetLastError(), "making folder %s", root);
        bool is_made = CreateDirectoryW(wide, &security);
        DWORD number = is_made ? 0 : GetLastError();
        LocalFree(security.lpSecurityDescriptor);
        return is_made || number == ERROR_ALREADY_EXISTS ? OK : WIN_FAIL(why, number, "making folder %s", root);
}

enum err disk_folder_open(const char *root, struct disk **ret_disk, struct why *why)
{
        enum err e = make_private(root, why);
        return e ? e : attach(root, ret_disk, why);
}

static enum err go_below(struct disk *disk, const char *below, struct why *why)
{
        struct disk_folder *folder = (struct disk_folder *)disk;
        at_handle found = NULL;
        enum err e = open_folder(disk, below, &found, why);
        if (!e) {
                at_close(folder->root);
                folder->root = found;
        }
        return e;
}

enum err disk_folder_find(const char *root, const char *below, struct disk **ret_disk, struct why *why)
{
        OWN(disk_folder) struct disk *disk = NULL;
        enum err e = attach(root, &disk, why);
        if (!e && below)
                e = go_below(disk, below, why);
        if (!e)
                *ret_disk = GIVE(disk);
        return e;
}

enum err disk_folder_lock(struct disk *disk, struct why *why)
{
        struct disk_folder *folder = (struct disk_folder *)disk;
        enum err e = at_own_file(folder->root, "lock", &folder->lock, why);
        return e == ERR_BUSY ? FAIL(why, ERR_BUSY, "the state folder is in use by another process: end that one first") : e;
}

enum err disk_folder_part(struct disk *disk, const char *name, int *ret_file, struct why *why)
{
        at_handle file = NULL;
        enum err e = at_own_file(((struct disk_folder *)disk)->root, name, &file, why);
        if (e)
                return e == ERR_BUSY ? FAIL(why, ERR_BUSY, "another process is downloading into this folder") : e;
        if (!SetEndOfFile(file)) {
                e = WIN_FAIL(why, GetLastError(), "emptying %s", name);
                at_close(file);
                return e;
        }
        *ret_file = wide_file(file);
        return OK;
}

bool disk_folder_is(const struct disk *disk, const struct disk *other)
{
        BY_HANDLE_FILE_INFORMATION one, two;
        return GetFileInformationByHandle(((const struct disk_folder *)disk)->root, &one) && GetFileInformationByHandle(((const struct disk_folder *)other)->root, &two)
               && one.dwVolumeSerialNumber == two.dwVolumeSerialNumber && one.nFileIndexHigh == two.nFileIndexHigh && one.nFileIndexLow == two.nFileIndexLow;
}

void disk_folder_close(struct disk *disk)
{
        if (!disk)
                return;
        at_close(((struct disk_folder *)disk)->lock);
        at_close(((struct disk_folder *)disk)->root);
        mem_free(disk);
}
