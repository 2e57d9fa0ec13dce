/* deltas.h - the process that makes deltas: told by the store which releases there are, one job after the other, each in a child of its own that
 * has the artifacts and nothing else, and gives way to whoever has something to do.
 *
 * Nothing waits for it: a release is announced without its deltas, and who asks for one before it is made fetches the files. */
#pragma once

#include "base/log.h"

struct deltas_service {
        int end;                               /* of a link to the store, on which struct delta_job arrive */
        const char *artifacts;                 /* the folder */
        const struct log *log;
};
/* Until the store is gone, which is OK. */
MUST_CHECK enum err deltas_serve(const struct deltas_service *service, struct why *why);
