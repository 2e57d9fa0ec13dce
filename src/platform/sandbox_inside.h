/* sandbox_inside.h - the inner side of sandbox.h: what the new process does to itself. Used by sandbox.c, nobody else. */
#pragma once

#include "platform/sandbox.h"

/* In memory that all of the sandbox's own processes share until the program takes over. */
struct sandbox_notes {
        unsigned walls;
        bool has_ended;
        int start_error;         /* errno when the program could not be started */
        int status;              /* as wait(2) gives it */
        int64_t cpu_ms;
        uint64_t memory_bytes;
};

struct sandbox_files { int output, errors; };

/* Becomes the sandbox: never returns. `parent` is who must be alive for it to go on. */
_Noreturn void sandbox_inside(const struct sandbox_run *run, const struct sandbox_files *files, struct sandbox_notes *notes, int parent);
