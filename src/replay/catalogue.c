#include "replay/catalogue.h"

#include "replay/catalogue_data.h"

#include <string.h>

size_t catalogue_count(void) { return catalogue_data_count; }

const struct catalogue_entry *catalogue_at(size_t at) { return &catalogue_data[at]; }

const struct catalogue_entry *catalogue_find(const char *name)
{
        for (size_t i = 0; i < catalogue_data_count; i++)
                if (strcmp(catalogue_data[i].name, name) == 0)
                        return &catalogue_data[i];
        return NULL;
}
