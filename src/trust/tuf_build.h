/* tuf_build.h - make TUF metadata: the bytes to be signed, and the files with their signatures.
 *
 *      tuf_timestamp_write(&stamp, &snapshot, &to_sign, why);     then, where the key is, an Ed25519 signature over them
 *      tuf_file_write(&to_sign, signatures, 1, &file, why);       or, with the keys at hand, tuf_file_sign()
 *
 * All is canonical JSON; writers append. Times are unix seconds. */
#pragma once

#include "trust/key.h"
#include "trust/tuf_role.h"

void tuf_key_id(const struct public_key *key, char id[65]);

struct tuf_role_keys { const struct public_key *keys; size_t count, threshold; };
struct tuf_root { struct tuf_stamp stamp; struct tuf_role_keys roles[TUF_ROLES]; };

/* ERR_SYNTAX: a threshold that the keys cannot reach. */
MUST_CHECK enum err tuf_root_write(const struct tuf_root *root, struct buf *into, struct why *why);

/* The targets of `before` (a file; NULL or empty: none), with `add` (NULL: nothing) in place of what has its path. */
struct tuf_change { const struct buf *before; const struct tuf_target *add; };
MUST_CHECK enum err tuf_targets_write(const struct tuf_stamp *stamp, const struct tuf_change *change, struct buf *into, struct why *why);

/* Snapshot: of the targets file. Timestamp: of the snapshot file. Without a file, of its version alone: what several people sign
 * in one go cannot name the bytes of what they have yet to sign. */
struct tuf_of { uint64_t version; const struct buf *file; };
MUST_CHECK enum err tuf_snapshot_write(const struct tuf_stamp *stamp, const struct tuf_of *targets, struct buf *into, struct why *why);
MUST_CHECK enum err tuf_timestamp_write(const struct tuf_stamp *stamp, const struct tuf_of *snapshot, struct buf *into, struct why *why);

struct tuf_signature { struct public_key key; uint8_t signature[64]; };
MUST_CHECK enum err tuf_file_write(const struct buf *to_sign, const struct tuf_signature *signatures, size_t count, struct buf *into, struct why *why);
MUST_CHECK enum err tuf_file_sign(const struct buf *to_sign, const struct secret_key *keys, size_t count, struct buf *into, struct why *why);
