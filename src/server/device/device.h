/* device.h - what the server knows of a device, and how it knows that it is the one asking.
 *
 * Leases and reports are signed with the key that the device made itself; check-ins carry a MAC that the api process checks. */
#pragma once

#include "server/store/call.h"

enum { DEVICE_DATE_OFF_S = 300 };                /* by so much a signed date may differ from ours */

struct device {
        int64_t number;
        uint8_t id[16], key[32];
        char id_hex[33], ring[65];
        int64_t enrolled_at, seq;
        bool is_revoked;
};

/* ERR_NOT_FOUND: no device has this id (32 hex digits). */
MUST_CHECK enum err device_find(struct db *db, const char *id_hex, struct device *ret_device, struct why *why);

/* Who signed this request. ERR_UNAUTHORIZED: unknown, revoked, or the signature is wrong; ERR_EXPIRED: its Firebreak-Date is off. */
MUST_CHECK enum err device_authenticate(const struct call *call, struct device *ret_device, struct why *why);

/* Headers, date and signature of a request against a key; device_authenticate() without knowing the device. */
MUST_CHECK enum err device_check_request(const struct call *call, const uint8_t key[32], struct why *why);

/* What a device says that it runs, in a lease request (`proven` -1: not said) or a report. */
struct device_version { int64_t device; const char *stream; int64_t running, proven, said_ms; };
MUST_CHECK enum err device_runs(struct db *db, const struct device_version *version, struct why *why);

MUST_CHECK enum err devices_seen(struct db *db, const struct store_seen *seen, size_t count, struct why *why);

/* Who asks for a lease of a stream is not held in it any more. */
MUST_CHECK enum err device_unhold(struct db *db, int64_t device, const char *stream, struct why *why);
/* Nor who tells what came of this release. */
MUST_CHECK enum err device_had(struct db *db, int64_t device, const char *stream, int64_t counter, struct why *why);

call_handler device_enrol, device_lease, device_report, device_hold, device_goodbye;     /* enrol.c, lease.c, report.c, hold.c, goodbye.c */
