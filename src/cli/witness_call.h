/* witness_call.h - one question to one witness, over the network: `POST URL/add-checkpoint` (C2SP tlog-witness).
 *
 * A witness is a stranger: nothing of ours goes along but the request, redirects are not followed, and its answer has a ceiling in bytes and
 * in time. What the answer is worth: cosigning.h. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

struct net;

/* Plain HTTP too: what is asked and answered is signed, and no secret. */
MUST_CHECK enum err witness_call_open(struct net **ret_net, struct why *why);

/* http:// or https://, a host, maybe a path; no name, password, query or fragment. ERR_USAGE. */
MUST_CHECK enum err witness_call_check(const char *url, struct why *why);

/* OK when there was an answer, whatever its status. `answer` was empty, with a ceiling of LIMIT_WITNESS_ANSWER_BYTES. ERR_UNAVAILABLE, ERR_TIMEOUT,
 * ERR_UNTRUSTED: its certificate; ERR_LIMIT: its answer is too long; ERR_IO. */
MUST_CHECK enum err witness_call(struct net *net, const char *url, const struct buf *request, int *ret_status, struct buf *answer, struct why *why);
