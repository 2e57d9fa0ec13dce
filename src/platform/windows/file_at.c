#include "platform/file_at.h"

#include "platform/windows/wide.h"

#include <string.h>
#include <windows.h>

enum err file_at_open(const char *path, enum file_at_how how, int *ret_file, uint64_t *ret_length, struct why *why)
{
        wchar_t wide[WIDE_PATH_MAX];
        BY_HANDLE_FILE_INFORMATION info;
        if (!wide_path(path, wide))
                return FAIL(why, ERR_REFUSED, "%s is no file", path);
        HANDLE file = CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                                  FILE_FLAG_BACKUP_SEMANTICS | (how == FILE_AT_NO_LINK ? FILE_FLAG_OPEN_REPARSE_POINT : 0), NULL);
        if (file == INVALID_HANDLE_VALUE && GetLastError() == ERROR_ACCESS_DENIED)
                return FAIL(why, ERR_IO, "%s: access denied", path);
        if (file == INVALID_HANDLE_VALUE)
                return WIN_FAIL(why, GetLastError(), "%s", path);
        if (GetFileType(file) != FILE_TYPE_DISK || !GetFileInformationByHandle(file, &info) || info.dwFileAttributes & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT)) {
                CloseHandle(file);
                return FAIL(why, ERR_REFUSED, "%s is no file", path);
        }
        *ret_file = wide_file(file);
        *ret_length = (uint64_t)info.nFileSizeHigh << 32 | info.nFileSizeLow;
        return OK;
}

bool file_at_read(int file, uint64_t offset, void *bytes, size_t length)
{
        for (size_t done = 0; done < length;) {
                DWORD got = 0;
                OVERLAPPED at = { .Offset = (DWORD)(offset + done), .OffsetHigh = (DWORD)((offset + done) >> 32) };
                size_t left = length - done;
                if (!ReadFile(wide_handle(file), (char *)bytes + done, left < INT32_MAX ? (DWORD)left : INT32_MAX, &got, &at) || !got)
                        return false;
                done += got;
        }
        return true;
}

enum err file_at_write(int file, uint64_t offset, const void *bytes, size_t length, struct why *why)
{
        for (size_t done = 0; done < length;) {
                DWORD put = 0;
                OVERLAPPED at = { .Offset = (DWORD)(offset + done), .OffsetHigh = (DWORD)((offset + done) >> 32) };
                size_t left = length - done;
                if (!WriteFile(wide_handle(file), (const char *)bytes + done, left < INT32_MAX ? (DWORD)left : INT32_MAX, &put, &at))
                        return WIN_FAIL(why, GetLastError(), "a file");
                done += put;
        }
        return OK;
}

enum err file_at_empty(int file, struct why *why)
{
        LARGE_INTEGER start = { .QuadPart = 0 };
        return SetFilePointerEx(wide_handle(file), start, NULL, FILE_BEGIN) && SetEndOfFile(wide_handle(file)) ? OK : WIN_FAIL(why, GetLastError(), "a file");
}
