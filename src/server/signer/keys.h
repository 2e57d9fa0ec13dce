/* keys.h - a signer that has the keys itself: what the signer process uses, and tests. */
#pragma once

#include "base/own.h"
#include "server/signer/signer.h"

/* Reads director.pem, timestamp.pem and, where there is one, log.pem from `folder`. ERR_NOT_FOUND, ERR_SYNTAX, ERR_UNAUTHORIZED (encrypted). */
MUST_CHECK enum err signer_keys_open(const char *folder, struct signer **ret_signer, struct why *why);
void signer_keys_close(struct signer *signer);
OWN_DEFINE(signer_keys, struct signer *, signer_keys_close)
