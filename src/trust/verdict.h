/* verdict.h - the verifier: a bundle in, one fixed-size verdict out, nothing kept. The supervisor never parses metadata.
 *
 *      bundle_add...(&bundle, facts, pinned roots, what was kept);
 *      for (int i = 0; i < VERDICT_RUNS_MAX; i++) {
 *              run the verifier on the bundle, read a struct verdict, verdict_check() it
 *              store the records that verdict.kept names, as REPOSITORY.ROLE; they are the KEPT ones of the next time
 *              ACCEPT: done, see below. REFUSE: done, log the reason.
 *              WANT: fetch what verdict_want_name() says, never more than want_bytes_max; then
 *                      a file of a repository: bundle_add(&bundle, bundle_file(BUNDLE_FRESH, repository, role), ...)
 *                      a root that the server says it has not (404): bundle_add(&bundle, bundle_file(BUNDLE_ABSENT, ...), NULL, 0)
 *                      the cohort document: bundle_add(&bundle, BUNDLE_COHORT, ...)
 *                      any other failure: give up, try again later
 *      }
 *
 * ACCEPT says what the director offers this device: `counter` 0: nothing. Whether it may be installed decides the installer
 * by itself (install_rule.h); a verifier that was taken over can at most say something that the installer then refuses.
 *
 * What is checked for ACCEPT: the cohort document is the one in the director's trusted targets, for this stream, and has not
 * expired, and of the older releases that it names the wanted one is offered instead of the newest; when it is `go` and admits the device: the release repository's trusted targets list STREAM/COUNTER with the same
 * digest and length, for this platform, at or above the floor. Nothing else of the release repository is looked at, so a
 * hold or a withdrawal also works when that is out of reach. */
#pragma once

#include "trust/bundle.h"
#include "trust/cohort.h"
#include "trust/withdrawal.h"

enum { VERDICT_VERSION = 2, VERDICT_RUNS_MAX = BUNDLE_ROOTS_MAX + 16, VERDICT_REASON_BYTES = 160 };

enum verdict_status { VERDICT_REFUSE, VERDICT_ACCEPT, VERDICT_WANT };

enum { VERDICT_COHORT_ROLE = TUF_ROLES };            /* want_role: the artifact with digest want_sha256, a cohort document */

/* Between two programs of one machine, in its byte order. All unused fields are 0. */
struct verdict {
        uint32_t version, status;
        /* WANT */
        uint32_t want_repository, want_role, want_has_sha256, unused;
        uint64_t want_version, want_bytes_max;       /* version 0: the newest (timestamp) */
        uint8_t want_sha256[32];
        /* ACCEPT */
        uint32_t state, is_admitted;                 /* enum cohort_state */
        uint64_t seq, counter, fallback, note_length, floor;
        int64_t expires;                             /* of the offer: ask again before */
        uint8_t target[32];                          /* digest of the release note: the artifact to fetch */
        /* Always: which records of the bundle are trusted now; BUNDLE_NONE: as before. */
        uint16_t kept[BUNDLE_REPOSITORIES][TUF_ROLES];
        uint32_t err;                                /* REFUSE: enum err */
        char reason[VERDICT_REASON_BYTES];           /* for people; ends with NUL */
        uint32_t withdrawn_count;                    /* ACCEPT: other releases that this device must not run on */
        uint64_t withdrawal_count;
        uint64_t withdrawn[COHORT_WITHDRAWN_MAX];
        struct withdrawal withdrawals[WITHDRAWALS_MAX];      /* ACCEPT: since when, and how fast */
};
_Static_assert(sizeof(struct verdict) == 1400, "between programs");
_Static_assert(WITHDRAWALS_MAX == COHORT_WITHDRAWN_MAX + 1, "the others, and the one that is spoken of");

void verdict_decide(const void *bundle, size_t length, struct verdict *verdict);

/* What the supervisor asks of a verdict before it believes its form. ERR_SYNTAX. `records` in the bundle. */
MUST_CHECK enum err verdict_check(const struct verdict *verdict, size_t records, struct why *why);

/* Path below /v1/: "tuf/release/4.targets.json" or "artifacts/SHA256". */
enum { VERDICT_NAME_BYTES = 80 };
void verdict_want_name(const struct verdict *verdict, char name[VERDICT_NAME_BYTES]);
