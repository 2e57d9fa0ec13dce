#include "agent/report.h"

#include "support/test.h"
#include "wire/device.h"

#include <string.h>

TEST(report_line, says_what_ended_what_runs_now_and_why)
{
        struct slot_report report = { .outcome = SLOT_HARMED, .counter = 8, .running = 6, .detail = "1 unfinished starts, 0 crashes" };
        CHECK(strcmp(report_line(&report).text, "harmed, release 8 -> release 6: 1 unfinished starts, 0 crashes") == 0);
        report.running = 0;
        CHECK(strncmp(report_line(&report).text, "harmed, release 8 -> the factory content: ", 42) == 0);
        report = (struct slot_report){ .outcome = SLOT_PROVEN, .counter = 8, .running = 8 };
        CHECK(strcmp(report_line(&report).text, "proven, release 8") == 0);
        memset(report.detail, 'x', sizeof(report.detail) - 1);
        report.running = report.counter = UINT64_MAX;
        CHECK(strlen(report_line(&report).text) == strlen("proven, release 18446744073709551615: ") + sizeof(report.detail) - 1);
}

TEST(report_write, makes_what_the_server_reads_for_every_outcome_and_kind)
{
        for (unsigned outcome = 0; outcome < SLOT_OUTCOMES; outcome++)
                for (unsigned kind = 0; kind < SLOT_KINDS; kind++) {
                        const struct slot_report report = {
                                .seq = 12, .stream = "edr-rules", .counter = 4, .running = 2, .at = 1784432230, .outcome = (uint8_t)outcome,
                                .kind = (uint8_t)kind, .nonce = { 0xab }, .detail = "signal 11", .counters = { 9, 2, 1, 1, 2 },
                        };
                        OWN(buf) struct buf body;
                        buf_init(&body, LIMIT_DEVICE_REQUEST_BYTES);
                        report_write(&report, &body);
                        struct wire_report read;
                        enum err e = wire_report_read(buf_text(&body), body.length, &read, NULL);
                        CHECK((e == OK) == ((outcome == SLOT_HARMED) == (kind != SLOT_KIND_NONE)));
                        CHECK(e || (read.seq == 12 && read.fallbacks == 1 && read.running == 2 && strncmp(read.nonce, "ab00", 4) == 0));
                }
}
