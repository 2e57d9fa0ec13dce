/* install_rule.h - may this device install this release now? All that the installer checks by itself, without JSON.
 *
 * The release note and the lease were opened before (release_note_open, lease_open), which checked their signatures. The
 * verifier may have been taken over; whatever it said, nothing gets past this. */
#pragma once

#include "trust/lease.h"
#include "trust/release_note.h"

struct install_facts {
        const char *device, *stream, *platform, *ring;
        uint64_t floor;                      /* the highest that this device has seen for the stream */
        int64_t now;                         /* trusted time, unix seconds */
        const struct release_note *note;
        const uint8_t *target;               /* 32: SHA-256 of the note's text */
        const uint8_t *nonce;                /* 16: that we asked with; NULL: no lease yet */
        const struct lease *lease;           /* NULL: no lease yet */
        bool is_vouched;                     /* whoever else has a say in it, said yes: the log, this device's owner */
        const struct ceiling *pace;          /* what its own ceiling may not outrun, from when witnesses saw it; NULL: nothing */
};

/* A device's place in the pace is of its own, and of the week in which the release was seen, not of the release: nobody is always the first, and a thousand
 * releases of one week reach no more devices than one. */
enum { PACE_WEEK_S = 7 * 86400 };

/* Before anything is fetched: stream, counter, floor, platform, ceiling, pace. Neither the lease nor who vouches is looked at.
 * ERR_ROLLBACK: below the floor; ERR_REFUSED: not for us, or not yet. */
MUST_CHECK enum err install_candidate(const struct install_facts *facts, struct why *why);
/* The same, that it is vouched for, and the lease: an exposure, for this device, stream, release and nonce, before its deadline (ERR_EXPIRED). */
MUST_CHECK enum err install_rule(const struct install_facts *facts, struct why *why);

/* Is the lease for this device and stream, an answer to our nonce, and alive? For shadow leases, where nothing is installed:
 * counter and target are then what runs, and the caller's to compare. */
MUST_CHECK enum err install_lease_is_ours(const struct install_facts *facts, struct why *why);
