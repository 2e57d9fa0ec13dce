/* catalogue.h - the scenarios that come with the program: content/scenarios/, built in, in the order of their names. */
#pragma once

#include <stddef.h>

struct catalogue_entry { const char *name, *bytes; size_t length; };      /* name: "july-19" */

size_t catalogue_count(void);
const struct catalogue_entry *catalogue_at(size_t at);
const struct catalogue_entry *catalogue_find(const char *name);          /* NULL: none */
