/* catalogue_data.h - what tools/scenarios-to-c makes of content/scenarios/, in the order of the names. */
#pragma once

#include "replay/catalogue.h"

extern const struct catalogue_entry catalogue_data[];
extern const size_t catalogue_data_count;
