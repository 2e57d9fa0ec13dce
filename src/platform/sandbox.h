/* sandbox.h - one program run to its end, where it can do no harm: limits, no network, nothing to write; measured, its output kept.
 *
 * The program runs in name spaces of its own (network, processes, mounts, IPC), with the whole file system read-only but one folder,
 * without capabilities, behind a seccomp filter, within resource limits. What it leaves behind dies with it. What the system does not let us
 * enforce is left out, and the result says what was enforced. Time and memory are measured inside, by the process that waits for it.
 *
 * bubblewrap is not used: what it reports as used time and memory is its own, and the same code has to work where it is absent.
 * Long-lived children: see child.h. No shell. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sandbox_limits {          /* zero: no limit */
        int64_t wall_ms;
        uint64_t cpu_s, memory_bytes, file_bytes, files;
        uint64_t temporary_bytes;        /* in memory, at /dev/shm, which $TMPDIR names, and gone in the end; zero: there is none */
        bool may_start_processes;        /* else fork fails; threads are fine */
        bool may_set_up_network;         /* that of its own, in which there is nothing: to load rules of a firewall there. Only where it has one */
};

struct sandbox_run {
        const char *const *argv;         /* NULL-ended; argv[0] is looked up in PATH */
        const char *const *environment;  /* NULL-ended "NAME=value"; NULL: PATH and a locale, nothing of ours */
        const char *scratch;             /* the one folder that it may write to, and where it starts; NULL: none, and "/" */
        struct sandbox_limits limits;
};

enum sandbox_wall {
        SANDBOX_OFFLINE = 1,             /* network name space */
        SANDBOX_PROCESSES = 2,           /* process name space: nothing survives */
        SANDBOX_READONLY = 4,
        SANDBOX_CAPABILITIES = 8,        /* none left */
        SANDBOX_SECCOMP = 16,
        SANDBOX_RLIMIT = 32,
};

struct sandbox_result {
        struct buf output, errors;       /* the caller's, with the caller's ceiling; what goes beyond is thrown away */
        bool is_output_cut, is_errors_cut;
        bool is_signal, is_timeout;      /* a time-out is not a signal: we killed it */
        int code;                        /* exit code or number of the signal */
        int64_t wall_ms, cpu_ms;
        uint64_t memory_bytes;           /* the most it had resident */
        unsigned walls;                  /* of enum sandbox_wall: what was enforced */
};

void sandbox_result_init(struct sandbox_result *result, size_t output_max);
void sandbox_result_done(struct sandbox_result *result);
static inline void sandbox_result_release(struct sandbox_result *result) { sandbox_result_done(result); }

/* OK whatever the program did, once it has run. ERR_NOT_FOUND, ERR_REFUSED: it could not be started; ERR_NOMEM, ERR_IO, ERR_LIMIT.
 * Must not be called with other threads running. */
MUST_CHECK enum err sandbox_run(const struct sandbox_run *run, struct sandbox_result *result, struct why *why);

/* "offline,processes,readonly,capabilities,seccomp,rlimit", or less. */
enum { SANDBOX_WALLS_TEXT_MAX = 80 };
void sandbox_walls_text(unsigned walls, char text[SANDBOX_WALLS_TEXT_MAX]);
/* "signal 11", "exit 3", "no end within 30 s". */
void sandbox_end_text(const struct sandbox_run *run, const struct sandbox_result *result, char *text, int size);
