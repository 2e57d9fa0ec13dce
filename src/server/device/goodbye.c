/* POST /v1/goodbyes: a device says that it will be silent for a reason that is none of ours. One row for each device, its last word; it decides nothing. */
#include "server/device/device.h"
#include "server/store/inside.h"
#include "wire/device.h"

#include <stdlib.h>

/* The date of the request is signed and near our own: a goodbye that is not later than the one that we have is that one again, or one of before. Unless that one has a
 * date that nobody could say again now: it is of a time when our clock was ahead, and nothing would be later for as long. */
static enum err keep(struct call *call, int64_t device, const struct wire_goodbye *goodbye, struct why *why)
{
        const int64_t now_s = call_now_s(call), dated_s = strtoll(call->request->date, NULL, 10);
        const struct bind back = goodbye->back_s ? bind_int(now_s + goodbye->back_s) : bind_null();
        return db_run(call->db, "INSERT INTO goodbyes VALUES (?1,?2,?3,?4,?5)"
                                " ON CONFLICT (device) DO UPDATE SET kind = ?2, dated_s = ?3, said_s = ?4, back_s = ?5 WHERE dated_s < ?3 OR dated_s > ?6",
                      VALUES(bind_int(device), bind_text(goodbye->kind), bind_int(dated_s), bind_int(now_s), back, bind_int(now_s + DEVICE_DATE_OFF_S)), why);
}

enum err device_goodbye(struct call *call, struct why *why)
{
        const struct store_text *body = &call->request->body;
        struct device device;
        struct wire_goodbye goodbye;
        enum err e = device_authenticate(call, &device, why);
        if (!e)
                e = wire_goodbye_read(body->bytes, body->length, &goodbye, why);
        if (!e)
                e = keep(call, device.number, &goodbye, why);
        if (e)
                return e;
        struct json *answer = json_new_object();
        json_set_int(answer, "ack", call_now_s(call));
        return call_answer_json(call, 200, answer, why);
}
