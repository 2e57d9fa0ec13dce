/* api.h - the api process: the only one that strangers talk to.
 *
 * It begins to listen once the store has told it the public state, and then writes the line `ready ADDRESS`. */
#pragma once

#include "base/log.h"
#include "platform/random.h"
#include "server/api/front.h"

struct api_config {
        int listener, store;                   /* a listening socket (taken), an end of a link (borrowed) */
        const char *certificate, *key;         /* PEM files; NULL: plain HTTP */
        const char *artifacts;                 /* folder */
        const char *log_files;                 /* likewise, see log_files.h */
        bool has_log;
        const uint8_t *secret;                 /* 32 bytes */
        const char *admin_key;
        struct random_source *random;
        const struct patience *patience;       /* NULL: front_patience */
        unsigned connections_max;              /* 0: LIMIT_CONNECTIONS, or what the system allows */
        int ready_file;                        /* -1: say it to nobody */
        const char *address;                   /* as told there: "https://127.0.0.1:8443" */
        const struct log *log;
};

/* Until SIGTERM, and what was begun is finished: OK. ERR_UNAVAILABLE: the store is gone. */
MUST_CHECK enum err api_run(const struct api_config *config, struct why *why);
