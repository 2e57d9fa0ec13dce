/* spawn.h - a new process in a job object of its own, which holds it to its limits and takes all that it started with it when it goes.
 * Used by the other sources of this folder, nobody else.
 *
 * It inherits the three handles that it is given and no other. It ends with us: the job is closed when we are gone. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

struct spawn {
        const char *const *argv;         /* NULL-ended; argv[0] is looked up in PATH */
        int input, output, errors;       /* -1: nothing to read, thrown away, ours */
        const char *folder;              /* where it starts; NULL: where we are */
        const wchar_t *environment;      /* NULL: ours */
        uint64_t cpu_s, memory_bytes;    /* 0: no limit */
        bool is_alone;                   /* it may start no other process */
        bool has_no_job;                 /* it outlives us */
        bool is_held;                    /* it does nothing until spawn_go() */
        bool has_no_privileges;          /* from its first instruction on, where the system makes such a token */
};

struct spawned {
        void *process, *job, *stop;      /* HANDLEs; `stop` is set to ask it to end: platform/windows/wake.h */
        void *thread;                    /* of one that is held */
        uint32_t pid;
};

/* ERR_NOT_FOUND: no such program; ERR_REFUSED: may not be executed; ERR_CONTENT: it is none. */
MUST_CHECK enum err spawn_start(const struct spawn *spawn, struct spawned *ret_spawned, struct why *why);
/* False: it cannot, and is ended. */
bool spawn_go(struct spawned *spawned);
/* Words as one line, quoted as programs of Windows take them apart. */
MUST_CHECK enum err spawn_line(const char *const *argv, wchar_t *wide, size_t wide_max, struct why *why);
/* Ends it with all that it started, and waits for that. */
void spawn_kill(const struct spawned *spawned);
void spawn_close(struct spawned *spawned);
