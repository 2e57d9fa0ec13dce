/* holders.h - who holds which role, as the files say that are in force, and as those say that shall be.
 *
 * Roles are told of in two places, in TUF roots for verifiers and in anchors for installers: they must say the same. Content keys sign
 * release notes, targets and snapshot; agent keys, where there are any, the notes of the streams that carry the agent. One online key signs the release timestamp, one all that the director says. */
#pragma once

#include "ceremony/proposal.h"
#include "trust/anchor.h"
#include "trust/tuf_role.h"

enum holder_role { HOLDER_ROOT, HOLDER_CONTENT, HOLDER_LAB, HOLDER_EMERGENCY, HOLDER_AGENT, HOLDER_DIRECTOR_ROOT, HOLDER_TIMESTAMP, HOLDER_DIRECTOR, HOLDER_ROLES };
const char *holder_role_name(enum holder_role role);     /* "director-root"; those that have a threshold come first */
#define HOLDER_WITH_THRESHOLD HOLDER_TIMESTAMP

struct holders {
        struct anchor anchor;
        struct director_anchor director;
        struct vkey timestamp;
        struct tuf_stamp release_root, director_root, targets, snapshot;
        bool adds_release;                       /* of what shall be: the targets list one more (addition.h) */
};

uint64_t holders_version(const struct holders *holders, enum paper paper);

/* The role's keys; of the two with one key: a role of one. */
struct anchor_role holders_role(const struct holders *holders, enum holder_role role);
bool anchor_role_equal(const struct anchor_role *a, const struct anchor_role *b);
bool anchor_streams_equal(const struct anchor_streams *a, const struct anchor_streams *b);
/* Log, witnesses and pace. */
bool anchor_log_equal(const struct anchor *a, const struct anchor *b);

/* Of the files in force: each is signed by whom it names. ERR_UNTRUSTED, ERR_SYNTAX: they do not belong together. */
MUST_CHECK enum err holders_read(const struct proposal *proposal, struct holders *ret_holders, struct why *why);

/* Of the files as they shall be. ERR_UNTRUSTED: a text says something else than that the next version of `before` has these holders. */
MUST_CHECK enum err holders_draft(const struct proposal *proposal, const struct holders *before, struct holders *ret_holders, struct why *why);

/* ERR_UNTRUSTED: an online key that has another role too: whoever takes the server would have that, too. */
MUST_CHECK enum err holders_check(const struct holders *holders, struct why *why);

/* Of the files in force, the listing among them: what people tell each other before they sign. */
void holders_digest(const struct proposal *proposal, uint8_t digest[32]);

/* What has to change with them: papers[i] for each paper. */
void holders_changes(const struct holders *before, const struct holders *after, bool papers[static PAPERS]);

/* The text of a paper. `proposal`: targets go on listing what they list in the file in force, and the release of the note. */
MUST_CHECK enum err holders_write(const struct holders *holders, enum paper paper, const struct proposal *proposal, struct buf *into, struct why *why);
