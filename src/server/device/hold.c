/* POST /v1/holds: what the owner of a device keeps from beginning on it. One row for each device and stream; it decides nothing. */
#include "server/device/device.h"
#include "server/store/inside.h"
#include "wire/device.h"

enum err device_unhold(struct db *db, int64_t device, const char *stream, struct why *why)
{
        return db_run(db, "DELETE FROM holds WHERE device = ? AND stream = ?", VALUES(bind_int(device), bind_text(stream)), why);
}

enum err device_had(struct db *db, int64_t device, const char *stream, int64_t counter, struct why *why)
{
        return db_run(db, "DELETE FROM holds WHERE device = ? AND stream = ? AND counter = ?", VALUES(bind_int(device), bind_text(stream), bind_int(counter)), why);
}

/* The select instead of values: a device that makes up streams gets no row for one more than it may have. What it said before is not written again. */
static enum err keep(struct call *call, int64_t device, const struct wire_held *held, struct why *why)
{
        return db_run(call->db, "INSERT INTO holds SELECT ?1,?2,?3,?4,?5,?6 WHERE (SELECT count(*) FROM holds WHERE device = ?1 AND stream <> ?2) < ?7"
                                " ON CONFLICT (device, stream) DO UPDATE SET counter = ?3, reason = ?4, until_s = ?5, said_ms = ?6"
                                " WHERE counter <> ?3 OR reason <> ?4 OR until_s <> ?5",
                      VALUES(bind_int(device), bind_text(held->stream), bind_int(held->counter), bind_text(held->reason), bind_int(held->until),
                             bind_int(call->now_ms), bind_int(LIMIT_STREAMS)), why);
}

enum err device_hold(struct call *call, struct why *why)
{
        const struct store_text *body = &call->request->body;
        struct device device;
        struct wire_held held;
        enum err e = device_authenticate(call, &device, why);
        if (!e)
                e = wire_held_read(body->bytes, body->length, &held, why);
        if (!e)
                e = held.reason[0] ? keep(call, device.number, &held, why) : device_unhold(call->db, device.number, held.stream, why);
        if (e)
                return e;
        struct json *answer = json_new_object();
        json_set_int(answer, "ack", held.counter);
        return call_answer_json(call, 200, answer, why);
}
