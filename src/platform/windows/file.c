#include "platform/file.h"

#include "platform/child.h"
#include "platform/windows/at.h"
#include "platform/windows/wide.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

enum { PART_BYTES = 16384, DESCRIPTOR_BYTES = 16384, TREE_DEPTH_MAX = 64, SHARED = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE };

static HANDLE open_path(const char *path, DWORD access, DWORD disposition, DWORD flags)
{
        wchar_t wide[WIDE_PATH_MAX];
        if (wide_path(path, wide))
                return CreateFileW(wide, access, SHARED, NULL, disposition, flags, NULL);
        SetLastError(ERROR_BAD_PATHNAME);
        return INVALID_HANDLE_VALUE;
}

static bool look(const char *path, BY_HANDLE_FILE_INFORMATION *ret_info)
{
        HANDLE file = open_path(path, FILE_READ_ATTRIBUTES, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS);
        if (file == INVALID_HANDLE_VALUE)
                return false;
        bool is_seen = GetFileType(file) == FILE_TYPE_DISK && GetFileInformationByHandle(file, ret_info);
        if (!is_seen)
                *ret_info = (BY_HANDLE_FILE_INFORMATION){ .dwFileAttributes = FILE_ATTRIBUTE_DEVICE };
        CloseHandle(file);
        return true;
}

enum file_kind file_kind(const char *path)
{
        BY_HANDLE_FILE_INFORMATION info;
        if (!look(path, &info))
                return FILE_ABSENT;
        return info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY ? FILE_FOLDER : info.dwFileAttributes & FILE_ATTRIBUTE_DEVICE ? FILE_OTHER : FILE_REGULAR;
}

static enum err not_empty(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        (void)user, (void)kind, (void)length;
        return FAIL(why, ERR_BUSY, "%s is there", name);
}

bool file_is_empty(const char *path)
{
        BY_HANDLE_FILE_INFORMATION info;
        struct why why;
        if (!look(path, &info) || info.dwFileAttributes & FILE_ATTRIBUTE_DEVICE)
                return false;
        if (!(info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY))
                return !info.nFileSizeHigh && !info.nFileSizeLow;
        OWN(at_handle) at_handle folder = NULL;
        return at_root(path, &folder, &why) == OK && at_list(folder, not_empty, NULL, &why) == OK;
}

enum err file_check_regular(const char *path, struct why *why)
{
        enum file_kind kind = file_kind(path);
        bool is_bad = kind == FILE_FOLDER || kind == FILE_OTHER;
        return is_bad ? FAIL(why, ERR_REFUSED, "%s is %s, not a file", path, kind == FILE_FOLDER ? "a folder" : "a pipe or a device") : OK;
}

bool file_can_be_read(const char *path)
{
        HANDLE file = open_path(path, GENERIC_READ, OPEN_EXISTING, 0);
        if (file != INVALID_HANDLE_VALUE)
                CloseHandle(file);
        return file != INVALID_HANDLE_VALUE;
}

static bool is_well_known(PSID sid, WELL_KNOWN_SID_TYPE kind)
{
        return IsWellKnownSid(sid, kind);
}

/* Whoever these are could do as they like in any case. */
static bool is_trusted(PSID sid, PSID own)
{
        return EqualSid(sid, own) || is_well_known(sid, WinLocalSystemSid) || is_well_known(sid, WinBuiltinAdministratorsSid) || is_well_known(sid, WinCreatorOwnerSid)
               || is_well_known(sid, WinCreatorOwnerRightsSid);
}

static bool may_others_write(PACL list, PSID own)
{
        const DWORD to_write = FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_DELETE_CHILD | WRITE_DAC | WRITE_OWNER | GENERIC_WRITE | GENERIC_ALL;
        for (DWORD i = 0; list && i < list->AceCount; i++) {
                ACCESS_ALLOWED_ACE *entry = NULL;
                if (!GetAce(list, i, (void **)&entry))
                        return true;
                if (entry->Header.AceType == ACCESS_ALLOWED_ACE_TYPE && entry->Mask & to_write && !is_trusted(&entry->SidStart, own))
                        return true;
        }
        return !list;                            /* no list at all lets everybody do everything */
}

enum err file_check_own(const char *path, struct why *why)
{
        wchar_t wide[WIDE_PATH_MAX];
        PSID owner = NULL;
        PACL list = NULL;
        BOOL is_there, is_default;
        _Alignas(8) char descriptor[DESCRIPTOR_BYTES], token[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
        DWORD length;
        if (!wide_path(path, wide))
                return FAIL(why, ERR_USAGE, "%.150s: not a path that Windows takes", path);
        if (!GetFileSecurityW(wide, OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, descriptor, sizeof(descriptor), &length)
            || !GetSecurityDescriptorOwner(descriptor, &owner, &is_default) || !GetSecurityDescriptorDacl(descriptor, &is_there, &list, &is_default))
                return WIN_FAIL(why, GetLastError(), "%s", path);
        enum err e = OK;
        if (!GetTokenInformation(GetCurrentProcessToken(), TokenUser, token, sizeof(token), &length))
                e = WIN_FAIL(why, GetLastError(), "asking who this is");
        PSID own = e ? NULL : ((TOKEN_USER *)token)->User.Sid;
        if (!e && !is_trusted(owner, own))
                e = FAIL(why, ERR_REFUSED, "%s is another user's: start this as that one, or give it to this one (icacls /setowner)", path);
        if (!e && may_others_write(list, own))
                e = FAIL(why, ERR_REFUSED, "others than its owner may write to %s: take that away (icacls /inheritance:r)", path);
        return e;
}

unsigned file_mode(const char *path)
{
        (void)path;
        return 0600;                             /* permissions are lists here, and come from the folder */
}

void file_set_mode(const char *path, unsigned mode)
{
        (void)path, (void)mode;
}

uint64_t file_mark(const char *path)
{
        BY_HANDLE_FILE_INFORMATION info;
        if (!look(path, &info))
                return 0;
        uint64_t changed = (uint64_t)info.ftLastWriteTime.dwHighDateTime << 32 | info.ftLastWriteTime.dwLowDateTime, number = (uint64_t)info.nFileIndexHigh << 32 | info.nFileIndexLow;
        return (changed ^ number * 0x9e3779b97f4a7c15u) | 1;
}

/* What a process makes gets its permissions from the folder: there is nothing like a umask. */
void file_private(void)
{
}

static enum err read_parts(HANDLE take_file, const char *path, file_take *take, void *user, struct why *why)
{
        enum err e = OK;
        for (DWORD got = 1; !e && got;) {
                char part[PART_BYTES];
                got = 0;
                if (ReadFile(take_file, part, sizeof(part), &got, NULL))
                        take(user, part, got);
                else if (GetLastError() != ERROR_HANDLE_EOF && GetLastError() != ERROR_BROKEN_PIPE)
                        e = WIN_FAIL(why, GetLastError(), "%s", path);
        }
        CloseHandle(take_file);
        return e;
}

static void take_all(void *user, const void *bytes, size_t length)
{
        buf_add(user, bytes, length);
}

/* Stops at the ceiling, not at the end of what may have none. */
static enum err read_all(HANDLE take_file, const char *path, struct buf *into, struct why *why)
{
        enum err e = OK;
        for (DWORD got = 1; !e && got;) {
                char part[PART_BYTES];
                got = 0;
                if (ReadFile(take_file, part, sizeof(part), &got, NULL)) {
                        take_all(into, part, got);
                        e = buf_check(into, why);
                        if (e)
                                e = DURING(why, e, "reading %.150s", path);
                } else if (GetLastError() != ERROR_HANDLE_EOF && GetLastError() != ERROR_BROKEN_PIPE) {
                        e = WIN_FAIL(why, GetLastError(), "%s", path);
                }
        }
        CloseHandle(take_file);
        return e;
}

/* The standard input by its name is read from its start, and can be read again. */
static HANDLE open_input(void)
{
        HANDLE own = GetStdHandle(STD_INPUT_HANDLE), copy = INVALID_HANDLE_VALUE;
        LARGE_INTEGER start = { .QuadPart = 0 };
        if (!DuplicateHandle(GetCurrentProcess(), own, GetCurrentProcess(), &copy, 0, FALSE, DUPLICATE_SAME_ACCESS) || !SetFilePointerEx(copy, start, NULL, FILE_BEGIN))
                return INVALID_HANDLE_VALUE;
        return copy;
}

enum err file_read(const char *path, struct buf *into, struct why *why)
{
        HANDLE file = strcmp(path, child_input) == 0 ? open_input() : open_path(path, GENERIC_READ, OPEN_EXISTING, 0);
        return file == INVALID_HANDLE_VALUE ? WIN_FAIL(why, GetLastError(), "%s", path) : read_all(file, path, into, why);
}

enum err file_read_input(struct buf *into, struct why *why)
{
        return read_all(GetStdHandle(STD_INPUT_HANDLE), "standard input", into, why);
}

static enum err open_regular(const char *path, HANDLE *ret_file, struct why *why)
{
        enum file_kind kind = file_kind(path);
        if (kind == FILE_FOLDER || kind == FILE_OTHER)
                return FAIL(why, ERR_REFUSED, "%s is no file", path);
        *ret_file = open_path(path, GENERIC_READ, OPEN_EXISTING, 0);
        return *ret_file == INVALID_HANDLE_VALUE ? WIN_FAIL(why, GetLastError(), "%s", path) : OK;
}

enum err file_read_regular(const char *path, struct buf *into, struct why *why)
{
        HANDLE file;
        enum err e = open_regular(path, &file, why);
        return e ? e : read_all(file, path, into, why);
}

enum err file_read_parts(const char *path, file_take *take, void *user, struct why *why)
{
        HANDLE file;
        enum err e = open_regular(path, &file, why);
        return e ? e : read_parts(file, path, take, user, why);
}

enum err file_write(const char *path, const void *bytes, size_t length, struct why *why)
{
        HANDLE file = open_path(path, GENERIC_WRITE, OPEN_ALWAYS, FILE_FLAG_OPEN_REPARSE_POINT);
        BY_HANDLE_FILE_INFORMATION info;
        if (file == INVALID_HANDLE_VALUE)
                return WIN_FAIL(why, GetLastError(), "%s", path);
        enum err e = OK;
        if (GetFileType(file) == FILE_TYPE_DISK && (!GetFileInformationByHandle(file, &info) || info.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT))
                e = FAIL(why, ERR_REFUSED, "%s: a link is in the way; links are not followed here", path);
        else if (GetFileType(file) == FILE_TYPE_DISK && !SetEndOfFile(file))
                e = WIN_FAIL(why, GetLastError(), "%s", path);
        if (!e)
                e = at_write(file, bytes, length, why);
        CloseHandle(file);
        return e ? DURING(why, e, "%.150s", path) : OK;
}

void file_remove(const char *path)
{
        wchar_t wide[WIDE_PATH_MAX];
        if (wide_path(path, wide))
                (void)DeleteFileW(wide);
}

enum err file_temporary(char path[static 64], struct why *why)
{
        wchar_t folder[MAX_PATH + 1];
        char base[MAX_PATH * 3];
        DWORD length = GetTempPathW(MAX_PATH + 1, folder);
        if (!length || length > MAX_PATH || !wide_narrow(folder, base, sizeof(base)))
                return WIN_FAIL(why, GetLastError(), "the folder for what is temporary");
        for (unsigned try = 0; try < 100; try++) {
                wchar_t wide[WIDE_PATH_MAX];
                unsigned long long tick = GetTickCount64();
                if (snprintf(path, 64, "%sfb-%lx-%llx-%x", base, GetCurrentProcessId(), tick, try) >= 64)
                        return FAIL(why, ERR_LIMIT, "%.100s: too long a folder for what is temporary: give another one in TMP", base);
                for (char *at = path; *at; at++)
                        *at = *at == '\\' ? '/' : *at;
                if (wide_path(path, wide) && CreateDirectoryW(wide, NULL))
                        return OK;
        }
        return WIN_FAIL(why, GetLastError(), "%s", path);
}

struct removal {
        at_handle folder;
        unsigned depth;
};

static enum err remove_one(void *user, const char *name, enum disk_kind kind, uint64_t length, struct why *why)
{
        const struct removal *removal = user;
        struct why unsaid;
        (void)length, (void)why;
        if (kind == DISK_FOLDER && removal->depth < TREE_DEPTH_MAX) {
                OWN(at_handle) at_handle below = NULL;
                if (at_folder(removal->folder, name, &below, &unsaid) == OK)
                        (void)!at_list(below, remove_one, &(struct removal){ below, removal->depth + 1 }, &unsaid);
        }
        (void)!at_remove(removal->folder, name, &unsaid);
        return OK;
}

void file_remove_tree(const char *path)
{
        wchar_t wide[WIDE_PATH_MAX];
        struct why why;
        at_handle folder = NULL;
        if (at_root(path, &folder, &why) == OK)
                (void)!at_list(folder, remove_one, &(struct removal){ folder, 1 }, &why);
        at_close(folder);
        if (wide_path(path, wide) && !RemoveDirectoryW(wide))
                (void)DeleteFileW(wide);
}
