/* tls.h - TLS 1.2 and 1.3 between two buffers: no sockets here.
 *
 * Resumption is by tickets (their keys live and die with the process), so a session costs no memory after its connection. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"

struct tls;
struct tls_session;

/* PEM files: the chain and its key. ERR_SYNTAX, ERR_NOT_FOUND, ERR_UNTRUSTED (key of another certificate). */
MUST_CHECK enum err tls_open(const char *certificate_file, const char *key_file, struct tls **ret_tls, struct why *why);
void tls_close(struct tls *tls);
OWN_DEFINE(tls, struct tls *, tls_close)

struct tls_session *tls_session_new(struct tls *tls);          /* NULL: out of memory */
void tls_session_free(struct tls_session *session);

/* What the peer sent. False: out of memory. */
MUST_CHECK bool tls_receive(struct tls_session *session, const char *bytes, size_t length);
size_t tls_unread(const struct tls_session *session);          /* received, not yet taken in */

enum tls_step { TLS_READ, TLS_MORE, TLS_END, TLS_BROKEN };
/* TLS_READ: plain text was appended. TLS_MORE: needs more from the peer. After it look at tls_out(): there may be an answer. */
enum tls_step tls_read(struct tls_session *session, struct buf *plain);
MUST_CHECK bool tls_write(struct tls_session *session, const char *bytes, size_t length);
void tls_goodbye(struct tls_session *session);

struct buf *tls_out(struct tls_session *session);              /* to be sent to the peer; the caller empties it */
bool tls_is_ready(const struct tls_session *session);          /* the handshake is done */
