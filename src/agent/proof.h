/* proof.h - how a request shows which device sends it: an Ed25519 signature, or an HMAC where signing would cost too much.
 * What is signed, says trust/request.h. */
#pragma once

#include "agent/identity.h"
#include "trust/request.h"

enum { PROOF_BYTES = REQUEST_SIGNATURE_BYTES };

/* Name and value of the header that goes with the request. */
struct proof { const char *header; char value[PROOF_BYTES]; };
MUST_CHECK enum err proof_sign(const struct identity *identity, const struct request_facts *facts, struct proof *ret_proof, struct why *why);
MUST_CHECK enum err proof_mac(const struct identity *identity, const struct request_facts *facts, struct proof *ret_proof, struct why *why);
