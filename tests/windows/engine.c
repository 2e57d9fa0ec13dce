/* An engine for tests/e2e/windows.py: it says which version it loaded, dies of content that has a file `crash`, refuses to load at all what has a file
 * `refuse`, and ends when it is asked to. Of content that has a file `storm` (a pipe, then paths, a line each) it asks at the pipe before it would quarantine each
 * of them, and writes down in STATUS.acted what it was allowed.
 *
 *      engine --check FOLDER          engine FOLDER STATUS */
#include "ask/firebreak-ask.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

enum { REFUSED = 1, NO_CONTENT = 2, PATH_BYTES = 1024, ANSWER_MS = 5000 };

static bool has(const char *folder, const char *name)
{
        char path[PATH_BYTES];
        snprintf(path, sizeof(path), "%s/%s", folder, name);
        return GetFileAttributesA(path) != INVALID_FILE_ATTRIBUTES;
}

static bool read_version(const char *folder, char version[64])
{
        char path[PATH_BYTES];
        snprintf(path, sizeof(path), "%s/VERSION", folder);
        FILE *file = fopen(path, "rb");
        bool is_read = file && fgets(version, 64, file);
        if (file)
                fclose(file);
        version[strcspn(version, "\r\n")] = 0;
        return is_read;
}

/* Whole or not at all: the agent reads it at any moment. */
static bool say(const char *status, const char *version)
{
        char aside[PATH_BYTES];
        snprintf(aside, sizeof(aside), "%s.new", status);
        FILE *file = fopen(aside, "wb");
        if (!file)
                return false;
        fprintf(file, "state=ok version=%s\n", version);
        return fclose(file) == 0 && MoveFileExA(aside, status, MOVEFILE_REPLACE_EXISTING);
}

/* No window that somebody would have to close. */
static LONG WINAPI dies(EXCEPTION_POINTERS *what)
{
        TerminateProcess(GetCurrentProcess(), what->ExceptionRecord->ExceptionCode);
        return EXCEPTION_EXECUTE_HANDLER;
}

static bool read_line(FILE *file, char line[PATH_BYTES])
{
        bool is_read = fgets(line, PATH_BYTES, file);
        line[is_read ? strcspn(line, "\r\n") : 0] = 0;
        return is_read && line[0];
}

static void storm(const char *folder, const char *status)
{
        char path[PATH_BYTES], at[PATH_BYTES], said[FIREBREAK_REASON_BYTES];
        snprintf(path, sizeof(path), "%s/storm", folder);
        FILE *file = fopen(path, "rb");
        snprintf(path, sizeof(path), "%s.acted", status);
        FILE *acted = file && read_line(file, at) ? fopen(path, "ab") : NULL;
        while (acted && read_line(file, path)) {
                enum firebreak_answer answer = firebreak_ask(at, "quarantine", path, ANSWER_MS, said, sizeof(said));
                if (answer == FIREBREAK_ALLOW)
                        fprintf(acted, "%s\n", path);
                else
                        printf("engine: %s: %s: %s\n", path, answer == FIREBREAK_DENY ? "denied" : "no answer", said);
                fflush(acted);
        }
        if (acted)
                fclose(acted);
        if (file)
                fclose(file);
}

int main(int argc, char **argv)
{
        char version[64] = "", name[64];
        bool checks = argc == 3 && strcmp(argv[1], "--check") == 0;
        const char *folder = checks ? argv[2] : argv[1];
        SetUnhandledExceptionFilter(dies);
        if (argc != 3 || !read_version(folder, version))
                return NO_CONTENT;
        if (checks)
                return has(folder, "refuse") ? REFUSED : 0;
        if (has(folder, "crash"))
                RaiseException(EXCEPTION_ACCESS_VIOLATION, EXCEPTION_NONCONTINUABLE, 0, NULL);
        snprintf(name, sizeof(name), "Local\\firebreak-stop-%lu", GetCurrentProcessId());
        HANDLE stop = OpenEventA(SYNCHRONIZE, FALSE, name);
        if (!say(argv[2], version) || !stop)
                return NO_CONTENT;
        printf("engine: version %s\n", version);
        fflush(stdout);
        storm(folder, argv[2]);
        fflush(stdout);
        return WaitForSingleObject(stop, INFINITE) == WAIT_OBJECT_0 ? 0 : NO_CONTENT;
}
