/* service.h - what a witness answers (C2SP tlog-witness): the rules are log/witness.h's, the memory is ledger.h's.
 *
 * Not safe for two threads: a request is read, decided, remembered and answered before the next, or two could roll a log back. */
#pragma once

#include "log/witness.h"
#include "platform/clock.h"
#include "witness/ledger.h"

struct service {
        struct ledger ledger;
        const struct verifier *logs;
        size_t log_count;
        const struct verifier *witness;
        const struct secret_key *key;
        struct clock *clock;
};

struct reply {
        int status;
        const char *type;
        struct buf body;                 /* the caller's; buf_init() with REPLY_BYTES_MAX */
        char origin[LIMIT_ORIGIN_BYTES + 1];     /* of whose checkpoint it was; "" when it was none */
        uint64_t size;
};
enum { REPLY_BYTES_MAX = LIMIT_CHECKPOINT_BYTES };

/* `add-checkpoint`. OK when it is cosigned; ERR_REFUSED with the reason when it is not, which is an answer, too; anything else is
 * trouble of the witness's own, of which the asker learns no more than 500. */
MUST_CHECK enum err service_add_checkpoint(const struct service *service, const struct line *request, struct reply *reply, struct why *why);
/* The checkpoint cosigned last of the log with this name (ledger_name). ERR_NOT_FOUND and 404: there is none. */
MUST_CHECK enum err service_checkpoint(const struct service *service, const char *name, struct reply *reply, struct why *why);
