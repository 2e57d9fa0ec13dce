#include "platform/windows/wide.h"

#include <windows.h>

void *wide_handle(int file)
{
        static const DWORD standard[] = { STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE };
        return file >= 0 && file < 3 ? GetStdHandle(standard[file]) : (void *)(intptr_t)file;
}

bool wide_text(const char *text, wchar_t *wide, size_t wide_max)
{
        return MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide, (int)wide_max) > 0;
}

bool wide_narrow(const wchar_t *wide, char *text, size_t text_max)
{
        return WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, wide, -1, text, (int)text_max, NULL, NULL) > 0;
}

bool wide_narrow_path(const wchar_t *wide, char *text, size_t text_max)
{
        static const wchar_t prefix[] = L"\\\\?\\";
        if (wcsncmp(wide, prefix, 4) == 0)
                wide += 4;
        if (!wide_narrow(wide, text, text_max))
                return false;
        for (char *at = text; *at; at++)
                *at = *at == '\\' ? '/' : *at;
        return true;
}

bool wide_path(const char *path, wchar_t wide[WIDE_PATH_MAX])
{
        static const wchar_t prefix[] = L"\\\\?\\";
        enum { PREFIX = sizeof(prefix) / sizeof(prefix[0]) - 1 };
        wchar_t given[WIDE_PATH_MAX];
        if (!wide_text(path, given, WIDE_PATH_MAX))
                return false;
        memcpy(wide, prefix, sizeof(prefix));
        DWORD length = GetFullPathNameW(given, WIDE_PATH_MAX - PREFIX, wide + PREFIX, NULL);
        if (!length || length >= WIDE_PATH_MAX - PREFIX)
                return false;
        /* A device or a share begins with two of them already, and is left as it is. */
        if (wide[PREFIX] == L'\\' && wide[PREFIX + 1] == L'\\')
                memmove(wide, wide + PREFIX, (length + 1) * sizeof(wchar_t));
        return true;
}

static const struct row {
        unsigned long number;
        enum err err;
        const char *text;
} rows[] = {
        { ERROR_FILE_NOT_FOUND, ERR_NOT_FOUND, "there is no such file or folder" },
        { ERROR_PATH_NOT_FOUND, ERR_NOT_FOUND, "a part of the path is not a folder, or not there" },
        { ERROR_INVALID_NAME, ERR_USAGE, "not a name that Windows allows" },
        { ERROR_BAD_PATHNAME, ERR_USAGE, "not a path that Windows allows" },
        { ERROR_DIRECTORY, ERR_NOT_FOUND, "a part of the path is not a folder" },
        { ERROR_FILE_EXISTS, ERR_BUSY, "there already" },
        { ERROR_ALREADY_EXISTS, ERR_BUSY, "there already" },
        { ERROR_DIR_NOT_EMPTY, ERR_BUSY, "a folder with something in it is there already" },
        { ERROR_SHARING_VIOLATION, ERR_BUSY, "another program has it open: end that one" },
        { ERROR_LOCK_VIOLATION, ERR_BUSY, "another program has it locked: end that one" },
        { ERROR_USER_MAPPED_FILE, ERR_BUSY, "another program has it in its memory: end that one" },
        { ERROR_DELETE_PENDING, ERR_BUSY, "it is being removed, and another program has it open still" },
        { ERROR_DISK_FULL, ERR_FULL, "no room on the volume: free some or give it more" },
        { ERROR_HANDLE_DISK_FULL, ERR_FULL, "no room on the volume: free some or give it more" },
        { 1295 /* ERROR_DISK_QUOTA_EXCEEDED */, ERR_FULL, "the disk quota is used up: free some or raise it" },
        { ERROR_NOT_ENOUGH_MEMORY, ERR_NOMEM, "out of memory" },
        { ERROR_OUTOFMEMORY, ERR_NOMEM, "out of memory" },
        { ERROR_TOO_MANY_OPEN_FILES, ERR_LIMIT, "too many open files in this process" },
        { ERROR_FILENAME_EXCED_RANGE, ERR_LIMIT, "the name is too long" },
        { ERROR_ACCESS_DENIED, ERR_REFUSED, "access denied: check its owner and its permissions" },
        { ERROR_PRIVILEGE_NOT_HELD, ERR_REFUSED, "it takes a privilege that this process does not have" },
        { ERROR_WRITE_PROTECT, ERR_IO, "the volume is read-only: check it" },
        { ERROR_IO_DEVICE, ERR_IO, "the device reports an error: check the disk" },
        { ERROR_CRC, ERR_IO, "the device reports an error: check the disk" },
        { ERROR_BAD_EXE_FORMAT, ERR_CONTENT, "it is no program for this machine" },
        { ERROR_EXE_MACHINE_TYPE_MISMATCH, ERR_CONTENT, "it is a program for another machine" },
        { ERROR_INVALID_EXE_SIGNATURE, ERR_CONTENT, "it is no program for this machine" },
        { ERROR_BROKEN_PIPE, ERR_UNAVAILABLE, "the other process is gone" },
};

enum err wide_start(struct why *why, unsigned long number, const char *file, int line)
{
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                if (rows[i].number == number)
                        return why_start(why, rows[i].err, file, line, "%s", rows[i].text);
        return why_start(why, ERR_IO, file, line, "Windows reports error %lu", number);
}
