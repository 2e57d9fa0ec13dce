#include "platform/windows/at.h"

#include "platform/windows/wide.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

#include <winternl.h>

enum {
        LIST_BYTES = 32 << 10,
        WITH_LINKS_SHUT = FILE_OPEN_REPARSE_POINT | FILE_SYNCHRONOUS_IO_NONALERT,
        SHARED = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
        RENAME = 10, RENAME_EX = 65, DISPOSE = 13, DISPOSE_EX = 64,              /* FILE_INFORMATION_CLASS */
        REPLACE_IF_EXISTS = 1, POSIX_SEMANTICS = 2,                              /* of a renaming */
        HELD_TRIES = 25, HELD_MS = 20,
        DISPOSE_DELETE = 1, DISPOSE_POSIX = 2, DISPOSE_READ_ONLY_TOO = 16,
};

/* How NtSetInformationFile() takes it; the name follows. */
struct rename_information {
        ULONG flags;             /* of RENAME: a boolean */
        HANDLE folder;
        ULONG name_bytes;
        WCHAR name[DISK_NAME_MAX + 1];
};

void at_close(at_handle handle)
{
        if (handle)
                CloseHandle(handle);
}

static bool is_device(const char *name, size_t length)
{
        static const char *const devices[] = { "con", "prn", "aux", "nul", "conin$", "conout$" };
        if (length == 4 && (_strnicmp(name, "com", 3) == 0 || _strnicmp(name, "lpt", 3) == 0) && name[3] >= '0' && name[3] <= '9')
                return true;
        for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
                if (strlen(devices[i]) == length && _strnicmp(name, devices[i], length) == 0)
                        return true;
        return false;
}

/* A short name (RELEAS~1) is another file's, too: whoever checked one name would have the other. */
static bool may_be_short(const char *name)
{
        const char *tilde = strchr(name, '~');
        return tilde && tilde[1] >= '0' && tilde[1] <= '9' && strcspn(name, ".") <= 8;
}

enum err at_name_check(const char *name, struct why *why)
{
        size_t length = strlen(name);
        bool is_bad = !length || strpbrk(name, "\\/:*?\"<>|") || name[length - 1] == '.' || name[length - 1] == ' ' || is_device(name, strcspn(name, ".")) || may_be_short(name);
        for (const char *at = name; *at && !is_bad; at++)
                is_bad = (unsigned char)*at < ' ';
        return is_bad ? FAIL(why, ERR_USAGE, "%.100s: a name that Windows has no file for", name) : OK;
}

/* The length is that of the name alone: the system's own calls know no terminating NUL. */
struct name {
        WCHAR wide[DISK_NAME_MAX + 1];
        UNICODE_STRING text;
};

static enum err name_make(const char *name, struct name *ret_name, struct why *why)
{
        enum err e = at_name_check(name, why);
        if (e)
                return e;
        if (!wide_text(name, ret_name->wide, DISK_NAME_MAX + 1))
                return FAIL(why, ERR_USAGE, "%.100s: not UTF-8, or too long", name);
        USHORT bytes = (USHORT)(wcslen(ret_name->wide) * sizeof(WCHAR));
        ret_name->text = (UNICODE_STRING){ bytes, bytes, ret_name->wide };
        return OK;
}

struct how {
        ACCESS_MASK access;
        ULONG share, disposition, options, attributes;
};

static NTSTATUS open_name(HANDLE folder, struct name *name, const struct how *how, at_handle *ret_handle)
{
        IO_STATUS_BLOCK done;
        HANDLE handle;
        OBJECT_ATTRIBUTES object = { .Length = sizeof(object), .RootDirectory = folder, .ObjectName = &name->text, .Attributes = OBJ_CASE_INSENSITIVE };
        NTSTATUS status = NtCreateFile(&handle, how->access | SYNCHRONIZE, &object, &done, NULL, how->attributes, how->share, how->disposition,
                                       how->options | WITH_LINKS_SHUT, NULL, 0);
        if (NT_SUCCESS(status))
                *ret_handle = handle;
        return status;
}

static enum err failed(struct why *why, NTSTATUS status, const char *what, const char *name)
{
        return WIN_FAIL(why, RtlNtStatusToDosError(status), "%s %s", what, name);
}

static enum err open_as(at_handle folder, const char *name, const struct how *how, const char *what, at_handle *ret_handle, struct why *why)
{
        struct name wide;
        enum err e = name_make(name, &wide, why);
        NTSTATUS status = e ? 0 : open_name(folder, &wide, how, ret_handle);
        return e ? e : NT_SUCCESS(status) ? OK : failed(why, status, what, name);
}

static enum disk_kind kind_of(DWORD attributes)
{
        if (attributes & FILE_ATTRIBUTE_REPARSE_POINT)
                return DISK_LINK;
        return attributes & FILE_ATTRIBUTE_DIRECTORY ? DISK_FOLDER : attributes & FILE_ATTRIBUTE_DEVICE ? DISK_OTHER : DISK_FILE;
}

static bool look_at(HANDLE handle, enum disk_kind *ret_kind, uint64_t *ret_length)
{
        BY_HANDLE_FILE_INFORMATION info;
        if (GetFileType(handle) != FILE_TYPE_DISK || !GetFileInformationByHandle(handle, &info)) {
                *ret_kind = DISK_OTHER;
                return true;
        }
        *ret_kind = kind_of(info.dwFileAttributes);
        *ret_length = (uint64_t)info.nFileSizeHigh << 32 | info.nFileSizeLow;
        return true;
}

enum err at_root(const char *path, at_handle *ret_folder, struct why *why)
{
        wchar_t wide[WIDE_PATH_MAX];
        if (!wide_path(path, wide))
                return FAIL(why, ERR_USAGE, "%.150s: not a path that Windows takes", path);
        HANDLE handle = CreateFileW(wide, FILE_LIST_DIRECTORY | FILE_TRAVERSE | FILE_READ_ATTRIBUTES, SHARED, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
        if (handle == INVALID_HANDLE_VALUE)
                return WIN_FAIL(why, GetLastError(), "folder %s", path);
        enum disk_kind kind;
        uint64_t length;
        if (!look_at(handle, &kind, &length) || kind != DISK_FOLDER) {
                CloseHandle(handle);
                return FAIL(why, ERR_NOT_FOUND, "%s: not a folder", path);
        }
        *ret_folder = handle;
        return OK;
}

enum err at_folder(at_handle folder, const char *name, at_handle *ret_folder, struct why *why)
{
        OWN(at_handle) at_handle found = NULL;
        const struct how how = { FILE_LIST_DIRECTORY | FILE_TRAVERSE | FILE_READ_ATTRIBUTES, SHARED, FILE_OPEN, 0, 0 };
        enum err e = open_as(folder, name, &how, "folder", &found, why);
        enum disk_kind kind = DISK_OTHER;
        uint64_t length;
        if (e)
                return e;
        (void)look_at(found, &kind, &length);
        if (kind != DISK_FOLDER)
                return kind == DISK_LINK ? FAIL(why, ERR_REFUSED, "folder %s: a link is in the way; links are not followed here", name)
                                         : FAIL(why, ERR_NOT_FOUND, "folder %s: a part of the path is not a folder", name);
        *ret_folder = GIVE_HANDLE(found);
        return OK;
}

enum err at_file(at_handle folder, const char *name, at_handle *ret_file, uint64_t *ret_length, struct why *why)
{
        OWN(at_handle) at_handle found = NULL;
        const struct how how = { FILE_READ_DATA | FILE_READ_ATTRIBUTES, SHARED, FILE_OPEN, 0, 0 };
        enum err e = open_as(folder, name, &how, "file", &found, why);
        enum disk_kind kind = DISK_OTHER;
        if (e)
                return e;
        (void)look_at(found, &kind, ret_length);
        if (kind != DISK_FILE)
                return FAIL(why, ERR_REFUSED, "%s: not a regular file", name);
        *ret_file = GIVE_HANDLE(found);
        return OK;
}

enum err at_new_file(at_handle folder, const char *name, at_handle *ret_file, struct why *why)
{
        const struct how how = { FILE_WRITE_DATA | FILE_READ_ATTRIBUTES | DELETE, SHARED, FILE_CREATE, FILE_NON_DIRECTORY_FILE, FILE_ATTRIBUTE_NORMAL };
        return open_as(folder, name, &how, "new file", ret_file, why);
}

enum err at_new_folder(at_handle folder, const char *name, struct why *why)
{
        OWN(at_handle) at_handle new = NULL;
        const struct how how = { FILE_READ_ATTRIBUTES, SHARED, FILE_CREATE, FILE_DIRECTORY_FILE, FILE_ATTRIBUTE_NORMAL };
        return open_as(folder, name, &how, "new folder", &new, why);
}

enum err at_own_file(at_handle folder, const char *name, at_handle *ret_file, struct why *why)
{
        OWN(at_handle) at_handle found = NULL;
        const struct how how = { FILE_READ_DATA | FILE_WRITE_DATA | FILE_READ_ATTRIBUTES, FILE_SHARE_READ | FILE_SHARE_DELETE, FILE_OPEN_IF, FILE_NON_DIRECTORY_FILE, FILE_ATTRIBUTE_NORMAL };
        enum err e = open_as(folder, name, &how, "file", &found, why);
        enum disk_kind kind = DISK_OTHER;
        uint64_t length;
        if (e)
                return e;
        (void)look_at(found, &kind, &length);
        if (kind != DISK_FILE)
                return FAIL(why, ERR_REFUSED, "%s: not a regular file", name);
        *ret_file = GIVE_HANDLE(found);
        return OK;
}

enum err at_look(at_handle folder, const char *name, enum disk_kind *ret_kind, struct why *why)
{
        OWN(at_handle) at_handle found = NULL;
        uint64_t length;
        const struct how how = { FILE_READ_ATTRIBUTES, SHARED, FILE_OPEN, 0, 0 };
        enum err e = open_as(folder, name, &how, "looking at", &found, why);
        if (!e)
                (void)look_at(found, ret_kind, &length);
        return e;
}

/* An older system, or a file system other than NTFS, does not know how to. */
static bool is_unknown(NTSTATUS status)
{
        static const ULONG unknown[] = { 0xC0000002 /* not implemented */, 0xC0000003 /* no such class */, 0xC000000D /* parameter */, 0xC00000BB /* not supported */ };
        for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
                if ((ULONG)status == unknown[i])
                        return true;
        return false;
}

/* As POSIX has it, also while others have the old file open; a file system that cannot replaces it where nobody has. */
static NTSTATUS set_name(HANDLE file, const struct name *name, HANDLE folder)
{
        IO_STATUS_BLOCK done;
        struct rename_information wanted = { REPLACE_IF_EXISTS | POSIX_SEMANTICS, folder, name->text.Length, { 0 } };
        memcpy(wanted.name, name->wide, name->text.Length);
        NTSTATUS status = NtSetInformationFile(file, &done, &wanted, sizeof(wanted), (FILE_INFORMATION_CLASS)RENAME_EX);
        if (!is_unknown(status))
                return status;
        wanted.flags = 1;
        return NtSetInformationFile(file, &done, &wanted, sizeof(wanted), (FILE_INFORMATION_CLASS)RENAME);
}

/* Windows replaces no folder, not even an empty one: that goes first, and a cut between leaves it away. */
static enum err clear_folder(at_handle from, const char *name, at_handle to, const char *new_name, struct why *why)
{
        enum disk_kind old, new;
        struct why unsaid;
        if (at_look(to, new_name, &new, &unsaid) || new != DISK_FOLDER)
                return OK;
        enum err e = at_look(from, name, &old, why);
        if (!e && old != DISK_FOLDER)
                return FAIL(why, ERR_REFUSED, "%s: a folder is in its place: move it away", new_name);
        return e ? e : at_remove(to, new_name, why);
}

static bool is_held(NTSTATUS status)
{
        return (ULONG)status == 0xC0000043 /* sharing violation */ || (ULONG)status == 0xC0000022 /* access denied: it is open, or really barred */;
}

/* Somebody who looks at every file (a scanner for viruses), and without POSIX semantics anybody who reads the old one, has it open for a moment. */
static NTSTATUS set_name_when_free(HANDLE file, const struct name *name, HANDLE folder)
{
        NTSTATUS status = set_name(file, name, folder);
        for (int tries = 1; tries < HELD_TRIES && is_held(status); tries++) {
                Sleep(HELD_MS);
                status = set_name(file, name, folder);
        }
        return status;
}

enum err at_rename(at_handle from, const char *name, at_handle to, const char *new_name, struct why *why)
{
        OWN(at_handle) at_handle file = NULL;
        struct name wide;
        const struct how how = { DELETE | FILE_READ_ATTRIBUTES, SHARED, FILE_OPEN, 0, 0 };
        enum err e = clear_folder(from, name, to, new_name, why);
        if (!e)
                e = open_as(from, name, &how, "renaming", &file, why);
        if (!e)
                e = name_make(new_name, &wide, why);
        NTSTATUS status = e ? 0 : set_name_when_free(file, &wide, to);
        return e ? e : NT_SUCCESS(status) ? OK : failed(why, status, "replacing", new_name);
}

static NTSTATUS dispose(HANDLE file)
{
        IO_STATUS_BLOCK done;
        ULONG flags = DISPOSE_DELETE | DISPOSE_POSIX | DISPOSE_READ_ONLY_TOO;
        NTSTATUS status = NtSetInformationFile(file, &done, &flags, sizeof(flags), (FILE_INFORMATION_CLASS)DISPOSE_EX);
        if (!is_unknown(status))
                return status;
        BOOLEAN is_wanted = TRUE;
        return NtSetInformationFile(file, &done, &is_wanted, sizeof(is_wanted), (FILE_INFORMATION_CLASS)DISPOSE);
}

enum err at_remove(at_handle folder, const char *name, struct why *why)
{
        OWN(at_handle) at_handle file = NULL;
        const struct how how = { DELETE | FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES, SHARED, FILE_OPEN, 0, 0 };
        enum err e = open_as(folder, name, &how, "removing", &file, why);
        NTSTATUS status = e ? 0 : dispose(file);
        return e ? e : NT_SUCCESS(status) ? OK : failed(why, status, "removing", name);
}

enum err at_write(at_handle file, const void *bytes, size_t length, struct why *why)
{
        for (const char *from = bytes; length;) {
                DWORD written = 0;
                if (!WriteFile(file, from, length < INT32_MAX ? (DWORD)length : INT32_MAX, &written, NULL))
                        return WIN_FAIL(why, GetLastError(), "writing %zu bytes", length);
                from += written;
                length -= written;
        }
        return OK;
}

enum err at_sync(at_handle file, const char *name, struct why *why)
{
        return FlushFileBuffers(file) ? OK : WIN_FAIL(why, GetLastError(), "writing %s to the device", name);
}

enum err at_sync_folder(at_handle folder, const char *name, struct why *why)
{
        HANDLE writable = ReOpenFile(folder, FILE_ADD_FILE | FILE_LIST_DIRECTORY, SHARED, FILE_FLAG_BACKUP_SEMANTICS);
        bool is_done = writable != INVALID_HANDLE_VALUE && FlushFileBuffers(writable);
        DWORD number = is_done ? 0 : GetLastError();
        if (writable != INVALID_HANDLE_VALUE)
                CloseHandle(writable);
        return number == ERROR_IO_DEVICE || number == ERROR_WRITE_PROTECT || number == ERROR_DISK_FULL ? WIN_FAIL(why, number, "writing %s to the device", name) : OK;
}

static enum err visit_all(const FILE_FULL_DIR_INFO *entry, disk_visit *visit, void *user, struct why *why)
{
        for (;; entry = (const FILE_FULL_DIR_INFO *)((const char *)entry + entry->NextEntryOffset)) {
                wchar_t wide[DISK_NAME_MAX + 1] = L"";
                char name[4 * (DISK_NAME_MAX + 1)];
                size_t length = entry->FileNameLength / sizeof(WCHAR);
                memcpy(wide, entry->FileName, (length < DISK_NAME_MAX ? length : DISK_NAME_MAX) * sizeof(WCHAR));
                enum disk_kind kind = kind_of(entry->FileAttributes);
                bool is_one = wide_narrow(wide, name, sizeof(name)) && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
                enum err e = is_one ? visit(user, name, kind, kind == DISK_FILE ? (uint64_t)entry->EndOfFile.QuadPart : 0, why) : OK;
                if (e || !entry->NextEntryOffset)
                        return e;
        }
}

enum err at_list(at_handle folder, disk_visit *visit, void *user, struct why *why)
{
        _Alignas(8) char entries[LIST_BYTES];
        FILE_INFO_BY_HANDLE_CLASS how = FileFullDirectoryRestartInfo;
        for (enum err e = OK; !e; how = FileFullDirectoryInfo) {
                if (!GetFileInformationByHandleEx(folder, how, entries, sizeof(entries)))
                        return GetLastError() == ERROR_NO_MORE_FILES || GetLastError() == ERROR_FILE_NOT_FOUND ? OK : WIN_FAIL(why, GetLastError(), "listing");
                e = visit_all((const FILE_FULL_DIR_INFO *)entries, visit, user, why);
                if (e)
                        return e;
        }
        return OK;
}
