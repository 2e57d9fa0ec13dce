/* serve_store.h - the store process: takes what the api process sends, answers it in batches, moves the rollouts' clock.
 *
 * Everything that waits is one transaction (at most LIMIT_STORE_BATCH requests): the busier it is, the cheaper a request.
 * What anybody may fetch is sent on before the answers that changed it, so whoever has an answer can fetch what it tells of. */
#pragma once

#include "base/log.h"
#include "server/store/store.h"

/* Until the api process is gone, which is OK. `end` of a link, borrowed. */
MUST_CHECK enum err store_serve(int end, struct store *store, const struct log *log, struct why *why);
