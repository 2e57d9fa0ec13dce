#include "agent/report.h"

#include "format/hex.h"
#include "wire/device.h"
#include "wire/outcome.h"

#include <inttypes.h>
#include <string.h>

_Static_assert((int)SLOT_PROVEN == (int)WIRE_PROVEN && (int)SLOT_HARMED == (int)WIRE_HARMED && (int)SLOT_DECLINED == (int)WIRE_DECLINED
               && (int)SLOT_PREFLIGHT_FAILED == (int)WIRE_PREFLIGHT_FAILED && (int)SLOT_OUTCOMES == (int)WIRE_OUTCOMES, "outcome.def is on disk");
_Static_assert((int)SLOT_KIND_NONE == (int)WIRE_KIND_NONE && (int)SLOT_CRASH == (int)WIRE_KIND_CRASH && (int)SLOT_BOOT_LOOP == (int)WIRE_KIND_BOOT_LOOP
               && (int)SLOT_ROLLED_BACK == (int)WIRE_KIND_ROLLED_BACK && (int)SLOT_PROBE_FAILED == (int)WIRE_KIND_PROBE_FAILED
               && (int)SLOT_HUMAN == (int)WIRE_KIND_HUMAN && (int)SLOT_KINDS == (int)WIRE_KINDS, "outcome.def is on disk");

struct release_name { char text[32]; };
static struct release_name release_name(uint64_t counter)
{
        struct release_name name = { "the factory content" };
        if (counter)
                snprintf(name.text, sizeof(name.text), "release %" PRIu64, counter);
        return name;
}

struct report_line report_line(const struct slot_report *report)
{
        struct report_line line;
        bool has_moved = report->running != report->counter;
        snprintf(line.text, sizeof(line.text), "%s, %s%s%s%s%s", wire_outcome_word((enum wire_outcome)report->outcome), release_name(report->counter).text,
                 has_moved ? " -> " : "", has_moved ? release_name(report->running).text : "", report->detail[0] ? ": " : "", report->detail);
        return line;
}

void report_write(const struct slot_report *report, struct buf *into)
{
        struct wire_report body = {
                .seq = (int64_t)report->seq, .counter = (int64_t)report->counter, .running = (int64_t)report->running,
                .starts = (int64_t)report->counters.starts, .crashes = (int64_t)report->counters.crashes,
                .boots = (int64_t)report->counters.boots, .fallbacks = (int64_t)report->counters.fallbacks,
                .proven = (int64_t)report->counters.proven, .at = report->at,
        };
        snprintf(body.stream, sizeof(body.stream), "%.64s", report->stream);
        hex_encode(report->nonce, sizeof(report->nonce), body.nonce);
        snprintf(body.outcome, sizeof(body.outcome), "%s", wire_outcome_word((enum wire_outcome)report->outcome));
        snprintf(body.kind, sizeof(body.kind), "%s", wire_kind_word((enum wire_kind)report->kind));
        snprintf(body.detail, sizeof(body.detail), "%s", report->detail);
        wire_report_write(&body, into);
}
