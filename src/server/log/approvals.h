/* approvals.h - what others than its signers said of a release (trust/approval.h): a row for each signature, and files for the devices that ask.
 *
 * A file is `approval/TARGET/emergency`, or `approval/TARGET/ID` with the id of the customer's key, which has the signatures of all whose key has that id:
 * devices look for their own. The rows are the truth; files that were lost are written anew. */
#pragma once

#include "format/json.h"
#include "platform/disk.h"
#include "server/store/db.h"
#include "trust/approval.h"
#include "trust/note.h"

/* Within a transaction. A signature that is there already changes nothing; another one of the same key takes its place. ERR_LIMIT: beyond LIMIT_APPROVALS. */
struct approvals_given { int64_t release; enum approval_kind kind; const struct note *note; int64_t now_s; bool has_changed; };
MUST_CHECK enum err approvals_add(struct db *db, struct approvals_given *given, struct why *why);

/* Write the files that rows are waiting for, a few at a time. Transactions of its own. Cheap when there is nothing to do. */
MUST_CHECK enum err approvals_give_out(struct db *db, struct disk *disk, struct why *why);
/* At start: all files are to be looked after. */
MUST_CHECK enum err approvals_check_files(struct db *db, struct why *why);

/* Who approved a release, by the names in the signatures; of emergency keys "emergency". */
MUST_CHECK enum err approvals_list(struct db *db, int64_t release, struct json *into, struct why *why);
