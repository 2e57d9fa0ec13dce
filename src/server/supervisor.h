/* supervisor.h - the processes of the server: started together, ended together.
 *
 * A process that ends without having been told takes all others with it: half a server is worse than none, and what started
 * it starts it again. On SIGTERM or SIGINT the last of the list is told; the others end when they see it gone, and take no notice
 * of those signals themselves. */
#pragma once

#include "base/log.h"

#include <stddef.h>

enum { SUPERVISOR_MAX = 8 };

struct supervised {
        const char *name;
        int (*run)(void *user);                /* in the child */
};

struct supervisor_config {
        const struct supervised *processes;
        size_t count;
        void *user;
        void (*started)(void *user);           /* all run: give up what only they need */
        const struct log *log;
};

/* Returns the exit code of the program: 0 after an orderly end. */
int supervise(const struct supervisor_config *config);
