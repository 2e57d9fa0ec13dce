/* releases.h - a published release as the operators' API names it: STREAM/COUNTER. */
#pragma once

#include "server/store/call.h"
#include "trust/ceiling.h"

struct release {
        int64_t number, counter;
        char stream[65], name[96];              /* "edr-rules/4" */
        uint8_t target[32];
};

/* ERR_NOT_FOUND. */
MUST_CHECK enum err release_find(struct db *db, const char *stream, int64_t counter, struct release *ret_release, struct why *why);
/* From the captures {stream} and {counter}. */
MUST_CHECK enum err release_of_call(const struct call *call, struct release *ret_release, struct why *why);
/* As its note says, which is opened anew: the signatures are checked. */
MUST_CHECK enum err release_ceiling(const struct call *call, const struct release *release, struct ceiling *ret_ceiling, struct why *why);
/* The answer that shows one, with ceiling, dossier, evidence and gate. */
MUST_CHECK enum err release_answer(struct call *call, int status, const struct release *release, struct why *why);
