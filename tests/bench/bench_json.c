/* Reading and writing one report of a device (230 bytes, 14 fields): flat.h against json.h, and jansson as a yardstick.
 * Prints one JSON object; asserts nothing about time. */
#include "base/limits.h"
#include "format/canon.h"
#include "format/json.h"
#include "support/jansson.h"
#include "wire/device.h"

#include <inttypes.h>
#include <string.h>

enum { ROUNDS = 9, TURNS = 20000 };

static const char report[] =
        "{\"seq\":12,\"stream\":\"edr-rules\",\"counter\":4,\"nonce\":\"0123456789abcdef0123456789abcdef\",\"outcome\":\"harmed\",\"kind\":\"crash\","
        "\"detail\":\"signal 11\",\"running\":2,\"starts\":9,\"crashes\":2,\"boots\":1,\"fallbacks\":1,\"proven\":2,\"at\":1784432230}";

static bool flat_read_once(void)
{
        struct wire_report into;
        return wire_report_read(report, sizeof(report) - 1, &into, NULL) == OK && into.seq == 12;
}

static bool flat_write_once(void)
{
        static struct wire_report from;
        OWN(buf) struct buf buf;
        buf_init(&buf, LIMIT_DEVICE_REQUEST_BYTES);
        if (!from.seq && wire_report_read(report, sizeof(report) - 1, &from, NULL))
                return false;
        wire_report_write(&from, &buf);
        return buf.length == sizeof(report) - 1;
}

static bool tree_read_once(void)
{
        OWN(json) struct json *json = NULL;
        return json_parse(report, sizeof(report) - 1, LIMIT_DEVICE_REQUEST_BYTES, &json, NULL) == OK && json_int(json_get(json, "seq"), 0) == 12;
}

static bool canon_once(void)
{
        OWN(json) struct json *json = NULL;
        OWN(buf) struct buf buf;
        buf_init(&buf, LIMIT_DEVICE_REQUEST_BYTES);
        return json_parse(report, sizeof(report) - 1, LIMIT_DEVICE_REQUEST_BYTES, &json, NULL) == OK && canon_write(json, &buf, NULL) == OK;
}

static bool jansson_read_once(void) { return jansson_reads(report, sizeof(report) - 1); }

static int64_t now_ns(void)
{
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
        int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
        return (left > right) - (left < right);
}

/* The median of the rounds, ns a turn. -1: it failed. */
static int64_t measure(bool (*once)(void))
{
        int64_t rounds[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
                int64_t began = now_ns();
                for (int turn = 0; turn < TURNS; turn++)
                        if (!once())
                                return -1;
                rounds[round] = (now_ns() - began) / TURNS;
        }
        qsort(rounds, ROUNDS, sizeof(rounds[0]), compare);
        return rounds[ROUNDS / 2];
}

int main(void)
{
        static const struct { const char *name; bool (*once)(void); } rows[] = {
                { "flat_read", flat_read_once }, { "flat_write", flat_write_once }, { "tree_read", tree_read_once },
                { "tree_read_and_canon", canon_once }, { "jansson_read", jansson_read_once },
        };
        bool is_good = true;
        printf("{\"bench\":\"json\",\"bytes\":%zu,\"unit\":\"ns\"", sizeof(report) - 1);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                int64_t ns = measure(rows[i].once);
                is_good = is_good && ns >= 0;
                printf(",\"%s\":%" PRId64, rows[i].name, ns);
        }
        printf("}\n");
        return is_good ? 0 : 1;
}
