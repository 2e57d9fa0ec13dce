/* connection.h - one client: bytes to requests, answers to bytes, in order, with every wait bounded.
 *
 *      HANDSHAKE -> IDLE -> HEAD -> BODY -> SERVICE -> ANSWER -> IDLE ...      LINGER -> closed
 *
 * Invariant: one exchange at a time. What a client sends ahead waits in the buffer, and then the socket is not read: so
 * pipelined requests are answered in order, and nobody fills our memory. */
#pragma once

#include "server/api/front.h"

enum { CONNECTION_WINDOW = 64 << 10 };         /* bytes that are taken ahead from a client, or from a source */

struct connection;

/* The memory of a connection that is not idle; the front keeps some. */
struct workspace {
        struct workspace *next;
        struct buf in, out, sending;
        size_t in_at;
        char head[LIMIT_HEADER_BYTES + 1];
};
struct workspace *workspace_new(struct front *front);
void workspace_free(struct front *front, struct workspace *workspace);

void connection_accept(struct front *front);
void connection_sweep(struct front *front);                   /* ends what is overdue */
void connection_shed(struct front *front);                    /* the longest idle makes room */
void connection_close_idle(struct front *front);
void connection_close_all(struct front *front);
