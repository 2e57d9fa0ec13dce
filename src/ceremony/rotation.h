/* rotation.h - a ceremony: who shall hold which role from now on, and whether enough have signed it.
 *
 *      rotation_propose(&proposal, &rotation, why)        the files in force are there; the texts are written
 *      rotation_needs(...), then on each holder's machine proposal_add()
 *      rotation_finish(&proposal, now, files, why)        the new files, which devices take */
#pragma once

#include "ceremony/holders.h"

enum rotation_kind {
        ROTATION_ADD, ROTATION_REMOVE, ROTATION_THRESHOLD,       /* keys of a role */
        ROTATION_WITNESS, ROTATION_NO_WITNESS, ROTATION_WITNESSES,       /* the same of the log's witnesses */
        ROTATION_LOG, ROTATION_PACE, ROTATION_STREAMS,           /* in place of what there was */
};
struct rotation_step {
        enum rotation_kind kind;
        enum holder_role role;
        struct vkey vkey;                        /* ADD; of a role with one key it takes the place of the old */
        const char *name;                        /* REMOVE: of the key */
        size_t threshold;
        struct verifier verifier;                /* LOG: without a name, none from now on; WITNESS. NO_WITNESS: `name` */
        struct ceiling pace;                     /* PACE: without a step, none */
        struct anchor_streams streams;           /* STREAMS: those that the agent keys approve; none: there are none such */
};
struct rotation {
        const struct rotation_step *steps;
        size_t count;
        int64_t now, root_s, listing_s;          /* lifetimes of the new files */
        bool is_listing_only;                    /* without a step: the roots stay as they are */
};

/* Without a step, both roots and the listing are only renewed, or the listing alone. ERR_REFUSED: it changes nothing, or a key of the publisher's is taken
 * out, or a threshold raised, and the timestamp keeps its key: who had that key may have made timestamps with versions that nobody
 * will reach. ERR_SYNTAX: a threshold that the keys cannot reach; ERR_NOT_FOUND: no key of that name. */
MUST_CHECK enum err rotation_propose(struct proposal *proposal, const struct rotation *rotation, struct why *why);

/* ERR_EXPIRED: a new file that is over already, or good for longer than anybody should rely on it. */
enum { ROTATION_ROOT_S_MAX = 3650 * 86400, ROTATION_LISTING_S_MAX = 100 * 86400 };
MUST_CHECK enum err rotation_check_dates(const struct holders *before, const struct holders *after, int64_t now, struct why *why);

/* Whose signatures a paper needs; one or two sets. */
enum { ROTATION_NEEDS_MAX = 2 };
struct rotation_need { const char *whose; struct anchor_role role; size_t have; };
size_t rotation_needs(const struct proposal *proposal, const struct holders *before, const struct holders *after, enum paper paper,
                      struct rotation_need needs[static ROTATION_NEEDS_MAX]);
bool rotation_is_complete(const struct proposal *proposal, const struct holders *before, const struct holders *after);

/* The files that a proposal makes. */
struct rotation_files { struct buf of[PAPERS]; };
void rotation_files_init(struct rotation_files *files);
void rotation_files_release(struct rotation_files *files);

/* The signed files of what changes, others empty: as devices, with those in force, will judge them. ERR_UNTRUSTED: too few signatures. */
MUST_CHECK enum err rotation_finish(const struct proposal *proposal, int64_t now, struct buf files[static PAPERS], struct why *why);
