/* exchange.h - one request and its answer, between the connection that carries them and the service that answers.
 *
 *      head(): exchange_collect() ... whole(): exchange_answer()          a body of moderate size
 *      head(): exchange_stream() ... the sink's end(): exchange_answer()  a body of any size
 *      head() or later: exchange_answer()                                 exactly once an exchange
 *
 * An answer before the body was read ends the connection after it. An exchange whose client left is ended by gone(), and
 * must not be touched after that. One thread, one loop. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "server/api/block.h"
#include "server/api/http.h"
#include "wire/routes.h"

struct exchange;

struct service {
        const struct service_ops *ops;
};

struct service_ops {
        void (*head)(struct service *service, struct exchange *exchange);
        void (*whole)(struct service *service, struct exchange *exchange);   /* exchange->body is there */
        void (*gone)(struct service *service, struct exchange *exchange);    /* before an answer was given */
        void (*done)(struct service *service, struct exchange *exchange);    /* the answer has left, or what of it could */
};

/* Where a long body goes. */
struct sink {
        const struct sink_ops *ops;
};
struct sink_ops {
        bool (*take)(struct sink *sink, const char *bytes, size_t length);   /* false: no more before exchange_resume() */
        void (*end)(struct sink *sink);                                      /* the body is complete; the sink sees to the answer */
        void (*gone)(struct sink *sink);                                     /* instead of end() */
};

/* Where a long answer comes from. */
struct source {
        const struct source_ops *ops;
};
struct source_ops {
        /* ret_length 0: not yet, exchange_resume() follows. Valid until the next call. A failure ends the connection. */
        enum err (*read)(struct source *source, const char **ret_bytes, size_t *ret_length);
        void (*close)(struct source *source);                                /* always, at the end */
};

struct exchange {
        const struct http_request *request;
        struct buf body;
        uint8_t address[16];                   /* of the client; IPv4 as ::ffff:a.b.c.d */
        int64_t began_ms;
        int status;                            /* of the answer, 0 before */
        uint64_t answer_bytes;                 /* of its body */
        /* The service's own. */
        const struct route *route;
        struct route_captures captures;
        void *pending;
};

void exchange_collect(struct exchange *exchange, size_t body_max);
void exchange_stream(struct exchange *exchange, struct sink *sink);
void exchange_resume(struct exchange *exchange);

struct answer {
        int status;
        const char *type;                      /* Content-Type; NULL: none */
        const char *headers;                   /* more of them, each ended by CR LF; NULL: none */
        const char *bytes;                     /* the body, copied; */
        uint64_t length;                       /* its length, whichever of the three it is */
        struct block *take_block;              /* or this, whole; */
        struct source *take_source;            /* or this */
        unsigned retry_after_s;
        bool closes;
};
void exchange_answer(struct exchange *exchange, const struct answer *answer);

/* A whole answer as it goes over the wire, made beforehand for a connection that stays open (exchange_stays_open()). */
void exchange_answer_ready(struct exchange *exchange, int status, const char *bytes, size_t length);
bool exchange_stays_open(const struct exchange *exchange);

/* A problem document, its status from err.def; or the given status with the code's name. */
void exchange_fail(struct exchange *exchange, enum err e, const struct why *why);
void exchange_refuse(struct exchange *exchange, int status, enum err e, const char *detail);
