/* judge.h - what the installer checks itself, whatever the fetcher and the verifier said: note, lease, install rule.
 *
 * Signed notes only, no JSON. The anchors in force (anchors.h) decide whose signatures count. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "trust/install_rule.h"

#include <stdint.h>

struct anchor;
struct director_anchor;

/* The signed note that `facts.target` names, of a release that was offered as `counter`; its note and lease are not there yet. ERR_IO: other
 * bytes than asked for, fetch them again; ERR_REFUSED: not for us, or not yet; else what is wrong with the release itself:
 * ERR_UNTRUSTED, ERR_SYNTAX, ERR_LIMIT, ERR_ROLLBACK. */
struct judge_offer { struct install_facts facts; uint64_t counter; bool is_agent; };      /* is_agent: it would go on as this agent */
MUST_CHECK enum err judge_candidate(const struct anchor *anchor, const struct judge_offer *offer, const struct buf *signed_note,
                                    struct release_note **ret_note, struct why *why);

/* The answer to our question, and whether it lets us do anything: an exposure by the whole install rule, a shadow when it
 * names what runs here. `facts` is completed with the lease. */
struct judge_question { struct install_facts facts; uint64_t running; const uint8_t *running_target; };
MUST_CHECK enum err judge_lease(const struct director_anchor *director, const struct judge_question *question, const struct buf *signed_lease,
                                struct lease *ret_lease, struct why *why);
