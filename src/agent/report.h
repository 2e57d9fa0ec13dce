/* report.h - a report of the slot record as the body that the server reads. */
#pragma once

#include "agent/slot.h"
#include "base/buf.h"

void report_write(const struct slot_report *report, struct buf *into);
