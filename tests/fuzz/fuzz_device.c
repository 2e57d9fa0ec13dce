/* Every body of the device API reads the same bytes; a report that is read is written as one that is read. */
#include "wire/device.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        struct wire_enrol enrol;
        struct wire_lease_request lease;
        struct wire_held held;
        struct wire_goodbye goodbye;
        struct wire_report report, again;
        struct why why;
        if (wire_enrol_read((const char *)bytes, length, &enrol, &why) == OK)
                assert(wire_name_check(enrol.ring, "ring", NULL) == OK);
        if (wire_lease_request_read((const char *)bytes, length, &lease, &why) == OK)
                assert(lease.counter >= 0 && lease.target[64] == 0);
        if (wire_held_read((const char *)bytes, length, &held, &why) == OK)
                assert(held.counter > 0 && held.until >= 0 && wire_hold_find(held.reason, &(enum wire_hold){ WIRE_HOLDS }, NULL) == OK);
        if (wire_goodbye_read((const char *)bytes, length, &goodbye, &why) == OK)
                assert(goodbye.back_s >= 0 && goodbye.back_s <= LIMIT_GOODBYE_BACK_S);
        if (wire_report_read((const char *)bytes, length, &report, &why))
                return 0;
        OWN(buf) struct buf buf;
        buf_init(&buf, LIMIT_DEVICE_REQUEST_BYTES);
        wire_report_write(&report, &buf);
        enum err e = wire_report_read(buf_text(&buf), buf.length, &again, NULL);
        assert(e == OK && again.seq == report.seq);
        return 0;
}
