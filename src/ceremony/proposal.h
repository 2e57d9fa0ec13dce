/* proposal.h - documents that several people sign, each where his key is: one file that travels between their machines.
 *
 *      proposal_read(bytes, length, &proposal, why)       as it came
 *      proposal_add(&proposal, paper, &key, signature, why)
 *      proposal_write(&proposal, &into, why)              as it goes on; copies that came back are merged with proposal_merge()
 *
 * It carries what is in force and what shall be, and is believed in nothing: holders.h reads both, rotation.h says who has to sign. */
#pragma once

#include "base/buf.h"
#include "base/limits.h"
#include "base/own.h"
#include "trust/key.h"

#include <stdbool.h>

enum paper { PAPER_RELEASE_ROOT, PAPER_DIRECTOR_ROOT, PAPER_RELEASE_ANCHOR, PAPER_DIRECTOR_ANCHOR, PAPER_TARGETS, PAPER_SNAPSHOT, PAPER_NOTE, PAPERS };
#define PAPERS_IN_FORCE PAPER_NOTE                       /* the note of a release is a new file, and follows none */

const char *paper_name(enum paper paper);                /* "release.root.json" */
bool paper_is_listing(enum paper paper);                 /* targets and snapshot: what content keys sign beside notes */
bool paper_is_note(enum paper paper);                    /* lines with signatures below; the others are TUF files */

struct paper_signature { struct public_key key; uint8_t signature[64]; };

struct proposed {
        struct buf before;                               /* the signed file that is in force */
        struct buf text;                                 /* what is to be signed; empty: it stays as it is */
        size_t count;
        struct paper_signature signatures[LIMIT_SIGNATURES];       /* each fits the text */
};

struct proposal { struct proposed papers[PAPERS]; };

void proposal_init(struct proposal *proposal);
void proposal_done(struct proposal *proposal);
static inline void proposal_release(struct proposal *proposal) { proposal_done(proposal); }

/* Into one that was just made. ERR_SYNTAX, ERR_LIMIT; ERR_UNTRUSTED: a signature does not fit. */
MUST_CHECK enum err proposal_read(const char *bytes, size_t length, struct proposal *proposal, struct why *why);
MUST_CHECK enum err proposal_write(const struct proposal *proposal, struct buf *into, struct why *why);

/* One that is there already is fine. ERR_UNTRUSTED: it does not fit the text. */
MUST_CHECK enum err proposal_add(struct proposal *proposal, enum paper paper, const struct paper_signature *signature, struct why *why);
bool proposal_has(const struct proposal *proposal, enum paper paper, const struct public_key *key);
/* The other's signatures, too. ERR_REFUSED: of another proposal. */
MUST_CHECK enum err proposal_merge(struct proposal *into, const struct proposal *from, struct why *why);
