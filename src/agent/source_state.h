/* source_state.h - what came from whom, as the supervisor keeps it for people: `firebreak-agent status`. Nothing is decided by it. */
#pragma once

#include "agent/source.h"
#include "base/err.h"
#include "platform/disk.h"

enum { SOURCE_NAME_BYTES = 104 };        /* of an address; more of it is not shown */

struct source_state {
        char name[SOURCE_NAME_BYTES];    /* empty: the server itself */
        uint64_t bytes;                  /* since the agent started, as are the others */
        int64_t aside_until_s;           /* unix time; 0: it is asked */
        uint32_t failures, lies;
};
/* On disk (state_dir/sources): no others read it. */
struct source_states { char magic[4]; uint32_t version, count, unused; struct source_state each[SOURCES_MAX]; };
_Static_assert(sizeof(struct source_states) == 16 + 128 * SOURCES_MAX, "on disk");

/* As they are at `now_ms` on the clock of sources.h, which is `now_s`. `names`: of the mirrors, as configured. */
struct source_states source_states_of(const struct sources *sources, const char *const *names, int64_t now_ms, int64_t now_s);
void source_states_read(struct disk *disk, struct source_states *ret_states);   /* count 0 where it cannot be read, or is damaged */
MUST_CHECK enum err source_states_write(struct disk *disk, const struct source_states *states, struct why *why);
