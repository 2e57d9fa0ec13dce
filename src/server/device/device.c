#include "server/device/device.h"

#include "format/hex.h"
#include "server/rollouts/roll_back.h"
#include "trust/request.h"

#include <string.h>

static void read_device(struct query *q, struct device *device)
{
        size_t length = 0;
        device->number = query_int(q, 0);
        memcpy(device->id, query_blob(q, 1, &length), sizeof(device->id));
        memcpy(device->key, query_blob(q, 2, &length), sizeof(device->key));
        snprintf(device->ring, sizeof(device->ring), "%s", query_text(q, 3));
        device->enrolled_at = query_int(q, 4);
        device->seq = query_int(q, 5);
        device->is_revoked = !query_is_null(q, 6);
        hex_encode(device->id, sizeof(device->id), device->id_hex);
}

enum err device_find(struct db *db, const char *id_hex, struct device *ret_device, struct why *why)
{
        OWN(query) struct query *q = NULL;
        uint8_t id[16];
        bool has = false;
        if (strlen(id_hex) != 32 || hex_decode(id_hex, id, sizeof(id), why) != OK)
                return FAIL(why, ERR_NOT_FOUND, "no such device: an id is 32 hex digits");
        enum err e = db_query(db, "SELECT number, id, key, ring, enrolled_at, seq, revoked_at FROM devices WHERE id = ?", VALUES(bind_blob(id, sizeof(id))),
                              &q, why);
        if (!e)
                e = query_next(q, &has, why);
        if (e)
                return e;
        if (!has)
                return FAIL(why, ERR_NOT_FOUND, "no device %s; it has to enrol first", id_hex);
        read_device(q, ret_device);
        return OK;
}

static enum err check_date(const char *date, int64_t now_s, struct why *why)
{
        int64_t said = 0;
        size_t length = strlen(date);
        bool is_good = length >= 1 && length <= 12;
        for (size_t i = 0; i < length && is_good; i++) {
                is_good = date[i] >= '0' && date[i] <= '9';
                said = said * 10 + (date[i] - '0');
        }
        if (!is_good)
                return FAIL(why, ERR_SYNTAX, "Firebreak-Date is the time in unix seconds");
        if (said < now_s - DEVICE_DATE_OFF_S || said > now_s + DEVICE_DATE_OFF_S)
                return FAIL(why, ERR_EXPIRED, "Firebreak-Date is more than %d s off; set the device's clock by the Date of this answer", DEVICE_DATE_OFF_S);
        return OK;
}

enum err device_check_request(const struct call *call, const uint8_t key[32], struct why *why)
{
        const struct store_request *request = call->request;
        if (!request->device || !request->date || !request->signature)
                return FAIL(why, ERR_UNAUTHORIZED, "the request needs Firebreak-Device, Firebreak-Date and Firebreak-Signature");
        enum err e = check_date(request->date, call_now_s(call), why);
        if (e)
                return e;
        struct request_facts facts = { request->method, request->path, request->date, request->body.bytes, request->body.length };
        if (request_check_signature(&facts, key, request->signature, why) != OK)
                return FAIL(why, ERR_UNAUTHORIZED, "the signature does not fit the device's key");
        return OK;
}

enum err device_authenticate(const struct call *call, struct device *ret_device, struct why *why)
{
        struct device device;
        enum err e = call->request->device ? device_find(call->db, call->request->device, &device, why)
                                           : FAIL(why, ERR_UNAUTHORIZED, "the request needs Firebreak-Device, Firebreak-Date and Firebreak-Signature");
        if (e == ERR_NOT_FOUND)
                return FAIL(why, ERR_UNAUTHORIZED, "this device is not known here; enrol it again");
        if (!e)
                e = device_check_request(call, device.key, why);
        if (e)
                return e;
        if (device.is_revoked)
                return FAIL(why, ERR_UNAUTHORIZED, "this device was revoked; remove its state and enrol it anew");
        *ret_device = device;
        return OK;
}

static enum err keep_version(struct db *db, const struct device_version *version, struct why *why)
{
        /* The select instead of values: a device that makes up streams gets no row for one more than it may have. */
        return db_run(db, "INSERT INTO versions SELECT ?1,?2,?3,max(?4,0),?5 WHERE (SELECT count(*) FROM versions WHERE device = ?1 AND stream <> ?2) < ?6"
                          " ON CONFLICT (device, stream) DO UPDATE SET running = ?3, proven = iif(?4 < 0, proven, ?4), said_ms = ?5 WHERE ?5 >= said_ms",
                      VALUES(bind_int(version->device), bind_text(version->stream), bind_int(version->running), bind_int(version->proven),
                             bind_int(version->said_ms), bind_int(LIMIT_STREAMS)), why);
}

/* Who says only now that it runs what was withdrawn is one more that is to go back. */
enum err device_runs(struct db *db, const struct device_version *version, struct why *why)
{
        int64_t before = -1;
        enum err e = db_number(db, "SELECT running FROM versions WHERE device = ? AND stream = ?", VALUES(bind_int(version->device), bind_text(version->stream)),
                               -1, &before, why);
        if (!e)
                e = keep_version(db, version, why);
        return e || before == version->running ? e : roll_back_add(db, version->stream, version->running, version->device, why);
}

enum err devices_seen(struct db *db, const struct store_seen *seen, size_t count, struct why *why)
{
        for (size_t i = 0; i < count; i++) {
                uint8_t id[16];
                if (strlen(seen[i].id) != 32 || hex_decode(seen[i].id, id, sizeof(id), NULL) != OK)
                        continue;                  /* cannot be one of ours */
                enum err e = db_run(db, "UPDATE devices SET seen_at = max(seen_at, ?) WHERE id = ?", VALUES(bind_int(seen[i].at_s), bind_blob(id, sizeof(id))), why);
                if (e)
                        return e;
        }
        return OK;
}
