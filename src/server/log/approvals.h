/* approvals.h - what others than its signers said of a release (trust/approval.h): rows, and files for the devices that ask.
 *
 * A file is `approval/TARGET/emergency`, or `approval/TARGET/KEY` with the customer's public key in 64 digits. It holds the text and signatures that fit, of those
 * who have a say, and nothing else: nobody spoils or pushes out what another one said. The rows are the truth; files that were lost are written anew. */
#pragma once

#include "format/json.h"
#include "platform/disk.h"
#include "server/store/db.h"
#include "trust/approval.h"
#include "trust/note.h"

/* `keys`: who has a say; of what a note has beside theirs nothing is kept. Within a transaction. ERR_UNTRUSTED: theirs are too few;
 * ERR_LIMIT: beyond LIMIT_APPROVALS customers. */
struct approvals_given {
        int64_t release;
        const struct approval *approval;
        const struct note *note;
        const struct note_keys *keys;
        int64_t now_s;
        bool has_changed;
};
MUST_CHECK enum err approvals_add(struct db *db, struct approvals_given *given, struct why *why);

/* Write the files that rows are waiting for, the newest first, a few at a time. A transaction of its own. Cheap when there is nothing to do. */
MUST_CHECK enum err approvals_give_out(struct db *db, struct disk *disk, struct why *why);
/* At start, within a transaction: files that are gone are to be written again. */
MUST_CHECK enum err approvals_check_files(struct db *db, struct disk *disk, struct why *why);

/* [{"kind":"emergency"},{"kind":"customer","by":"bank.content"}] */
MUST_CHECK enum err approvals_list(struct db *db, int64_t release, struct json *into, struct why *why);
