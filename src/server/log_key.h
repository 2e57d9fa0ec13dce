/* log_key.h - the name and key of the transparency log, from the publisher's folder online/: `log.vkey`, beside the key itself, `log.pem`.
 *
 * Neither is there: the server has no log. */
#pragma once

#include "base/buf.h"
#include "server/signer/signer.h"
#include "trust/verifier.h"

#include <stdbool.h>

struct log_key { bool has_log; struct verifier log; };

/* ERR_REFUSED: only one of the two is there; ERR_SYNTAX. */
MUST_CHECK enum err log_key_read(const char *folder, struct log_key *ret_key, struct why *why);

/* Does log.pem fit, which only the signer has; and is it the log that the publisher's anchor names? ERR_UNTRUSTED. */
MUST_CHECK enum err log_key_check(const struct log_key *key, const struct buf *anchor, struct signer *signer, struct why *why);
