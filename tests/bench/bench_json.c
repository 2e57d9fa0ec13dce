/* Reading and writing what devices send most, a check-in and a report: flat.h against json.h, and jansson as a yardstick. */
#include "base/limits.h"
#include "bench/measure.h"
#include "format/canon.h"
#include "format/json.h"
#include "support/jansson.h"
#include "wire/device.h"

#include <string.h>

struct body {
        const char *text;
        size_t length;
        struct wire_checkin checkin;
        struct wire_report report;
};

static bool checkin_flat(void *user)
{
        struct body *body = user;
        return wire_checkin_read(body->text, body->length, &body->checkin, NULL) == OK && body->checkin.epoch == 7;
}

static bool report_flat(void *user)
{
        struct body *body = user;
        return wire_report_read(body->text, body->length, &body->report, NULL) == OK && body->report.seq == 12;
}

static bool checkin_flat_write(void *user)
{
        struct body *body = user;
        OWN(buf) struct buf buf;
        buf_init(&buf, LIMIT_DEVICE_REQUEST_BYTES);
        wire_checkin_write(&body->checkin, &buf);
        return buf.length == body->length;
}

static bool report_flat_write(void *user)
{
        struct body *body = user;
        OWN(buf) struct buf buf;
        buf_init(&buf, LIMIT_DEVICE_REQUEST_BYTES);
        wire_report_write(&body->report, &buf);
        return buf.length == body->length;
}

static bool tree(void *user)
{
        struct body *body = user;
        OWN(json) struct json *json = NULL;
        return json_parse(body->text, body->length, LIMIT_DEVICE_REQUEST_BYTES, &json, NULL) == OK && json_count(json) >= 2;
}

static bool tree_and_canon(void *user)
{
        struct body *body = user;
        OWN(json) struct json *json = NULL;
        OWN(buf) struct buf buf;
        buf_init(&buf, LIMIT_DEVICE_REQUEST_BYTES);
        return json_parse(body->text, body->length, LIMIT_DEVICE_REQUEST_BYTES, &json, NULL) == OK && canon_write(json, &buf, NULL) == OK;
}

static bool jansson(void *user)
{
        struct body *body = user;
        return jansson_reads(body->text, body->length);
}

int main(int argc, char **argv)
{
        static struct body checkin = { .text = "{\"epoch\":7,\"busy\":0}" };
        static struct body report = {
                .text = "{\"seq\":12,\"stream\":\"edr-rules\",\"counter\":4,\"nonce\":\"0123456789abcdef0123456789abcdef\",\"outcome\":\"harmed\",\"kind\":\"crash\","
                        "\"detail\":\"signal 11\",\"running\":2,\"starts\":9,\"crashes\":2,\"boots\":1,\"fallbacks\":1,\"proven\":2,\"at\":1784432230}" };
        static const struct measure_case cases[] = {
                { "checkin_jansson_read", NULL, jansson, NULL, &checkin, 1 },
                { "checkin_flat_read", "checkin_jansson_read", checkin_flat, NULL, &checkin, 1 },
                { "checkin_flat_write", "checkin_jansson_read", checkin_flat_write, NULL, &checkin, 1 },
                { "checkin_tree_read", "checkin_jansson_read", tree, NULL, &checkin, 1 },
                { "report_jansson_read", NULL, jansson, NULL, &report, 1 },
                { "report_flat_read", "report_jansson_read", report_flat, NULL, &report, 1 },
                { "report_flat_write", "report_jansson_read", report_flat_write, NULL, &report, 1 },
                { "report_tree_read", "report_jansson_read", tree, NULL, &report, 1 },
                { "report_tree_read_and_canon", "report_jansson_read", tree_and_canon, NULL, &report, 1 },
        };
        checkin.length = strlen(checkin.text);
        report.length = strlen(report.text);
        return measure_run(&(struct measure){ "json", cases, sizeof(cases) / sizeof(cases[0]), measure_is_smoke(argc, argv) });
}
