#include "platform/handover.h"

enum err handover_to(const char *const *argv, const int *files, size_t count, struct why *why)
{
        (void)files, (void)count;
        return FAIL(why, ERR_UNAVAILABLE, "going on as %.200s: a process of Windows keeps its program", argv[0]);
}

bool handover_take(int file)
{
        (void)file;
        return false;
}

bool handover_is_child(int pid)
{
        (void)pid;
        return false;
}

enum err handover_watch(int64_t silence_ms, int *ret_beat, struct child *ret_watcher, struct why *why)
{
        (void)silence_ms, (void)ret_beat, (void)ret_watcher;
        return FAIL(why, ERR_UNAVAILABLE, "watching a handover: a process of Windows keeps its program");
}

void handover_beat(int beat)
{
        (void)beat;
}

enum err handover_read(int file, void *bytes, size_t length, struct why *why)
{
        (void)file, (void)bytes, (void)length;
        return FAIL(why, ERR_UNAVAILABLE, "nothing is handed over on Windows");
}
