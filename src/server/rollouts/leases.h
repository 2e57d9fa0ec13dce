/* leases.h - the rows of leases: reserved, signed, answered.
 *
 * Invariant: a nonce has one lease, and a lease has one note, for ever: asking again gives the same bytes. */
#pragma once

#include "server/store/db.h"
#include "trust/lease.h"

struct signer;
struct director_anchor;

struct lease_row {
        int64_t number, device, rollout, handle;
        bool is_shadow, is_counted, is_signed;
        int64_t counter;                        /* of the note: for a shadow lease what the device runs */
        uint8_t nonce[16], target[32];
        int64_t granted_ms, ends_ms, bake_s;    /* as the note says */
        int64_t deadline_ms;                    /* when it ends, in the rollout's own time */
        char outcome[24];                       /* "" as long as there is none */
};

/* ERR_NOT_FOUND: nobody has a lease with this nonce. */
MUST_CHECK enum err lease_find(struct db *db, const uint8_t nonce[16], struct lease_row *ret_row, struct why *why);
/* `number`, `ends_ms`, `bake_s`, `is_signed` and `outcome` are not looked at. Two may bring one nonce: the first has it, and for the other nothing
 * is written; its reservation lapses. */
MUST_CHECK enum err lease_reserve(struct db *db, const struct lease_row *row, struct why *why);
MUST_CHECK enum err lease_has_open(struct db *db, int64_t device, int64_t now_ms, bool *ret_has, struct why *why);
/* The outcome of the newest exposure of a device in a rollout: "" if there is none yet; ERR_NOT_FOUND: never exposed. */
MUST_CHECK enum err lease_last_outcome(struct db *db, int64_t rollout, int64_t device, char outcome[24], struct why *why);
/* Overwrites: labels are mended by late reports. */
MUST_CHECK enum err lease_label(struct db *db, int64_t number, const char *outcome, const char *harm, int64_t now_ms, struct why *why);

/* Sign it now, if it is not yet, and add the note to `into`. */
struct lease_signing { struct signer *signer; const struct director_anchor *director; const char *device_hex, *stream; };
MUST_CHECK enum err lease_note(struct db *db, const struct lease_row *row, const struct lease_signing *signing, struct buf *into, struct why *why);
