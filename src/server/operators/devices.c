/* What operators see of devices. */
#include "base/limits.h"
#include "format/hex.h"
#include "server/device/device.h"
#include "server/operators/operator.h"
#include "server/store/audit.h"
#include "server/store/inside.h"
#include "server/store/page.h"
#include "wire/device.h"

#define DEVICE_COLUMNS "number, id, platform, ring, agent, device_group, attributes, enrolled_at, seen_at, revoked_at, seq, g.kind, g.said_s, g.back_s"
#define DEVICE_TABLES "devices LEFT JOIN goodbyes g ON g.device = number"

/* Its last one. It is away until it is heard of again. */
static struct json *goodbye_json(struct query *q)
{
        if (query_is_null(q, 11))
                return json_new_null();
        struct json *json = json_new_object();
        json_set_text(json, "kind", query_text(q, 11));
        json_set_int(json, "said_at", query_int(q, 12));
        json_set(json, "back_at", query_is_null(q, 13) ? json_new_null() : json_new_int(query_int(q, 13)));
        json_set_bool(json, "is_away", query_int(q, 8) < query_int(q, 12) + LIMIT_GOODBYE_SETTLE_S);
        return json;
}

static struct json *device_json(struct query *q)
{
        size_t length = 0;
        char id[33];
        hex_encode(query_blob(q, 1, &length), 16, id);
        struct json *json = json_new_object();
        json_set_text(json, "device", id);
        json_set_text(json, "platform", query_text(q, 2));
        json_set_text(json, "ring", query_text(q, 3));
        json_set_text(json, "agent", query_text(q, 4));
        json_set_text(json, "group", query_text(q, 5));
        json_set_text(json, "attributes", query_text(q, 6));
        json_set_int(json, "enrolled_at", query_int(q, 7));
        json_set_int(json, "seen_at", query_int(q, 8));
        json_set(json, "revoked_at", query_is_null(q, 9) ? json_new_null() : json_new_int(query_int(q, 9)));
        json_set_int(json, "report_seq", query_int(q, 10));
        json_set(json, "goodbye", goodbye_json(q));
        return json;
}

/* "streams":{"edr-rules":{"running":4,"proven":4}} */
static enum err add_streams(struct db *db, int64_t device, struct json *json, struct why *why)
{
        OWN(query) struct query *q = NULL;
        OWN(json) struct json *streams = json_new_object();
        bool has = false;
        enum err e = db_query(db, "SELECT stream, running, proven FROM versions WHERE device = ? ORDER BY stream", VALUES(bind_int(device)), &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has) {
                struct json *stream = json_new_object();
                json_set_int(stream, "running", query_int(q, 1));
                json_set_int(stream, "proven", query_int(q, 2));
                json_set(streams, query_text(q, 0), stream);
        }
        json_set(json, "streams", GIVE(streams));
        return e;
}

static struct json *lease_json(struct query *q)
{
        struct json *json = json_new_object();
        size_t length = 0;
        char nonce[33];
        hex_encode(query_blob(q, 0, &length), 16, nonce);
        json_set_text(json, "nonce", nonce);
        json_set_text(json, "kind", query_text(q, 1));
        json_set_text(json, "stream", query_text(q, 2));
        json_set_int(json, "counter", query_int(q, 3));
        json_set_int(json, "granted", query_int(q, 4) / 1000);
        json_set_int(json, "deadline", query_int(q, 5) / 1000);
        json_set(json, "outcome", query_is_null(q, 6) ? json_new_null() : json_new_text(query_text(q, 6)));
        json_set_text(json, "harm", query_text(q, 7));
        return json;
}

/* The newest 100. */
static enum err add_leases(struct db *db, int64_t device, struct json *json, struct why *why)
{
        OWN(query) struct query *q = NULL;
        OWN(json) struct json *leases = json_new_array();
        bool has = false;
        enum err e = db_query(db, "SELECT l.nonce, l.kind, r.stream, r.counter, l.granted_ms, l.deadline_ms, l.outcome, l.harm FROM leases l"
                                  " JOIN rollouts o ON o.number = l.rollout JOIN releases r ON r.number = o.release"
                                  " WHERE l.device = ? ORDER BY l.number DESC LIMIT 100", VALUES(bind_int(device)), &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has)
                json_add(leases, lease_json(q));
        json_set(json, "leases", GIVE(leases));
        return e;
}

enum err operator_devices(struct call *call, struct why *why)
{
        OWN(page) struct page page = { 0 };
        OWN(query) struct query *q = NULL;
        enum err e = page_init(&page, call->request->query, why);
        if (!e)
                e = db_query(call->db, "SELECT " DEVICE_COLUMNS " FROM " DEVICE_TABLES " WHERE number > ? ORDER BY number LIMIT ?",
                             VALUES(bind_int(page.after), bind_int(page_fetch(&page))), &q, why);
        bool has = false;
        while (!e && !(e = query_next(q, &has, why)) && has) {
                OWN(json) struct json *device = device_json(q);
                e = add_streams(call->db, query_int(q, 0), device, why);
                if (!page_add(&page, query_int(q, 0), GIVE(device)))
                        break;
        }
        return e ? e : page_answer(call, &page, why);
}

static enum err answer_device(struct call *call, int64_t number, struct why *why)
{
        OWN(query) struct query *q = NULL;
        OWN(json) struct json *json = NULL;
        bool has = false;
        enum err e = db_query(call->db, "SELECT " DEVICE_COLUMNS " FROM " DEVICE_TABLES " WHERE number = ?", VALUES(bind_int(number)), &q, why);
        if (!e)
                e = query_next(q, &has, why);
        if (e)
                return e;
        json = device_json(q);
        e = add_streams(call->db, number, json, why);
        if (!e)
                e = add_leases(call->db, number, json, why);
        return e ? e : call_answer_json(call, 200, GIVE(json), why);
}

static enum err device_of_call(struct call *call, struct device *ret_device, struct why *why)
{
        char id[65];
        enum err e = call_name(call, 0, id, why);
        return e ? e : device_find(call->db, id, ret_device, why);
}

enum err operator_device(struct call *call, struct why *why)
{
        struct device device;
        enum err e = device_of_call(call, &device, why);
        return e ? e : answer_device(call, device.number, why);
}

struct revoke_order { const char *who, *reason; };
static const struct json_field revoke_fields[] = {
        { "who", JSON_TEXT, true, offsetof(struct revoke_order, who), 1, LIMIT_NAME_BYTES },
        { "reason", JSON_TEXT, true, offsetof(struct revoke_order, reason), 1, LIMIT_REASON_BYTES },
};

static enum err revoke(struct call *call, const struct device *device, const struct revoke_order *order, struct why *why)
{
        char id[33];
        hex_encode(device->id, sizeof(device->id), id);
        struct audit_line line = { call->now_ms, order->who, "device.revoke", id, order->reason };
        enum err e = db_run(call->db, "UPDATE devices SET revoked_at = ? WHERE number = ? AND revoked_at IS NULL", VALUES(bind_int(call_now_s(call)), bind_int(device->number)), why);
        if (e || !db_changed(call->db))
                return e;
        call->store->is_public_stale = true;
        return audit_add(call->db, &line, why);
}

/* For good: its id and its key are refused from now on. What it reported stays. */
enum err operator_device_revoke(struct call *call, struct why *why)
{
        OWN(json) struct json *json = NULL;
        struct revoke_order order = { 0 };
        struct device device;
        enum err e = device_of_call(call, &device, why);
        if (!e)
                e = call_body(call, &json, why);
        if (!e)
                e = JSON_READ(json, revoke_fields, &order, why);
        if (!e)
                e = wire_name_check(order.who, "who", why);
        if (!e)
                e = revoke(call, &device, &order, why);
        return e ? e : answer_device(call, device.number, why);
}
