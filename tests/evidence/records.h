/* records.h - a lab record that is right, for tests to change. */
#pragma once

#include "evidence/record.h"

#define TARGET_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define TARGET_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static inline struct record test_record(const char *origin, const char *stage, enum record_status status)
{
        return (struct record){
                .stream = "edr-rules", .counter = 4, .target = TARGET_A, .origin = origin, .stage = stage, .check = "org.firebreak.yara.legit",
                .platform = "linux-amd64", .why = "", .check_version = 1, .engine = { "firebreak-yarad", "2.1", TARGET_B }, .status = status,
                .cases = 412, .failed = status == RECORD_FAIL, .saw = { 412, 73400320, 3, true }, .corpus = TARGET_B, .limits = "rlimit",
                .log = TARGET_B, .started = 1784432000, .finished = 1784432002,
        };
}
