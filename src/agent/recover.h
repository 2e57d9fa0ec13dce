/* recover.h - a device's disk, mounted somewhere else: what is found there, back to what was good, and back again.
 *
 * Starts nothing of the device, and needs neither its configuration nor a network. Each time the record as it was is kept under a name of
 * its own, and the record as it was left: so it can be undone until the device has run again. */
#pragma once

#include "agent/slot.h"
#include "platform/disk.h"

enum recover_to {
        RECOVER_GOOD,                    /* a release on trial is given up; another one goes one level down, at most to the factory copy */
        RECOVER_FACTORY, RECOVER_SAFE,   /* the factory copy; safe mode, an empty folder */
        RECOVER_LEVELS,
};
const char *recover_to_name(enum recover_to to);                 /* good, factory, safe: what is written after --to */
MUST_CHECK enum err recover_to_read(const char *text, enum recover_to *ret_to, struct why *why);

struct recover_wish { const char *stream; enum recover_to to; bool is_dry; };            /* stream NULL: all */

enum recover_step { RECOVER_NOTHING, RECOVER_GAVE_UP, RECOVER_WENT_DOWN, RECOVER_RESET };
struct recovered {               /* one stream */
        char name[SLOT_NAME_BYTES];
        struct slot_stream found;                /* zeros when the record was damaged */
        uint64_t counter;                        /* of what ran; 0: no release */
        char link[DISK_NAME_MAX + 1];            /* where `current` pointed; empty: nowhere */
        enum recover_step step;
        enum slot_id slot;                       /* that the next start runs, and ... */
        uint64_t now;                            /* ... the release in it */
};
enum { RECOVER_FILE_BYTES = 32 };
struct recovery {
        struct why damage;                       /* of the record; no text: there is none */
        struct recovered streams[LIMIT_STREAMS];
        size_t count;
        char before[RECOVER_FILE_BYTES];         /* the record as it was, in the state folder; empty: nothing was changed */
};

/* `disk`: the state folder, locked unless it is dry. `now_s`: trusted time. ERR_NOT_FOUND: it has no such stream. */
MUST_CHECK enum err recover_run(struct disk *disk, const struct recover_wish *wish, int64_t now_s, struct recovery *ret_recovery, struct why *why);
/* The last one that is not undone yet; `ret_recovery` says what runs then. ERR_NOT_FOUND: there is none. ERR_REFUSED: the device has run since. */
MUST_CHECK enum err recover_undo(struct disk *disk, bool is_dry, struct recovery *ret_recovery, struct why *why);
