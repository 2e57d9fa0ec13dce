/* inside.h - the store from within: what its parts share. Only src/server/{store,device,log,operators,rollouts} include this. */
#pragma once

#include "server/log/tlog.h"
#include "server/rollouts/rollouts.h"
#include "server/store/pins.h"
#include "server/store/public.h"
#include "server/store/store.h"

struct store {
        struct store_config config;
        struct db *db;
        struct signer *signer;
        struct pins pins;                       /* whom we trust: the publisher's roots and anchor */
        struct rollouts *rollouts;
        struct tlog *tlog;                      /* NULL: this server has no log */
        struct public_state *public_state;
        bool has_new_releases;                  /* of which the process that makes deltas was not told, ... */
        int64_t told_release;                   /* ... behind the one of this number */
        bool is_public_stale;                   /* metadata, epoch or revocations changed in this transaction */
        bool is_memory_stale;                   /* the rollouts in memory saw what the database does not have */
};

/* A named number that lasts; 0 if it was never set. */
MUST_CHECK enum err number_get(struct db *db, const char *name, int64_t *ret_value, struct why *why);
MUST_CHECK enum err number_set(struct db *db, const char *name, int64_t value, struct why *why);

/* Something that devices fetch has changed: they learn it by the epoch at their next check-in. */
MUST_CHECK enum err store_new_epoch(struct store *store, struct why *why);
