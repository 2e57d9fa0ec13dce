/* desk.h - what is done with each request: the routes of wire/routes.def, answered here or handed to the store.
 *
 * Answered here: check-ins, metadata, artifacts, the files of the transparency log, /healthz. An operator's key is checked before a body is taken; the store checks
 * it again. Enrolments have a ceiling for each address. */
#pragma once

#include "server/api/artifact.h"
#include "server/api/checkin.h"
#include "server/api/log_files.h"
#include "server/api/rate.h"

struct desk {
        struct service service;
        struct store_link *link;
        struct front *front;
        struct cache *cache;
        const char *admin_key;
        struct artifacts artifacts;
        struct log_files log_files;
        struct checkin checkin;
        struct rate enrol;
        uint64_t turned_away;                  /* for want of room in the store's queue; since it was last logged */
};

struct desk_config {
        const uint8_t *secret;                 /* 32 bytes */
        const char *admin_key;
        struct cache *cache;
        uint64_t seed;
};

/* `link`, `front`, `artifacts` and `log_files` are to be set before the first request. */
void desk_init(struct desk *desk, const struct desk_config *config);
void desk_done(struct desk *desk);

/* For struct store_link_events. */
void desk_deliver(struct desk *desk, struct exchange *exchange, const struct ipc_answer *answer);
