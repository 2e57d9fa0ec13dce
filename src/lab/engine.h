/* engine.h - a real engine asked about content, walled in, and its answer held against what it was asked.
 *
 * Speaks the command line of firebreak-yarad(8): --version, --check, --once. An exit code alone is never believed. */
#pragma once

#include "lab/digest.h"
#include "platform/sandbox.h"

#include <limits.h>

struct engine {
        char path[PATH_MAX];
        char name[65], version[65], sha256[DIGEST_TEXT_MAX];
        char walls[SANDBOX_WALLS_TEXT_MAX];      /* what held it in */
        struct buf *log;                         /* all that it says is added here; may be NULL */
        const struct sandbox_limits *limits;     /* NULL: engine_limits */
};

extern const struct sandbox_limits engine_limits;

/* `engine->log` and `limits` are set by the caller. ERR_NOT_FOUND, ERR_REFUSED: no such program; ERR_IO: it does not say its name and version. */
MUST_CHECK enum err engine_open(const char *path, struct engine *engine, struct why *why);

enum engine_end {
        ENGINE_DONE,             /* it said all that it should */
        ENGINE_REFUSES,          /* the content does not load */
        ENGINE_DIED,             /* crashed, or would not end: the content's doing */
        ENGINE_BROKE,            /* it could not do its work, or its answer makes no sense */
};

struct engine_answer {
        enum engine_end end;
        char text[400];          /* of any but DONE: what happened, in its own words where it has some */
        int64_t rules, warnings; /* of a check */
        int64_t files, bytes, errors;            /* of a scan: looked at to the end; and those not */
        char first_error[300];   /* "/bin/ls: not scanned: took too long" */
        bool is_cut;             /* it said more than there is room for: some matches are lost */
};

MUST_CHECK enum err engine_check(const struct engine *engine, const char *content, struct engine_answer *ret_answer, struct why *why);

struct engine_match { const char *rule, *path; };
struct engine_scan {
        const char *content;
        const char *const *paths;
        size_t path_count;
        void (*on_match)(void *user, const struct engine_match *match);
        void *user;
};
MUST_CHECK enum err engine_scan(const struct engine *engine, const struct engine_scan *scan, struct engine_answer *ret_answer, struct why *why);
