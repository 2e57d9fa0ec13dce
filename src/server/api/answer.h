/* answer.h - the head of an answer, and the time as HTTP writes it. */
#pragma once

#include "server/api/exchange.h"

void answer_head_write(const struct answer *answer, const char *date, bool closes, struct buf *into);

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
void answer_date(int64_t unix_s, char text[32]);
