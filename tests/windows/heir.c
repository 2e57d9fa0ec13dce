/* windows-heir - a version of the agent that is none: it passes its check, and then ends at once, or never.
 *
 * usage: windows-heir check ...     0
 *        windows-heir ...           what the file `does` beside it says: "hangs", or the number to end with */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

enum { PATH_CHARS = 4096, A_MINUTE_MS = 60000 };

int main(int argc, char **argv)
{
        wchar_t path[PATH_CHARS];
        char does[16] = "";
        DWORD length = GetModuleFileNameW(NULL, path, PATH_CHARS);
        if (argc > 1 && strcmp(argv[1], "check") == 0)
                return 0;
        wchar_t *name = length && length < PATH_CHARS ? wcsrchr(path, L'\\') : NULL;
        if (!name || (size_t)(name - path) + sizeof("\\does") > PATH_CHARS)
                return 64;
        memcpy(name, L"\\does", sizeof(L"\\does"));
        FILE *file = _wfopen(path, L"r");
        if (!file || !fgets(does, sizeof(does), file))
                return 66;
        fclose(file);
        while (strncmp(does, "hangs", 5) == 0)
                Sleep(A_MINUTE_MS);
        return (int)strtol(does, NULL, 10);
}
