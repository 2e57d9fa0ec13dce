/* http.h - the witness's HTTP, on libmicrohttpd (docs/decisions/016-witness-http.md): routes in, service.h's answers out.
 *
 * One thread, one request at a time; nothing waits for a slow client but the client itself. */
#pragma once

#include "base/log.h"
#include "base/own.h"
#include "witness/service.h"

struct http;

/* Takes the listening socket. Borrows the service and the log. ERR_IO. */
MUST_CHECK enum err http_open(int take_socket, const struct service *service, const struct log *log, struct http **ret_http, struct why *why);
/* Answer what is there, or wait that long for it. ERR_IO. */
MUST_CHECK enum err http_run(struct http *http, int wait_ms, struct why *why);
void http_close(struct http *http);
OWN_DEFINE(http, struct http *, http_close)
