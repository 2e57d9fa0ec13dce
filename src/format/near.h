/* near.h - "did you mean ...?": the known name that is closest to a mistyped one.
 *
 *      struct near near = { .word = key };
 *      near_consider(&near, "bake_s"); ...          near.best is the closest, or NULL when none is close */
#pragma once

#include <stddef.h>

struct near {
        const char *word, *best;     /* borrowed */
        size_t distance;             /* of `best`: letters to change */
};

void near_consider(struct near *near, const char *candidate);
