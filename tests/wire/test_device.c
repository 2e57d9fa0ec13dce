#include "wire/device.h"

#include "support/test.h"

#include <string.h>

#define ID "0123456789abcdef0123456789abcdef"
#define DIGEST ID ID
#define KEY "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static const char enrol_text[] =
        "{\"token\":\"fbt_x\",\"device\":\"" ID "\",\"key\":\"" KEY "\",\"platform\":\"linux-amd64\",\"ring\":\"all\",\"agent\":\"0.1.0\","
        "\"attributes\":\"os=debian,os_version=12,locale=de_DE\"}";
static const char enrolled_text[] =
        "{\"device\":\"" ID "\",\"mac_key\":\"" DIGEST "\",\"tenant\":\"default\",\"pace_ms\":300000,\"now\":1784432200}";
static const char checkin_text[] = "{\"epoch\":7,\"busy\":0}";
static const char pace_text[] = "{\"epoch\":8,\"pace_ms\":300000,\"now\":1784432200}";
static const char lease_request_text[] =
        "{\"stream\":\"edr-rules\",\"counter\":4,\"target\":\"" DIGEST "\",\"running\":2,\"nonce\":\"" ID "\"}";
static const char wait_text[] = "{\"retry_ms\":500,\"reason\":\"3 others first\"}";
static const char instead_text[] = "{\"retry_ms\":500,\"reason\":\"kept back\",\"counter\":3}";
static const char report_text[] =
        "{\"seq\":12,\"stream\":\"edr-rules\",\"counter\":4,\"nonce\":\"" ID "\",\"outcome\":\"harmed\",\"kind\":\"crash\",\"detail\":\"signal 11\","
        "\"running\":2,\"starts\":9,\"crashes\":2,\"boots\":1,\"fallbacks\":1,\"proven\":2,\"at\":1784432230}";
static const char held_text[] = "{\"stream\":\"edr-rules\",\"counter\":5,\"reason\":\"window\",\"until\":1784432230}";
static const char goodbye_text[] = "{\"kind\":\"reboot\",\"back_s\":600}";
static const char ack_text[] = "{\"ack\":12}";
static const char delta_text[] = "{\"sha256\":\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\",\"bytes\":70412}";

union any {
        struct wire_enrol enrol;
        struct wire_enrolled enrolled;
        struct wire_checkin checkin;
        struct wire_pace pace;
        struct wire_lease_request lease_request;
        struct wire_wait wait;
        struct wire_report report;
        struct wire_held held;
        struct wire_goodbye goodbye;
        struct wire_ack ack;
        struct wire_delta delta;
};

/* One type for all, so that the bodies can be a table. */
#define CASE(name) \
        static enum err read_##name(const char *bytes, size_t length, union any *into, struct why *why) \
        { \
                return wire_##name##_read(bytes, length, &into->name, why); \
        } \
        static void write_##name(const union any *from, struct buf *into) { wire_##name##_write(&from->name, into); }
CASE(enrol) CASE(enrolled) CASE(checkin) CASE(pace) CASE(lease_request) CASE(wait) CASE(report) CASE(held) CASE(goodbye) CASE(ack) CASE(delta)

static const struct {
        const char *text;
        enum err (*read)(const char *bytes, size_t length, union any *into, struct why *why);
        void (*write)(const union any *from, struct buf *into);
} bodies[] = {
        { enrol_text, read_enrol, write_enrol }, { enrolled_text, read_enrolled, write_enrolled },
        { checkin_text, read_checkin, write_checkin }, { pace_text, read_pace, write_pace },
        { lease_request_text, read_lease_request, write_lease_request }, { wait_text, read_wait, write_wait },
        { report_text, read_report, write_report }, { held_text, read_held, write_held }, { ack_text, read_ack, write_ack }, { delta_text, read_delta, write_delta }, { instead_text, read_wait, write_wait },
        { goodbye_text, read_goodbye, write_goodbye },
};
enum { BODIES = sizeof(bodies) / sizeof(bodies[0]) };

TEST(device_bodies, are_byte_for_byte_as_the_formats_guide_has_them)
{
        for (size_t i = 0; i < BODIES; i++) {
                union any any;
                OWN(buf) struct buf buf;
                buf_init(&buf, LIMIT_DEVICE_REQUEST_BYTES);
                CHECK(bodies[i].read(bodies[i].text, strlen(bodies[i].text), &any, NULL) == OK);
                bodies[i].write(&any, &buf);
                CHECK(buf_check(&buf, NULL) == OK && strcmp(buf_text(&buf), bodies[i].text) == 0);
        }
}

TEST(device_bodies, need_every_field_and_no_other)
{
        for (size_t i = 0; i < BODIES; i++) {
                union any any;
                CHECK(bodies[i].read("{}", 2, &any, NULL) == ERR_SYNTAX);
                char text[1000];
                snprintf(text, sizeof(text), "{\"extra\":1,%s", bodies[i].text + 1);
                CHECK(bodies[i].read(text, strlen(text), &any, NULL) == ERR_SYNTAX);
                for (size_t length = 0; length < strlen(bodies[i].text); length++)
                        CHECK(bodies[i].read(bodies[i].text, length, &any, NULL) == ERR_SYNTAX);
        }
}

TEST(wire_wait_read, tells_the_release_to_prepare_instead)
{
        struct wire_wait wait = { .counter = 7 };
        CHECK(wire_wait_read(wait_text, strlen(wait_text), &wait, NULL) == OK && wait.counter == 0);
        CHECK(wire_wait_read(instead_text, strlen(instead_text), &wait, NULL) == OK && wait.counter == 3);
        static const char zero[] = "{\"retry_ms\":500,\"reason\":\"\",\"counter\":0}";
        CHECK(wire_wait_read(zero, strlen(zero), &wait, NULL) == ERR_SYNTAX);
}

TEST(wire_report_read, fills_the_struct)
{
        struct wire_report report;
        CHECK(wire_report_read(report_text, strlen(report_text), &report, NULL) == OK);
        CHECK(report.seq == 12 && report.counter == 4 && strcmp(report.stream, "edr-rules") == 0 && strcmp(report.nonce, ID) == 0);
        CHECK(strcmp(report.outcome, "harmed") == 0 && strcmp(report.kind, "crash") == 0 && strcmp(report.detail, "signal 11") == 0);
        CHECK(report.running == 2 && report.starts == 9 && report.crashes == 2 && report.boots == 1 && report.fallbacks == 1);
        CHECK(report.proven == 2 && report.at == 1784432230);
}

/* The text with one part replaced. */
static const char *with(const char *text, const char *old, const char *new)
{
        static char changed[2000];
        const char *found = strstr(text, old);
        CHECK(found);
        snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(found - text), text, new, found + strlen(old));
        return changed;
}

struct bad {
        const char *old, *new, *complaint;
};

static void check_complaints(size_t body, const struct bad *bad, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                union any any;
                struct why why;
                const char *text = with(bodies[body].text, bad[i].old, bad[i].new);
                CHECK(bodies[body].read(text, strlen(text), &any, &why) == ERR_SYNTAX);
                CHECK(strstr(why.text, bad[i].complaint) == why.text);
        }
}

TEST(wire_enrol_read, checks_each_field)
{
        static const struct bad bad[] = {
                { "fbt_x", "", "token: not a string of 1 to 128 bytes" },
                { ID, "0123456789ABCDEF0123456789abcdef", "device: not 32 lower-case hex digits" },
                { ID, "0123", "device: not a string of 32 to 32 bytes" },
                { KEY, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA?", "key: not the base64 of 32 bytes" },
                { KEY, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "key: not the base64 of 32 bytes" },
                { "linux-amd64", "linux amd64", "platform: not a name" },
                { "\"all\"", "\"-all\"", "ring: not a name" },
                { "\"all\"", "\"\"", "ring: not a string of 1 to 64 bytes" },
                { "0.1.0", "0/1", "agent: not a name" },
                { "os=debian,", "os=debian,,", "attributes: `` is not NAME=NAME" },
                { "locale=de_DE", "locale=de_DE,", "attributes: `` is not NAME=NAME" },
                { "os=debian", "os", "attributes: `os` is not NAME=NAME" },
                { "os=debian", "=x", "attributes: `=x` is not NAME=NAME" },
                { "os=debian", "os=", "attributes: `os=` is not NAME=NAME" },
                { "os=debian", "os=a b", "attributes: `os=a b` is not NAME=NAME" },
                { "os=debian", "a=1,b=1,c=1,d=1,e=1,f=1,g=1", "attributes: more than 8" },
        };
        check_complaints(0, bad, sizeof(bad) / sizeof(bad[0]));
}

TEST(wire_enrol_read, takes_no_attributes_and_the_most)
{
        static const char *const good[] = { "", "a=1", "a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1" };
        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
                struct wire_enrol enrol;
                const char *text = with(enrol_text, "os=debian,os_version=12,locale=de_DE", good[i]);
                CHECK(wire_enrol_read(text, strlen(text), &enrol, NULL) == OK && strcmp(enrol.attributes, good[i]) == 0);
        }
}

TEST(wire_report_read, checks_each_field)
{
        static const struct bad bad[] = {
                { "\"seq\":12", "\"seq\":0", "seq: not an integer from 1" },
                { "\"counter\":4", "\"counter\":-1", "counter: not an integer from 0" },
                { "edr-rules", "edr/rules", "stream: not a name" },
                { "harmed", "hurt", "outcome: `hurt` is not" },
                { "crash\"", "crashed\"", "kind: `crashed` is not" },
                { "harmed", "proven", "kind: names the harm" },
                { "\"crash\"", "\"\"", "kind: names the harm" },
                { "\"at\":1784432230", "\"at\":\"now\"", "at: not an integer" },
                { "signal 11", "signal \\u0000", "line 1, column" },
        };
        check_complaints(6, bad, sizeof(bad) / sizeof(bad[0]));
        char proven[1000];
        snprintf(proven, sizeof(proven), "%s", with(report_text, "harmed", "proven"));
        const char *text = with(proven, "\"crash\"", "\"\"");
        struct wire_report report;
        CHECK(wire_report_read(text, strlen(text), &report, NULL) == OK);
}

TEST(device_bodies, check_the_rest)
{
        static const struct bad lease[] = { { DIGEST, ID, "target: not a string of 64 to 64 bytes" }, { "\"nonce\":\"0", "\"nonce\":\"z", "nonce: not 32" } };
        static const struct bad checkin[] = { { "\"busy\":0", "\"busy\":2", "busy: not an integer from 0 to 1" }, { "7", "7.0", "line 1, column 10" } };
        static const struct bad pace[] = { { "300000", "0", "pace_ms: not an integer from 1 to 86400000" }, { "300000", "86400001", "pace_ms: not" } };
        check_complaints(4, lease, 2);
        check_complaints(2, checkin, 2);
        check_complaints(3, pace, 2);
}

TEST(wire_goodbye_read, checks_each_field)
{
        static const struct bad bad[] = {
                { "reboot", "restart", "kind: `restart` is not suspend, shutdown or reboot" },
                { "reboot", "", "kind: not a string" },
                { "600", "0", "back_s: a reboot says when" },
                { "600", "-1", "back_s: not an integer from 0 to 2678400" },
                { "600", "2678401", "back_s: not an integer from 0 to 2678400" },
        };
        check_complaints(BODIES - 1, bad, sizeof(bad) / sizeof(bad[0]));
        struct wire_goodbye goodbye;
        static const char suspend[] = "{\"kind\":\"suspend\",\"back_s\":0}";
        CHECK(wire_goodbye_read(suspend, strlen(suspend), &goodbye, NULL) == OK && goodbye.back_s == 0);
}

TEST(device_bodies, fit_the_ceiling_of_a_request_at_their_largest)
{
        struct wire_enrol enrol = { .token = "" };
        memset(enrol.token, 't', WIRE_TOKEN_BYTES - 1);
        memset(enrol.attributes, 'a', WIRE_ATTRIBUTES_BYTES - 1);
        memset(enrol.platform, 'p', LIMIT_NAME_BYTES);
        memset(enrol.ring, 'r', LIMIT_NAME_BYTES);
        memset(enrol.agent, 'g', LIMIT_NAME_BYTES);
        struct wire_report report = { .seq = INT64_MAX, .counter = INT64_MAX };
        memset(report.detail, '\x01', WIRE_TEXT_BYTES - 1);
        OWN(buf) struct buf buf;
        buf_init(&buf, LIMIT_DEVICE_REQUEST_BYTES);
        wire_enrol_write(&enrol, &buf);
        CHECK(buf_check(&buf, NULL) == OK);
        buf_clear(&buf);
        wire_report_write(&report, &buf);
        CHECK(buf_check(&buf, NULL) == OK);
}

TEST(wire_name_check, is_strict)
{
        CHECK(wire_name_check("a", "x", NULL) == OK && wire_name_check("A.b_c+d-9", "x", NULL) == OK && wire_name_check("9", "x", NULL) == OK);
        CHECK(wire_name_check("0123456789012345678901234567890123456789012345678901234567890123", "x", NULL) == OK);
        static const char *const bad[] = { "", ".a", "-a", "_a", "+a", "a b", "a/b", "a\n", "\xC3\xA9", "a:b",
                                           "01234567890123456789012345678901234567890123456789012345678901234" };
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(wire_name_check(bad[i], "x", NULL) == ERR_SYNTAX);
}
