/* report.h - a report of the slot record, as the body that the server reads and as a line for people. */
#pragma once

#include "agent/slot.h"
#include "base/buf.h"

void report_write(const struct slot_report *report, struct buf *into);

/* `harmed, release 8 -> release 6: 1 unfinished starts, 0 crashes` */
struct report_line { char text[SLOT_DETAIL_BYTES + 96]; };
struct report_line report_line(const struct slot_report *report);
