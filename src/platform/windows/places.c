#include "platform/places.h"

#include "platform/windows/wide.h"

#include <string.h>
#include <windows.h>

/* What is not on a drive is another machine's, or is ours by a way that we do not follow. */
static void add_place(struct places *places, const char *path)
{
        for (size_t i = 0; i < places->count; i++)
                if (strcmp(places->path[i], path) == 0)
                        return;
        if (path[0] == '/' || path[1] != ':' || places->count == PLACES_MAX || strlen(path) >= sizeof(places->path[0])) {
                places->is_hidden = true;
                return;
        }
        snprintf(places->path[places->count++], sizeof(places->path[0]), "%s", path);
}

/* What is not there has no links to follow; what we may not look at may have some. */
static bool real(const char *path, char *into, struct places *places)
{
        struct why why;
        enum err e = paths_real(path, into, &why);
        places->is_hidden |= e && e != ERR_NOT_FOUND;
        return !e;
}

/* A file of NTFS may have more names, each of them as good as the other. */
static void count_names(const wchar_t *wide, struct places *places)
{
        BY_HANDLE_FILE_INFORMATION info;
        HANDLE file = CreateFileW(wide, 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
        if (file == INVALID_HANDLE_VALUE)
                return;
        if (!GetFileInformationByHandle(file, &info) || (!(info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) && info.nNumberOfLinks > 1))
                places->is_hidden = true;
        CloseHandle(file);
}

/* As it was said, but with `/`, without `.` and `..`, and with long names. What is no name of a file of a drive or a share is told apart. */
static bool tidy(const char *path, wchar_t wide[WIDE_PATH_MAX], char text[PATH_MAX])
{
        wchar_t longer[WIDE_PATH_MAX];
        if (!wide_path(path, wide))
                return false;
        DWORD length = GetLongPathNameW(wide, longer, WIDE_PATH_MAX);
        if (length && length < WIDE_PATH_MAX)
                memcpy(wide, longer, (length + 1) * sizeof(wchar_t));
        return wide_narrow_path(wide, text, PATH_MAX) && text[0] != '/' && text[1] == ':' && !strchr(text + 2, ':');
}

void places_find(const char *path, struct places *places)
{
        wchar_t wide[WIDE_PATH_MAX];
        char text[PATH_MAX], folder[PATH_MAX], place[PATH_MAX];
        *places = (struct places){ .count = 0 };
        if (!tidy(path, wide, text)) {
                places->is_hidden = true;
                return;
        }
        add_place(places, text);
        /* A drive that is not there for us may be for who asks: each logon has drives of its own. */
        snprintf(folder, sizeof(folder), "%.2s/", text);
        places->is_hidden |= !real(folder, place, places);
        snprintf(folder, sizeof(folder), "%s", text);
        char *name = strrchr(folder, '/');
        if (name && name[1] && name > folder + 2) {
                char base[PATH_MAX];
                snprintf(base, sizeof(base), "%s", name);
                *name = 0;
                if (real(folder, place, places)) {
                        char joined[2 * PATH_MAX];
                        snprintf(joined, sizeof(joined), "%s%s", place, base);
                        add_place(places, joined);
                }
        }
        if (real(text, place, places))
                add_place(places, place);
        count_names(wide, places);
}

/* Of whichever drive: Windows need not be on C:. */
const char **places_of_platform(size_t *ret_count)
{
        static const char *folders[] = { "/Windows", "/Program Files", "/Program Files (x86)", "/ProgramData/Microsoft", "/Boot", "/EFI", "/Recovery" };
        *ret_count = sizeof(folders) / sizeof(folders[0]);
        return folders;
}

/* How many characters, without a `/` at the end. */
static int measured(wchar_t *wide)
{
        size_t length = wcslen(wide);
        for (size_t i = 0; i < length; i++)
                wide[i] = wide[i] == L'\\' ? L'/' : wide[i];
        while (length && wide[length - 1] == L'/')
                length--;
        return (int)length;
}

bool places_is_below(const char *path, const char *folder)
{
        wchar_t wide_place[WIDE_PATH_MAX], wide_folder[WIDE_PATH_MAX];
        const bool has_drive = folder[0] != '/' || folder[1] == '/';
        if (!wide_text(!has_drive && path[0] && path[1] == ':' ? path + 2 : path, wide_place, WIDE_PATH_MAX) || !wide_text(folder, wide_folder, WIDE_PATH_MAX))
                return true;                     /* what cannot be read is not acted on */
        const int in_place = measured(wide_place), in_folder = measured(wide_folder);
        return in_place >= in_folder && CompareStringOrdinal(wide_place, in_folder, wide_folder, in_folder, TRUE) == CSTR_EQUAL && (in_place == in_folder || wide_place[in_folder] == L'/');
}
