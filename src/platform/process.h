/* process.h - what a running process uses of this machine.
 *
 * A process counts with all that it started: an engine that gives its work to children, or is started by a shell, is no smaller for it. The
 * time of a child that ended and was waited for is its parent's, so the sum goes on. What was taken in by init is no longer seen. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct process_usage {
        uint64_t start;          /* when it started, in the system's own ticks: another process under the same pid has another one */
        uint64_t cpu_ms;         /* since then, of all processors together */
        uint64_t memory_kib;     /* its own, not that of files: in memory or swapped out */
};

/* ERR_NOT_FOUND: there is no such process. ERR_SYNTAX: the system says something else than expected. */
MUST_CHECK enum err process_usage(int pid, struct process_usage *ret_usage, struct why *why);

/* From here on what is freed in large pieces goes back to the system at once, not when it is needed elsewhere: for who mostly waits. */
void process_gives_back(void);

/* Of the text of Linux' /proc/PID/stat: false where it is none. The process itself chose a part of it, its name. */
struct process_stat { uint64_t start, cpu_ticks; };
bool process_stat_read(const char *text, struct process_stat *ret_stat);
/* Of the text of /proc/PID/status, a line as "RssAnon:   123 kB"; 0 where it is not there. */
uint64_t process_status_kib(const char *text, const char *name);
