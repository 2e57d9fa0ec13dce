/* tally.h - things told by their bytes: numbered in the order in which they are first met, and counted.
 *
 * There is a ceiling: what is new when it is reached gets no number. */
#pragma once

#include "base/err.h"
#include "base/own.h"

#include <stddef.h>
#include <stdint.h>

enum { TALLY_COUNTS = 3 };
static const uint32_t tally_none = UINT32_MAX;

struct tally;

MUST_CHECK enum err tally_new(uint32_t most, struct tally **ret_tally, struct why *why);
void tally_free(struct tally *tally);
OWN_DEFINE(tally, struct tally *, tally_free)

/* Its number; of a new one the next; `tally_none` when there is no room for a new one. */
MUST_CHECK enum err tally_number(struct tally *tally, const void *bytes, size_t length, uint32_t *ret_number, struct why *why);

uint32_t tally_size(const struct tally *tally);
/* Borrowed until the next tally_number(); the bytes are followed by a NUL. */
const void *tally_bytes(const struct tally *tally, uint32_t number);
uint32_t *tally_counts(const struct tally *tally, uint32_t number);      /* TALLY_COUNTS of them, the caller's to use */
