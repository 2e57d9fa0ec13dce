/* dsse.h - signed envelopes (DSSE v1) around in-toto statements. Format: docs/guide/formats.md, 3. */
#pragma once

#include "trust/key.h"

enum { DSSE_BYTES_MAX = 1 << 17 };           /* an envelope: the record of a lab run is under 4 KB, base64 adds a third */
#define DSSE_IN_TOTO "application/vnd.in-toto+json"

/* Envelope with one signature, appended. `name` of the key makes its keyid. */
MUST_CHECK enum err dsse_sign(const struct buf *payload, const struct vkey *vkey, const struct secret_key *key, struct buf *into, struct why *why);

/* Appends the payload when one of the keys signed it, and says which. ERR_UNTRUSTED: none of them; ERR_SYNTAX, ERR_LIMIT.
 * A signature of a known key that does not fit is an error even beside a good one. */
struct dsse_keys { const struct vkey *keys; size_t count; };
MUST_CHECK enum err dsse_open(const struct buf *envelope, const struct dsse_keys *keys, struct buf *payload, const struct vkey **ret_signer, struct why *why);
