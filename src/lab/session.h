/* session.h - one run of the lab: a release through its stages, and each finding signed. */
#pragma once

#include "base/arena.h"
#include "lab/options.h"
#include "lab/stage.h"
#include "trust/key.h"

enum { SESSION_STAGES_MAX = 10, SESSION_LOG_MAX = 4 << 20 };

struct session_result {
        const struct stage *stage;
        struct found found;
        int64_t started, finished;       /* unix seconds */
        char log_sha256[DIGEST_TEXT_MAX];
        char evidence[PATH_MAX], log[PATH_MAX];  /* files written; "" when none */
};

struct session {
        const struct lab_options *options;
        struct candidate *candidate, *baseline;
        struct legit *legit;
        struct engine engine;
        struct secret_key key;
        struct disk *out;                /* NULL: nothing is written */
        char stream[LIMIT_NAME_BYTES + 1], target[DIGEST_TEXT_MAX], scratch[64];
        int64_t counter;                 /* 0: the release has no name */
        size_t count;
        struct session_result results[SESSION_STAGES_MAX];
};

/* Runs all stages that `options` names. A finding is no error; an error means that the run itself could not be done.
 * `options` is borrowed. Progress goes to stderr when that is a terminal. */
MUST_CHECK enum err session_run(const struct lab_options *options, struct session *session, struct why *why);
void session_done(struct session *session);
static inline void session_release(struct session *session) { session_done(session); }

enum record_status session_status(const struct session *session);        /* the worst */
int session_exit(const struct session *session);                         /* 0, 1 or 2 */

/* What was found, on stdout's side: for people, or as one JSON document. */
MUST_CHECK enum err session_print(const struct session *session, struct buf *into, struct why *why);
MUST_CHECK enum err session_print_json(const struct session *session, struct buf *into, struct why *why);
