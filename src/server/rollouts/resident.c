#include "server/rollouts/resident.h"

#include <stdio.h>
#include <string.h>

void resident_block(const struct resident *resident, char name[RESIDENT_NAME_BYTES])
{
        const char *site = attributes_get(&resident->attributes, "site"), *group = attributes_get(&resident->attributes, "group");
        snprintf(name, RESIDENT_NAME_BYTES, "%s/%s", resident->ring, site ? site : group ? group : resident->group);
}

size_t resident_strata(const struct resident *resident, char names[RESIDENT_STRATA][RESIDENT_NAME_BYTES])
{
        size_t count = 0;
        for (size_t i = 0; i < resident->attributes.count; i++) {
                const struct attribute *attribute = &resident->attributes.items[i];
                if (strcmp(attribute->key, "site") != 0 && strcmp(attribute->key, "timezone") != 0)
                        snprintf(names[count++], RESIDENT_NAME_BYTES, "%s=%s", attribute->key, attribute->value);
        }
        if (!attributes_get(&resident->attributes, "agent"))
                snprintf(names[count++], RESIDENT_NAME_BYTES, "agent=%s", resident->agent);
        return count;
}

enum rollout_ring resident_ring(const char *name)
{
        if (strcmp(name, "early") == 0)
                return ROLLOUT_RING_EARLY;
        return strcmp(name, "late") == 0 ? ROLLOUT_RING_LATE : ROLLOUT_RING_ALL;
}
