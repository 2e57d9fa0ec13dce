/* POST /approvals: somebody's word on a release beside its note. Whose word counts, devices judge; that it is his own, also the server. */
#include "server/log/approvals.h"

#include "base/limits.h"
#include "format/hex.h"
#include "server/log/rows.h"
#include "server/operators/operator.h"
#include "server/operators/releases.h"
#include "server/store/audit.h"
#include "server/store/inside.h"
#include "trust/sha.h"

#include <string.h>

struct body { const char *approval; };
static const struct json_field body_fields[] = {
        { "approval", JSON_TEXT, true, offsetof(struct body, approval), 1, LIMIT_APPROVAL_BYTES },
};

/* What came, read. The texts are the document's. */
struct approving {
        struct json *json;
        struct buf bytes;
        struct note note;
        struct approval approval;
        struct release release;
};
static void approving_release(struct approving *approving)
{
        json_close(approving->json);
        buf_done(&approving->bytes);
}

static enum err read_note(struct call *call, struct approving *approving, struct why *why)
{
        struct body body = { 0 };
        enum err e = call_body(call, &approving->json, why);
        if (!e)
                e = JSON_READ(approving->json, body_fields, &body, why);
        if (e)
                return e;
        buf_add_text(&approving->bytes, body.approval);
        e = buf_check(&approving->bytes, why);
        if (!e)
                e = note_parse(buf_text(&approving->bytes), approving->bytes.length, &approving->note, why);
        if (!e)
                e = approval_parse(approving->note.text, approving->note.text_length, &approving->approval, why);
        return e ? DURING(why, e, "approval") : OK;
}

static enum err find_release(struct call *call, struct approving *approving, struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        char hex[65];
        enum err e = db_query(call->db, "SELECT stream, counter FROM releases WHERE target = ?", VALUES(bind_blob(approving->approval.release, sizeof(approving->approval.release))), &q, why);
        if (!e)
                e = query_next(q, &has, why);
        if (e)
                return e;
        hex_encode(approving->approval.release, sizeof(approving->approval.release), hex);
        return has ? release_find(call->db, query_text(q, 0), query_int(q, 1), &approving->release, why) : FAIL(why, ERR_NOT_FOUND, "no release with the target %s is published here", hex);
}

/* Who has a say in it. */
static enum err find_keys(const struct call *call, const struct approving *approving, struct note_keys *ret_keys, struct why *why)
{
        *ret_keys = (struct note_keys){ &approving->approval.by, 1, 1 };
        if (approving->approval.kind != APPROVAL_EMERGENCY)
                return OK;
        *ret_keys = anchor_keys(&call->store->pins.anchor.emergency);
        return ret_keys->count ? OK : FAIL(why, ERR_REFUSED, "the anchor names no emergency keys: there is no pace that they could lift");
}

static enum err log_it(struct call *call, const struct approving *approving, struct why *why)
{
        struct logged logged = { .kind = LOGGED_APPROVAL, .number = (uint64_t)approving->release.counter };
        snprintf(logged.name, sizeof(logged.name), "%s", approving->release.stream);
        sha256(approving->bytes.bytes, approving->bytes.length, logged.digest);
        enum err e = rows_add(call->db, &logged, call->now_ms, why);
        struct audit_line line = { call->now_ms, "admin", "approval.add", approving->release.name, approval_kind_name(approving->approval.kind) };
        return e ? e : audit_add(call->db, &line, why);
}

static enum err keep(struct call *call, const struct approving *approving, bool *ret_has_changed, struct why *why)
{
        struct note_keys keys;
        struct approvals_given given = { approving->release.number, &approving->approval, &approving->note, &keys, call_now_s(call), false };
        enum err e = find_keys(call, approving, &keys, why);
        if (!e)
                e = approvals_add(call->db, &given, why);
        *ret_has_changed = given.has_changed;
        return e || !given.has_changed ? e : log_it(call, approving, why);
}

static struct json *answer_of(const struct approving *approving)
{
        struct json *json = json_new_object();
        json_set_text(json, "stream", approving->release.stream);
        json_set_int(json, "counter", approving->release.counter);
        json_set_text(json, "kind", approval_kind_name(approving->approval.kind));
        return json;
}

enum err operator_approval_add(struct call *call, struct why *why)
{
        OWN(approving) struct approving approving = { 0 };
        bool has_changed = false;
        buf_init(&approving.bytes, LIMIT_APPROVAL_BYTES);
        enum err e = read_note(call, &approving, why);
        if (!e)
                e = find_release(call, &approving, why);
        if (!e)
                e = keep(call, &approving, &has_changed, why);
        return e ? e : call_answer_json(call, has_changed ? 201 : 200, answer_of(&approving), why);
}
