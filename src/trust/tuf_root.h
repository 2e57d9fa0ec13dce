/* tuf_root.h - what a root says: its version, and who holds which role. Of Ed25519 keys only, which is what our tools make. */
#pragma once

#include "trust/key.h"
#include "trust/tuf.h"

struct tuf_holders { size_t threshold, count; struct public_key keys[LIMIT_KEYS]; };
struct tuf_root_facts { struct tuf_stamp stamp; struct tuf_holders roles[TUF_ROLES]; };

/* Of the trusted root. ERR_SYNTAX: a key of another kind. */
MUST_CHECK enum err tuf_root_of(const struct tuf *tuf, struct tuf_root_facts *ret_facts, struct why *why);
/* Of a file, by its own word: whether it is the one to trust, and whether it has expired, others ask. ERR_UNTRUSTED: not even its own
 * keys signed it. */
MUST_CHECK enum err tuf_root_of_file(const struct buf *file, struct tuf_root_facts *ret_facts, struct why *why);

/* Of bytes that are yet to be signed, which nobody has vouched for. ERR_SYNTAX: not a root. */
MUST_CHECK enum err tuf_root_draft(const struct buf *to_sign, struct tuf_root_facts *ret_facts, struct why *why);
/* The same for the stamp of any role. */
MUST_CHECK enum err tuf_draft_stamp(enum tuf_role role, const struct buf *to_sign, struct tuf_stamp *ret_stamp, struct why *why);
