#include "wire/device.h"

#include "format/flat.h"
#include "format/hex.h"

#include <string.h>

/* What a text must look like beyond its length. */
enum form { FORM_ANY, FORM_NAME, FORM_HEX, FORM_KEY, FORM_ATTRIBUTES, FORM_OUTCOME, FORM_KIND, FORM_HOLD, FORM_GOODBYE };

struct body {
        const struct flat_field *fields;
        const enum form *forms;      /* one a field */
        size_t field_count;
};

struct text { const char *bytes; size_t length; };

#define TEXT(type, field, least) { #field, FLAT_TEXT, true, offsetof(struct type, field), sizeof(((struct type *)0)->field), (least), 0 }
#define HEX(type, field) TEXT(type, field, sizeof(((struct type *)0)->field) - 1)
#define INT(type, field, least, most) { #field, FLAT_INT, true, offsetof(struct type, field), sizeof(int64_t), (least), (most) }
#define COUNT(type, field) INT(type, field, 0, INT64_MAX)
#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

enum { PACE_MS_MAX = 24 * 3600 * 1000 };        /* a day: a device that is silent longer counts as gone */

static const struct flat_field enrol_fields[] = {
        TEXT(wire_enrol, token, 1), HEX(wire_enrol, device), HEX(wire_enrol, key), TEXT(wire_enrol, platform, 1),
        TEXT(wire_enrol, ring, 1), TEXT(wire_enrol, agent, 1), TEXT(wire_enrol, attributes, 0),
};
static const enum form enrol_forms[] = { FORM_ANY, FORM_HEX, FORM_KEY, FORM_NAME, FORM_NAME, FORM_NAME, FORM_ATTRIBUTES };
static const struct body enrol_body = { enrol_fields, enrol_forms, LENGTH(enrol_fields) };
_Static_assert(LENGTH(enrol_fields) == LENGTH(enrol_forms), "one form a field");

static const struct flat_field enrolled_fields[] = {
        HEX(wire_enrolled, device), HEX(wire_enrolled, mac_key), TEXT(wire_enrolled, tenant, 1),
        INT(wire_enrolled, pace_ms, 1, PACE_MS_MAX), COUNT(wire_enrolled, now),
};
static const enum form enrolled_forms[] = { FORM_HEX, FORM_HEX, FORM_NAME, FORM_ANY, FORM_ANY };
static const struct body enrolled_body = { enrolled_fields, enrolled_forms, LENGTH(enrolled_fields) };
_Static_assert(LENGTH(enrolled_fields) == LENGTH(enrolled_forms), "one form a field");

static const struct flat_field checkin_fields[] = { COUNT(wire_checkin, epoch), INT(wire_checkin, busy, 0, 1) };
static const enum form checkin_forms[] = { FORM_ANY, FORM_ANY };
static const struct body checkin_body = { checkin_fields, checkin_forms, LENGTH(checkin_fields) };
_Static_assert(LENGTH(checkin_fields) == LENGTH(checkin_forms), "one form a field");

static const struct flat_field pace_fields[] = {
        COUNT(wire_pace, epoch), INT(wire_pace, pace_ms, 1, PACE_MS_MAX), COUNT(wire_pace, now),
};
static const enum form pace_forms[] = { FORM_ANY, FORM_ANY, FORM_ANY };
static const struct body pace_body = { pace_fields, pace_forms, LENGTH(pace_fields) };
_Static_assert(LENGTH(pace_fields) == LENGTH(pace_forms), "one form a field");

static const struct flat_field lease_request_fields[] = {
        TEXT(wire_lease_request, stream, 1), COUNT(wire_lease_request, counter), HEX(wire_lease_request, target),
        COUNT(wire_lease_request, running), HEX(wire_lease_request, nonce),
};
static const enum form lease_request_forms[] = { FORM_NAME, FORM_ANY, FORM_HEX, FORM_ANY, FORM_HEX };
static const struct body lease_request_body = { lease_request_fields, lease_request_forms, LENGTH(lease_request_fields) };
_Static_assert(LENGTH(lease_request_fields) == LENGTH(lease_request_forms), "one form a field");

/* The last may be left out. */
static const struct flat_field wait_fields[] = {
        INT(wire_wait, retry_ms, 1, PACE_MS_MAX), TEXT(wire_wait, reason, 0), { "counter", FLAT_INT, false, offsetof(struct wire_wait, counter), sizeof(int64_t), 1, INT64_MAX },
};
static const enum form wait_forms[] = { FORM_ANY, FORM_ANY, FORM_ANY };
static const struct body wait_body = { wait_fields, wait_forms, LENGTH(wait_fields) };
_Static_assert(LENGTH(wait_fields) == LENGTH(wait_forms), "one form a field");

static const struct flat_field report_fields[] = {
        INT(wire_report, seq, 1, INT64_MAX), TEXT(wire_report, stream, 1), COUNT(wire_report, counter), HEX(wire_report, nonce),
        TEXT(wire_report, outcome, 1), TEXT(wire_report, kind, 0), TEXT(wire_report, detail, 0), COUNT(wire_report, running),
        COUNT(wire_report, starts), COUNT(wire_report, crashes), COUNT(wire_report, boots), COUNT(wire_report, fallbacks),
        COUNT(wire_report, proven), COUNT(wire_report, at),
};
static const enum form report_forms[] = {
        FORM_ANY, FORM_NAME, FORM_ANY, FORM_HEX, FORM_OUTCOME, FORM_KIND, FORM_ANY, FORM_ANY, FORM_ANY, FORM_ANY, FORM_ANY,
        FORM_ANY, FORM_ANY, FORM_ANY,
};
static const struct body report_body = { report_fields, report_forms, LENGTH(report_fields) };
_Static_assert(LENGTH(report_fields) == LENGTH(report_forms), "one form a field");

static const struct flat_field held_fields[] = {
        TEXT(wire_held, stream, 1), INT(wire_held, counter, 1, INT64_MAX), TEXT(wire_held, reason, 0), COUNT(wire_held, until),
};
static const enum form held_forms[] = { FORM_NAME, FORM_ANY, FORM_HOLD, FORM_ANY };
static const struct body held_body = { held_fields, held_forms, LENGTH(held_fields) };
_Static_assert(LENGTH(held_fields) == LENGTH(held_forms), "one form a field");

static const struct flat_field goodbye_fields[] = { TEXT(wire_goodbye, kind, 1), INT(wire_goodbye, back_s, 0, LIMIT_GOODBYE_BACK_S) };
static const enum form goodbye_forms[] = { FORM_GOODBYE, FORM_ANY };
static const struct body goodbye_body = { goodbye_fields, goodbye_forms, LENGTH(goodbye_fields) };
_Static_assert(LENGTH(goodbye_fields) == LENGTH(goodbye_forms), "one form a field");

static const struct flat_field ack_fields[] = { INT(wire_ack, ack, 1, INT64_MAX) };
static const enum form ack_forms[] = { FORM_ANY };
static const struct body ack_body = { ack_fields, ack_forms, LENGTH(ack_fields) };
_Static_assert(LENGTH(ack_fields) == LENGTH(ack_forms), "one form a field");

static const struct flat_field delta_fields[] = { HEX(wire_delta, sha256), INT(wire_delta, bytes, 1, LIMIT_ARTIFACT_BYTES) };
static const enum form delta_forms[] = { FORM_HEX, FORM_ANY };
static const struct body delta_body = { delta_fields, delta_forms, LENGTH(delta_fields) };
_Static_assert(LENGTH(delta_fields) == LENGTH(delta_forms), "one form a field");

static bool is_letter_or_digit(char c)
{
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_name(const char *text, size_t length)
{
        if (!length || length > LIMIT_NAME_BYTES || !is_letter_or_digit(text[0]))
                return false;
        for (size_t i = 1; i < length; i++)
                if (!is_letter_or_digit(text[i]) && !(text[i] && strchr("._+-", text[i])))
                        return false;
        return true;
}

enum err wire_name_check(const char *name, const char *field, struct why *why)
{
        if (is_name(name, strlen(name)))
                return OK;
        return FAIL(why, ERR_SYNTAX, "%s: not a name of 1 to %d letters, digits and . _ + - that begins with a letter or digit",
                    field, LIMIT_NAME_BYTES);
}

static enum err check_hex(const char *text, const char *field, struct why *why)
{
        size_t length = strlen(text);
        if (strspn(text, "0123456789abcdef") == length)
                return OK;
        return FAIL(why, ERR_SYNTAX, "%s: not %zu lower-case hex digits", field, length);
}

static enum err check_key(const char *text, const char *field, struct why *why)
{
        unsigned char key[33];
        size_t length = 0;
        enum err e = base64_decode(text, strlen(text), key, sizeof(key), &length, why);
        if (e || length != 32)
                return FAIL(why, ERR_SYNTAX, "%s: not the base64 of 32 bytes", field);
        return OK;
}

/* A time zone is names with `/` between them: Europe/Berlin. */
static bool is_value(const char *key, size_t key_length, const char *value, size_t length)
{
        static const char zone[] = "timezone";
        if (key_length != sizeof(zone) - 1 || memcmp(key, zone, key_length) != 0)
                return is_name(value, length);
        for (const char *slash; length <= LIMIT_NAME_BYTES && (slash = memchr(value, '/', length)); value = slash + 1) {
                if (!is_name(value, (size_t)(slash - value)))
                        return false;
                length -= (size_t)(slash - value) + 1;
        }
        return is_name(value, length);
}

enum err wire_attribute_check(const char *key, const char *value, struct why *why)
{
        if (is_name(key, strlen(key)) && is_value(key, strlen(key), value, strlen(value)))
                return OK;
        return FAIL(why, ERR_SYNTAX, "attributes: `%.64s=%.64s` is not NAME=NAME", key, value);
}

static enum err check_pair(const char *text, size_t length, struct why *why)
{
        const char *equals = memchr(text, '=', length);
        size_t key_length = equals ? (size_t)(equals - text) : 0;
        if (!equals || !is_name(text, key_length) || !is_value(text, key_length, equals + 1, length - key_length - 1))
                return FAIL(why, ERR_SYNTAX, "attributes: `%.*s` is not NAME=NAME", length > 80 ? 80 : (int)length, text);
        return OK;
}

/* "a=b,c=d" or nothing. */
static enum err check_attributes(const char *text, const char *field, struct why *why)
{
        for (unsigned count = 0; *text || count;) {
                size_t length = strcspn(text, ",");
                if (count++ == LIMIT_ATTRIBUTES)
                        return FAIL(why, ERR_SYNTAX, "%s: more than %d", field, LIMIT_ATTRIBUTES);
                enum err e = check_pair(text, length, why);
                if (e || !text[length])
                        return e;
                text += length + 1;
        }
        return OK;
}

static enum err check_outcome(const char *text, const char *field, struct why *why)
{
        (void)field;
        return wire_outcome_find(text, &(enum wire_outcome){ WIRE_OUTCOMES }, why);
}

static enum err check_kind(const char *text, const char *field, struct why *why)
{
        (void)field;
        return wire_kind_find(text, &(enum wire_kind){ WIRE_KINDS }, why);
}

static enum err check_hold(const char *text, const char *field, struct why *why)
{
        (void)field;
        return wire_hold_find(text, &(enum wire_hold){ WIRE_HOLDS }, why);
}

static enum err check_goodbye(const char *text, const char *field, struct why *why)
{
        (void)field;
        return wire_goodbye_find(text, &(enum wire_goodbye_kind){ WIRE_GOODBYES }, why);
}

static enum err (*const form_checks[])(const char *text, const char *field, struct why *why) = {
        [FORM_NAME] = wire_name_check, [FORM_HEX] = check_hex, [FORM_KEY] = check_key, [FORM_ATTRIBUTES] = check_attributes,
        [FORM_OUTCOME] = check_outcome, [FORM_KIND] = check_kind, [FORM_HOLD] = check_hold,
        [FORM_GOODBYE] = check_goodbye,
};

static enum err read_body(const struct body *body, struct text text, void *into, struct why *why)
{
        enum err e = flat_read(text.bytes, text.length, body->fields, body->field_count, into, why);
        for (size_t i = 0; i < body->field_count && !e; i++)
                if (body->forms[i] != FORM_ANY)
                        e = form_checks[body->forms[i]]((const char *)into + body->fields[i].offset, body->fields[i].key, why);
        return e;
}

static void write_body(const struct body *body, const void *from, struct buf *into)
{
        flat_write(body->fields, body->field_count, from, into);
}

enum err wire_enrol_read(const char *bytes, size_t length, struct wire_enrol *into, struct why *why)
{
        return read_body(&enrol_body, (struct text){ bytes, length }, into, why);
}

enum err wire_enrolled_read(const char *bytes, size_t length, struct wire_enrolled *into, struct why *why)
{
        return read_body(&enrolled_body, (struct text){ bytes, length }, into, why);
}

enum err wire_checkin_read(const char *bytes, size_t length, struct wire_checkin *into, struct why *why)
{
        return read_body(&checkin_body, (struct text){ bytes, length }, into, why);
}

enum err wire_pace_read(const char *bytes, size_t length, struct wire_pace *into, struct why *why)
{
        return read_body(&pace_body, (struct text){ bytes, length }, into, why);
}

enum err wire_lease_request_read(const char *bytes, size_t length, struct wire_lease_request *into, struct why *why)
{
        return read_body(&lease_request_body, (struct text){ bytes, length }, into, why);
}

enum err wire_wait_read(const char *bytes, size_t length, struct wire_wait *into, struct why *why)
{
        into->counter = 0;
        return read_body(&wait_body, (struct text){ bytes, length }, into, why);
}

static enum err check_report(const struct wire_report *report, struct why *why)
{
        bool is_harmed = strcmp(report->outcome, wire_outcome_word(WIRE_HARMED)) == 0;
        if (is_harmed != (report->kind[0] != 0))
                return FAIL(why, ERR_SYNTAX, "kind: names the harm when the outcome is harmed, and is empty otherwise");
        return OK;
}

enum err wire_report_read(const char *bytes, size_t length, struct wire_report *into, struct why *why)
{
        enum err e = read_body(&report_body, (struct text){ bytes, length }, into, why);
        return e ? e : check_report(into, why);
}

enum err wire_held_read(const char *bytes, size_t length, struct wire_held *into, struct why *why)
{
        return read_body(&held_body, (struct text){ bytes, length }, into, why);
}

enum err wire_goodbye_read(const char *bytes, size_t length, struct wire_goodbye *into, struct why *why)
{
        enum err e = read_body(&goodbye_body, (struct text){ bytes, length }, into, why);
        if (!e && !into->back_s && strcmp(into->kind, wire_goodbye_word(WIRE_GOODBYE_REBOOT)) == 0)
                e = FAIL(why, ERR_SYNTAX, "back_s: a reboot says when it expects to be back");
        return e;
}

enum err wire_ack_read(const char *bytes, size_t length, struct wire_ack *into, struct why *why)
{
        return read_body(&ack_body, (struct text){ bytes, length }, into, why);
}

enum err wire_delta_read(const char *bytes, size_t length, struct wire_delta *into, struct why *why)
{
        return read_body(&delta_body, (struct text){ bytes, length }, into, why);
}

void wire_enrol_write(const struct wire_enrol *from, struct buf *into) { write_body(&enrol_body, from, into); }
void wire_enrolled_write(const struct wire_enrolled *from, struct buf *into) { write_body(&enrolled_body, from, into); }
void wire_checkin_write(const struct wire_checkin *from, struct buf *into) { write_body(&checkin_body, from, into); }
void wire_pace_write(const struct wire_pace *from, struct buf *into) { write_body(&pace_body, from, into); }
void wire_lease_request_write(const struct wire_lease_request *from, struct buf *into) { write_body(&lease_request_body, from, into); }
void wire_wait_write(const struct wire_wait *from, struct buf *into) { flat_write(wait_fields, LENGTH(wait_fields) - !from->counter, from, into); }
void wire_report_write(const struct wire_report *from, struct buf *into) { write_body(&report_body, from, into); }
void wire_held_write(const struct wire_held *from, struct buf *into) { write_body(&held_body, from, into); }
void wire_goodbye_write(const struct wire_goodbye *from, struct buf *into) { write_body(&goodbye_body, from, into); }
void wire_ack_write(const struct wire_ack *from, struct buf *into) { write_body(&ack_body, from, into); }
void wire_delta_write(const struct wire_delta *from, struct buf *into) { write_body(&delta_body, from, into); }
