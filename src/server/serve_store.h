/* serve_store.h - the store process: takes what the api process sends, answers it in batches, moves the rollouts' clock.
 *
 * Everything that waits is one transaction (at most LIMIT_STORE_BATCH requests): the busier it is, the cheaper a request.
 * What anybody may fetch is sent on before the answers that changed it, so whoever has an answer can fetch what it tells of. */
#pragma once

#include "base/log.h"
#include "server/store/store.h"

/* All borrowed. */
struct store_service {
        int end;                               /* of a link to the api process */
        int deltas;                            /* to the process that makes them; -1: none */
        struct store *store;
        const struct signer *signer;           /* remote.h */
        const struct log *log;
};

/* Until the api process is gone, which is OK. ERR_IO: the signer is deaf, and nothing that needs it can go on. */
MUST_CHECK enum err store_serve(const struct store_service *service, struct why *why);
