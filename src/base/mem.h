/* mem.h - the only door to the heap; tests make it fail. */
#pragma once

#include "base/own.h"

#include <stddef.h>

void *mem_new(size_t count, size_t size); /* zeroed; NULL when there is none */

/* Like realloc(3), except that a failure leaves the old block as it was; new bytes are not zeroed. */
void *mem_resize(void *memory, size_t size);
void mem_free(void *memory);
OWN_DEFINE(memory, void *, mem_free)

/* Zeroes a secret, also where nobody reads the memory afterwards. */
void mem_wipe(void *memory, size_t size);

extern void *(*mem_hook)(size_t count, size_t size); /* tests only; see tests/support/sweep.h */
