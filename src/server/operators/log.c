/* POST /log/cosignatures: what witnesses say of a checkpoint of this server's log, brought by an operator. */
#include "server/operators/operator.h"
#include "server/store/audit.h"
#include "server/store/inside.h"

#include <inttypes.h>

static enum err note(struct call *call, const struct tlog_cosigned *cosigned, struct why *why)
{
        char subject[48], detail[64];
        snprintf(subject, sizeof(subject), "checkpoint/%" PRIu64, cosigned->size);
        snprintf(detail, sizeof(detail), "%zu of %zu witnesses", cosigned->witnesses, cosigned->threshold);
        return audit_add(call->db, &(struct audit_line){ call->now_ms, "admin", "log.cosign", subject, detail }, why);
}

static struct json *answer_of(const struct tlog_cosigned *cosigned)
{
        struct json *json = json_new_object();
        json_set_int(json, "size", (int64_t)cosigned->size);
        json_set_int(json, "witnesses", (int64_t)cosigned->witnesses);
        json_set_int(json, "threshold", (int64_t)cosigned->threshold);
        json_set_int(json, "proofs", cosigned->proofs);
        return json;
}

enum err operator_log_cosign(struct call *call, struct why *why)
{
        struct tlog_cosigned cosigned = { 0 };
        const struct store_text *body = &call->request->body;
        if (!call->store->tlog)
                return FAIL(why, ERR_NOT_FOUND, "this server has no transparency log: there is no log.pem in the folder of its --keys");
        enum err e = tlog_cosign(call->store->tlog, (struct line){ body->bytes, body->length }, call_now_s(call), &cosigned, why);
        if (!e && cosigned.has_changed)
                e = note(call, &cosigned, why);
        return e ? e : call_answer_json(call, 200, answer_of(&cosigned), why);
}
