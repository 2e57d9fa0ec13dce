/* anchor.h - the public keys that an installer trusts, without reading JSON. Format: docs/guide/formats.md, 1.2.
 *
 * Two of them, as there are two repositories: the publisher's says who may approve content, the director's who may grant leases. A
 * customer who holds the director's root signs the second one. Pinned when a device is installed; a newer one replaces it
 * only when the root keys of both signed it. */
#pragma once

#include "trust/ceiling.h"
#include "trust/note.h"
#include "trust/verifier.h"

struct anchor_role { size_t threshold, count; struct vkey keys[LIMIT_KEYS]; };
struct anchor_streams { size_t count; char names[LIMIT_AGENT_STREAMS][LIMIT_NAME_BYTES + 1]; };
struct anchor_witnesses { size_t threshold, count; struct verifier keys[LIMIT_WITNESSES]; };

struct anchor {
        uint64_t version;
        struct anchor_role root, content, lab;      /* lab: any one of them speaks for itself */
        struct anchor_role emergency;               /* count 0: none; lifts the pace for a release */
        struct anchor_role agent;                   /* count 0: none; approves, in place of content, releases of ... */
        struct anchor_streams agent_streams;        /* ... these, which carry the agent's own program */
        bool has_log;                               /* nothing is installed that this log does not have */
        struct verifier log;
        struct anchor_witnesses witnesses;          /* threshold 0: the log's own word is enough */
        struct ceiling pace;                        /* count 0: none. As fast as content alone may go, from when witnesses saw the release; start is 0 */
};

struct director_anchor {
        uint64_t version;
        struct anchor_role root;
        struct vkey key;                            /* signs leases */
};

/* The text to be signed by the root keys. ERR_SYNTAX: anchor_open() would not take it: a threshold that its keys cannot
 * reach, a key twice in a role, one that approves content and lifts the pace for it, or content and the agent, agent keys without a stream, a log or a witness with another role, a pace without witnesses; for the director also a
 * root key that grants leases. */
MUST_CHECK enum err anchor_write(const struct anchor *anchor, struct buf *into, struct why *why);
MUST_CHECK enum err director_anchor_write(const struct director_anchor *anchor, struct buf *into, struct why *why);

/* A text that is yet to be signed. ERR_SYNTAX, ERR_LIMIT. */
MUST_CHECK enum err anchor_draft(const struct buf *text, struct anchor *ret_anchor, struct why *why);
MUST_CHECK enum err director_anchor_draft(const struct buf *text, struct director_anchor *ret_anchor, struct why *why);

/* Parsed, and signed by the threshold of its own root keys. That it is the right one, only pinning says. */
MUST_CHECK enum err anchor_open(const char *bytes, size_t length, struct anchor *ret_anchor, struct why *why);
MUST_CHECK enum err director_anchor_open(const char *bytes, size_t length, struct director_anchor *ret_anchor, struct why *why);
/* The one after `old`: also signed by the old root keys. ERR_ROLLBACK: not the next version. */
MUST_CHECK enum err anchor_follow(const struct anchor *old, const struct buf *bytes, struct anchor *ret_anchor, struct why *why);
MUST_CHECK enum err director_anchor_follow(const struct director_anchor *old, const struct buf *bytes, struct director_anchor *ret_anchor, struct why *why);

/* ERR_UNTRUSTED: the online key that grants leases could approve content, too: it would be the one key that an attacker needs. */
MUST_CHECK enum err anchor_check_pair(const struct anchor *anchor, const struct director_anchor *director, struct why *why);

/* The key of the log or of a witness. */
bool anchor_is_watcher(const struct anchor *anchor, const struct public_key *key);
/* Who approves the releases of a stream: the agent role, where the anchor says so, else content. */
const struct anchor_role *anchor_role_for(const struct anchor *anchor, const char *stream);
/* ERR_UNTRUSTED: the stream carries the agent itself, and the anchor, which has keys for that, does not name it: content keys alone could write code. */
MUST_CHECK enum err anchor_check_agent_stream(const struct anchor *anchor, const char *stream, struct why *why);
struct note_keys anchor_keys(const struct anchor_role *role);
struct note_keys director_anchor_keys(const struct director_anchor *anchor);
/* NULL: no key of the role. */
const struct vkey *anchor_role_find(const struct anchor_role *role, const struct public_key *key);
