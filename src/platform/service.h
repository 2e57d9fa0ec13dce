/* service.h - a program that the service manager of Windows starts at boot, asks to end, and starts again when it is gone.
 *
 * Other systems do this with files that a package brings (systemd/): there each call is ERR_UNAVAILABLE. See docs/decisions/025-windows.md. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct service {
        const char *name;                /* for the service manager, and in the events of the machine */
        const char *title, *about;       /* what people read */
        const char *const *argv;         /* NULL-ended, what follows this program in its command line: it ends up in service_run() */
        const char *folder;              /* made where it is not; from then on for the system and administrators alone, as all in it */
        uint32_t stop_ms;                /* it may take so long to end */
};

/* Starts with the machine, as the system without its privileges; one of that name that is there is changed. Does not start it.
 * `ret_lacks` names what this Windows does not take of what was asked, "" for nothing. ERR_REFUSED: only an administrator may. */
enum { SERVICE_LACKS_BYTES = 256 };
MUST_CHECK enum err service_install(const struct service *service, char ret_lacks[static SERVICE_LACKS_BYTES], struct why *why);
/* Asks it to end, waits for that at most `stop_ms`, and takes it from the manager. ERR_NOT_FOUND: there is none; ERR_TIMEOUT: it goes on, and stays. */
MUST_CHECK enum err service_remove(const char *name, uint32_t stop_ms, struct why *why);

/* What a service does until wake_to_end() of its process, which the manager's order to end becomes (channel_signals()). */
typedef enum err service_body(void *user, struct why *why);
/* To be called by a process that the manager started: ERR_USAGE otherwise. All that it says, and its children on standard error, goes to the file `log`, which
 * at `log_bytes_max` becomes `log`.1, and that one goes. Returns what the body did; an error is told to the manager as a failure, so that it starts anew. */
struct service_runs {
        const char *name, *log;
        uint64_t log_bytes_max;
        service_body *body;
        void *user;
        /* What is run, with NULL at its end, before the machine is shut down or sleeps, while the body still runs: it is waited for, at most so long. NULL: nothing.
         * A service that is stopped by hand, and the machine not with it, says nothing. */
        const char *const *at_shutdown, *const *at_sleep;
        uint32_t words_ms;
};
MUST_CHECK enum err service_run(const struct service_runs *runs, struct why *why);
