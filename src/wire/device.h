/* device.h - the bodies of the device API (docs/guide/formats.md, 4), read into structs and written from them.
 *
 * Reading checks all that one body can show by itself: every field, its range and its form (names, hex, base64, words of
 * outcome.def). What another document must agree with is the caller's. No call allocates, but for the buffer written to;
 * errors are ERR_SYNTAX and name the field, and leave the struct half filled. Times are unix seconds; texts end with NUL. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "wire/goodbye.h"
#include "wire/hold.h"
#include "wire/outcome.h"

#include <stddef.h>
#include <stdint.h>

enum {
        WIRE_DEVICE_BYTES = 33, WIRE_DIGEST_BYTES = 65, WIRE_NONCE_BYTES = 33,         /* hex and a NUL */
        WIRE_KEY_BYTES = 45,                                                         /* base64 of 32 bytes */
        WIRE_NAME_BYTES = LIMIT_NAME_BYTES + 1,
        WIRE_TOKEN_BYTES = 129,
        WIRE_ATTRIBUTES_BYTES = LIMIT_ATTRIBUTES * (2 * LIMIT_NAME_BYTES + 2) + 1,     /* KEY=VALUE, */
        WIRE_TEXT_BYTES = 201,                                                       /* for people */
};

struct wire_enrol {
        char token[WIRE_TOKEN_BYTES], device[WIRE_DEVICE_BYTES], key[WIRE_KEY_BYTES];
        char platform[WIRE_NAME_BYTES], ring[WIRE_NAME_BYTES], agent[WIRE_NAME_BYTES];
        char attributes[WIRE_ATTRIBUTES_BYTES];
};

struct wire_enrolled {
        char device[WIRE_DEVICE_BYTES], mac_key[WIRE_DIGEST_BYTES], tenant[WIRE_NAME_BYTES];
        int64_t pace_ms, now;
};

struct wire_checkin { int64_t epoch, busy; };
struct wire_pace { int64_t epoch, pace_ms, now; };

struct wire_lease_request {
        char stream[WIRE_NAME_BYTES], target[WIRE_DIGEST_BYTES], nonce[WIRE_NONCE_BYTES];
        int64_t counter, running;
};

struct wire_wait {
        int64_t retry_ms;
        char reason[WIRE_TEXT_BYTES];
        int64_t counter;                        /* prepare this older release instead; 0, and left out: none */
};

struct wire_report {
        int64_t seq, counter;
        char stream[WIRE_NAME_BYTES], nonce[WIRE_NONCE_BYTES];  /* 32 zeros: there was no lease */
        char outcome[WIRE_NAME_BYTES], kind[WIRE_NAME_BYTES];   /* words; wire_outcome_find() */
        char detail[WIRE_TEXT_BYTES];
        int64_t running, starts, crashes, boots, fallbacks, proven, at;
};

/* What the owner of a device keeps from beginning on it; an empty reason: nothing, any more. */
struct wire_held {
        char stream[WIRE_NAME_BYTES], reason[WIRE_NAME_BYTES];  /* a word; wire_hold_find() */
        int64_t counter, until;                 /* unix seconds; 0: no time is known */
};

/* The device will be silent because its machine is. */
struct wire_goodbye {
        char kind[WIRE_NAME_BYTES];             /* a word; wire_goodbye_find() */
        int64_t back_s;                         /* from now until it expects to be back; 0: it does not know, which no reboot says */
};

struct wire_ack { int64_t ack; };

/* Where the bytes are that lead from one release to another: an artifact. */
struct wire_delta { char sha256[WIRE_DIGEST_BYTES]; int64_t bytes; };

MUST_CHECK enum err wire_enrol_read(const char *bytes, size_t length, struct wire_enrol *into, struct why *why);
MUST_CHECK enum err wire_enrolled_read(const char *bytes, size_t length, struct wire_enrolled *into, struct why *why);
MUST_CHECK enum err wire_checkin_read(const char *bytes, size_t length, struct wire_checkin *into, struct why *why);
MUST_CHECK enum err wire_pace_read(const char *bytes, size_t length, struct wire_pace *into, struct why *why);
MUST_CHECK enum err wire_lease_request_read(const char *bytes, size_t length, struct wire_lease_request *into, struct why *why);
MUST_CHECK enum err wire_wait_read(const char *bytes, size_t length, struct wire_wait *into, struct why *why);
/* Also: `kind` is a kind of harm exactly when the outcome is harmed. */
MUST_CHECK enum err wire_report_read(const char *bytes, size_t length, struct wire_report *into, struct why *why);
MUST_CHECK enum err wire_held_read(const char *bytes, size_t length, struct wire_held *into, struct why *why);
/* Also: a reboot says when. */
MUST_CHECK enum err wire_goodbye_read(const char *bytes, size_t length, struct wire_goodbye *into, struct why *why);
MUST_CHECK enum err wire_ack_read(const char *bytes, size_t length, struct wire_ack *into, struct why *why);
MUST_CHECK enum err wire_delta_read(const char *bytes, size_t length, struct wire_delta *into, struct why *why);

/* All fields, in the order of formats.md. Ask buf_check() afterwards. */
void wire_enrol_write(const struct wire_enrol *from, struct buf *into);
void wire_enrolled_write(const struct wire_enrolled *from, struct buf *into);
void wire_checkin_write(const struct wire_checkin *from, struct buf *into);
void wire_pace_write(const struct wire_pace *from, struct buf *into);
void wire_lease_request_write(const struct wire_lease_request *from, struct buf *into);
void wire_wait_write(const struct wire_wait *from, struct buf *into);
void wire_report_write(const struct wire_report *from, struct buf *into);
void wire_held_write(const struct wire_held *from, struct buf *into);
void wire_goodbye_write(const struct wire_goodbye *from, struct buf *into);
void wire_ack_write(const struct wire_ack *from, struct buf *into);
void wire_delta_write(const struct wire_delta *from, struct buf *into);

/* A name as formats.md has it: [A-Za-z0-9][A-Za-z0-9._+-]{0,63}. `field` is for the complaint. */
MUST_CHECK enum err wire_name_check(const char *name, const char *field, struct why *why);
/* KEY=VALUE of what a device says of itself: names both; that of `timezone` may have `/` in it. */
MUST_CHECK enum err wire_attribute_check(const char *key, const char *value, struct why *why);
