/* POST /metadata: targets and snapshot signed anew, before the old ones expire, or to list what is signed and yet to come. */
#include "base/limits.h"
#include "format/canon.h"
#include "server/operators/listing.h"
#include "server/operators/operator.h"
#include "server/store/audit.h"
#include "server/store/inside.h"

struct body { const struct json *targets, *snapshot; };
static const struct json_field body_fields[] = {
        { "targets", JSON_OBJECT, true, offsetof(struct body, targets), 0, 0 },
        { "snapshot", JSON_OBJECT, true, offsetof(struct body, snapshot), 0, 0 },
};

static enum err unpack(struct call *call, struct listing *listing, struct why *why)
{
        struct body body = { 0 };
        OWN(json) struct json *json = NULL;
        enum err e = call_body(call, &json, why);
        if (!e)
                e = JSON_READ(json, body_fields, &body, why);
        if (!e)
                e = canon_write(body.targets, &listing->targets, why);
        return e ? e : canon_write(body.snapshot, &listing->snapshot, why);
}

static enum err answer(struct call *call, const struct listing *listing, struct why *why)
{
        int64_t targets = tuf_expires(listing->tuf, TUF_TARGETS), snapshot = tuf_expires(listing->tuf, TUF_SNAPSHOT);
        struct json *json = json_new_object();
        json_set_int(json, "targets", (int64_t)tuf_version(listing->tuf, TUF_TARGETS));
        json_set_int(json, "snapshot", (int64_t)tuf_version(listing->tuf, TUF_SNAPSHOT));
        json_set_int(json, "expires", targets < snapshot ? targets : snapshot);
        return call_answer_json(call, 200, json, why);
}

enum err operator_metadata(struct call *call, struct why *why)
{
        OWN(listing) struct listing listing;
        listing_init(&listing);
        enum err e = unpack(call, &listing, why);
        if (!e)
                e = listing_verify(call->store, call_now_s(call), &listing, why);
        if (!e)
                e = listing_keep(call->store, call_now_s(call), &listing, why);
        if (!e)
                e = audit_add(call->db, &(struct audit_line){ call->now_ms, "admin", "metadata.publish", "release", "" }, why);
        return e ? e : answer(call, &listing, why);
}
