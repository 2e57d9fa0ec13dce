/* groups.h - groups of devices that are kept on an older release of a stream than the newest, and whom a rollout therefore passes by.
 *
 * A group is that of the token with which a device enrolled. Pinned, it gets nothing above a counter. Behind, it gets a release once a newer one of
 * the stream is complete. The security floor wins over both: where they would keep a group below it, the first release that brings the group to the
 * floor again is for it, too.
 *
 * A device that is kept back stands in no line: it is neither exposed nor control, and nothing waits for it. What it runs already, it runs on; a
 * withdrawal reaches it. Decisions are made of who stood in line, so a replay of them needs nothing of this. */
#pragma once

#include "server/rollouts/run.h"

enum { GROUP_BEHIND_MAX = 1 };

struct group_rule { int64_t pin, behind; };      /* a counter, or how many releases behind the newest; one of both is 0 */

/* The newest release of the stream that such a group may have now. */
MUST_CHECK enum err group_newest(struct db *db, const char *stream, const struct group_rule *rule, int64_t *ret_counter, struct why *why);

/* The newest of these that was completed, which whoever has not got it is to have; 0: none. */
MUST_CHECK enum err group_offer(struct db *db, const char *stream, const struct group_rule *rule, int64_t *ret_counter, struct why *why);

/* Gives each member the number of its group: `name` as in the device's row. */
MUST_CHECK enum err run_add_to_group(struct run *run, struct member *member, const char *name, struct why *why);
/* Looks at the rules anew: in effect from now on. */
MUST_CHECK enum err run_follow_groups(struct rollouts *rollouts, struct run *run, struct why *why);
bool run_passes_by(const struct run *run, const struct member *member);      /* at the last look */
