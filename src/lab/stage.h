/* stage.h - the lab's stages: what each asks of a release. design: cheapest first; none trusts another. */
#pragma once

#include "lab/candidate.h"
#include "lab/engine.h"
#include "lab/finding.h"

struct legit;

struct trial {
        const struct candidate *candidate;
        const struct candidate *baseline;        /* what devices run now; NULL: not known */
        const struct engine *engine;
        const struct legit *legit;               /* the files that must not be matched */
        const char *scratch;                     /* a folder of ours, to plant a canary in */
};

/* An error is ours and makes the stage an ERROR; what it found is in `found`. */
typedef enum err stage_run(const struct trial *trial, struct found *found, struct why *why);

struct stage {
        const char *name, *check, *title;
        int version;
        stage_run *run;
};

extern const struct stage stages[];
extern const unsigned stage_count;
const struct stage *stage_named(const char *name, size_t length);        /* NULL: none */

/* Runs it to a whole finding. */
void stage_try(const struct stage *stage, const struct trial *trial, struct found *found);

stage_run stage_static, stage_load, stage_legit;
