/* anchor.h - the public keys that an installer trusts, without reading JSON. Format: docs/guide/formats.md, 1.2.
 *
 * Pinned when a device is installed; a newer one replaces it only when the root keys of both signed it. */
#pragma once

#include "trust/note.h"

struct anchor {
        uint64_t version;
        size_t root_threshold, root_count, content_threshold, content_count, lab_count;
        struct vkey root[LIMIT_KEYS], content[LIMIT_KEYS], lab[LIMIT_KEYS], director;
};

/* The text to be signed by the root keys. ERR_SYNTAX: anchor_open() would not take it: a threshold that its keys cannot
 * reach, a key twice in a role, a key of two roles. */
MUST_CHECK enum err anchor_write(const struct anchor *anchor, struct buf *into, struct why *why);

/* Parsed, and signed by the threshold of its own root keys. That it is the right one, only pinning says. */
MUST_CHECK enum err anchor_open(const char *bytes, size_t length, struct anchor *ret_anchor, struct why *why);
/* One that follows `old`: also signed by the old root keys. ERR_ROLLBACK: not newer. */
MUST_CHECK enum err anchor_follow(const struct anchor *old, const struct buf *bytes, struct anchor *ret_anchor, struct why *why);

struct note_keys anchor_root(const struct anchor *anchor);
struct note_keys anchor_content(const struct anchor *anchor);
struct note_keys anchor_director(const struct anchor *anchor);
