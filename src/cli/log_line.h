/* log_line.h - an entry of a log, said in one line: `12  release  edr-rules/5  <digest>`. Texts that we do not know are shown as such,
 * cut and without what could command a terminal. Pure. */
#pragma once

#include "base/buf.h"
#include "log/entries.h"

#include <stdint.h>

struct json;

void log_line(uint64_t index, const struct entry *entry, struct buf *into);
/* {"index":12,"kind":"release","name":"edr-rules","number":5,"digest":"…"}; {"index":13,"kind":null,"length":7,"text":"entry 7"} of what is unknown. */
struct json *log_line_json(uint64_t index, const struct entry *entry);
