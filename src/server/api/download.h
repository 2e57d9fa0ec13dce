/* download.h - a file of ours as an answer: read in the background, a window at a time; whole, one range, or 304. */
#pragma once

#include "server/api/exchange.h"

#include <uv.h>

enum { DOWNLOAD_PATH_MAX = 1024 };

#define DOWNLOAD_FIXED "public, max-age=31536000, immutable"
#define DOWNLOAD_CHANGES "no-cache"
#define DOWNLOAD_MINUTES "public, max-age=300"           /* may change one day, and nobody has to know at once */

struct download_file {
        uv_loop_t *loop;
        const char *path;
        const char *etag;                      /* with its quotes; NULL: made of the file's number, time and length, as it is replaced whole */
        const char *type, *cache, *missing;    /* literals: Content-Type, Cache-Control, and what is said when it is not there */
};

/* Answers by itself. Until it does, exchange->pending is its own. */
void download_begin(const struct download_file *file, struct exchange *exchange);
void download_gone(struct exchange *exchange);                   /* the client left before the answer */

/* For If-None-Match and If-Range. `etag` with its quotes. */
bool etag_is_in(const char *list, const char *etag);
