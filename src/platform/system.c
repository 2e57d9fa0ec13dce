#include "platform/system.h"

bool system_has(enum system_part part)
{
        return part != SYSTEM_SERVICES;
}
