/* net.h - one HTTP exchange at a time with a server: the only way out to the network.
 *
 * An exchange is OK when an answer came back, whatever its status; the caller judges the status. Connections are
 * kept and used again. Certificates are always verified, redirects are never followed, the proxies that the
 * environment names (https_proxy, no_proxy) are honoured unless `is_direct`. Every answer has a ceiling.
 *
 * Does not retry, sign or parse: see the agent's fetch and cli/api.h. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct net {
        const struct net_ops *ops;
};

struct net_header {
        const char *name, *value;
};

/* A header that the caller wants to see; `value` is empty when the answer has none, cut when it is longer. */
struct net_wanted {
        const char *name;
        char value[256];
};

/* Bytes of a body that is too large for memory. `read` gives 1 to bytes_max bytes, or 0 at the end. */
struct net_upload {
        uint64_t length;
        enum err (*read)(void *user, void *bytes, size_t bytes_max, size_t *ret_length, struct why *why);
        void *user;
};

/* Where the body of a 200 or 206 goes; any other body goes into the response's buffer. */
struct net_download {
        int file;                  /* written with pwrite, not closed */
        uint64_t from;             /* resume here; a server that answers 200 starts again at 0 */
        uint64_t bytes_max;        /* of the whole file; more is ERR_LIMIT */
        bool must_go_on;           /* a 200 to a `from` is ERR_IO and changes nothing, instead of starting again */
        uint64_t part_max;         /* no more than so many are asked for; a server may send all the same. 0: to the end */
};

struct net_request {
        const char *method, *url;  /* https://host:port/path */
        const struct net_header *headers;
        size_t header_count;
        const void *body;          /* or an upload, or neither */
        size_t body_length;
        const struct net_upload *upload;
        const struct net_download *download;
        uint32_t total_ms;         /* 0: no limit, only that it must not stall */
        void (*progress)(void *user, uint64_t done, uint64_t total);   /* may be NULL; total 0 when unknown */
        void *progress_user;
};

struct net_response {
        int status;
        struct buf *body;          /* the caller's, with the caller's ceiling; appended to. Of an error (300 on) what fits, it is no failure */
        struct net_wanted *wanted; /* the caller's */
        size_t wanted_count;
        uint64_t file_length;      /* of a download: bytes in the file now */
        uint64_t received;         /* bytes of the body that came, whatever became of them */
};

struct net_ops {
        /* ERR_UNAVAILABLE: no connection; ERR_TIMEOUT; ERR_UNTRUSTED: certificate; ERR_LIMIT: answer too long;
         * ERR_IO: broken off, or the file could not be written; ERR_FULL. What arrived of a download stays. */
        enum err (*exchange)(struct net *net, const struct net_request *request, struct net_response *response,
                             struct why *why);
};

struct net_config {
        const char *ca_file;       /* PEM; NULL: the system's */
        const struct buf *ca;      /* the same as bytes, for whom no file may be opened any more; NULL: ca_file counts */
        const char *agent;         /* User-Agent */
        uint32_t connect_ms;       /* 0: 10 s */
        uint32_t stall_s;          /* 0: 30 s without a byte */
        bool is_plain_allowed;     /* http:// too: tests and a server behind its own proxy */
        bool is_direct;            /* no proxy, whatever the environment says: what is asked is on this machine */
};

/* On libcurl. Texts of `config` are copied. */
MUST_CHECK enum err net_open(const struct net_config *config, struct net **ret_net, struct why *why);
void net_close(struct net *net);
OWN_DEFINE(net, struct net *, net_close)
