/* front.h - the listener, its connections and their clock.
 *
 * Everything that a client could use up has a ceiling: connections (then the one that idles longest makes room), time in each
 * phase, memory of a connection (a head, 64 KB either way, and the collected body). */
#pragma once

#include "base/log.h"
#include "server/api/exchange.h"
#include "server/api/ring.h"
#include "server/api/tls.h"

#include <uv.h>

/* What a connection is about. */
enum phase { PHASE_HANDSHAKE, PHASE_IDLE, PHASE_HEAD, PHASE_BODY, PHASE_SERVICE, PHASE_ANSWER, PHASE_LINGER, PHASES };

/* How long a phase may last: this, and what the bytes that came through are worth. */
struct patience {
        int64_t grace_ms, bytes_per_ms;        /* bytes_per_ms 0: bytes buy no time */
};
extern const struct patience front_patience[PHASES];

struct front_config {
        int listener;                          /* a listening socket; taken */
        struct tls *tls;                       /* NULL: plain HTTP */
        struct service *service;
        unsigned connections_max;
        const struct patience *patience;       /* of PHASES; NULL: front_patience */
        const struct log *log;
};

struct workspace;

struct front {
        struct front_config config;
        uv_loop_t *loop;
        uv_tcp_t listener;
        uv_timer_t sweep;
        struct ring all, idle;                 /* idle: the longest first */
        unsigned connections;
        uint64_t shed;                         /* connections that were closed for want of room */
        struct workspace *spare;
        unsigned spare_count;
        char date[32];                         /* now, as HTTP writes it */
        int64_t date_s;
        bool is_draining, is_closed;
        char received[64 << 10];               /* what the socket gave, until the connection has it */
};

MUST_CHECK enum err front_open(struct front *front, uv_loop_t *loop, const struct front_config *config, struct why *why);
/* No new connections; those that are in the middle of something finish it. `front->connections` falls to 0. */
void front_drain(struct front *front);
/* At once. The loop must run on until its handles are closed, then front_done(). */
void front_close(struct front *front);
void front_done(struct front *front);

const char *front_date(struct front *front);
