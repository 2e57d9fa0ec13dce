/* terminal.h - what is at the other end of a stream: a person with so many columns, or a program. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdio.h>

bool terminal_is(FILE *stream);
unsigned terminal_columns(FILE *stream);      /* 80 when unknown */
unsigned terminal_rows(FILE *stream);         /* 24 when unknown */

/* Ask the person at the controlling terminal for a secret (no echo, no signals from keys meanwhile).
 * The line's end is not part of it. ERR_UNAVAILABLE without a terminal, ERR_LIMIT past `size`. */
MUST_CHECK enum err terminal_ask_secret(const char *prompt, char *secret, size_t size, struct why *why);
