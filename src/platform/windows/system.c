#include "platform/system.h"

/* See docs/decisions/025-windows.md: what each of them would take. */
bool system_has(enum system_part part)
{
        return part == SYSTEM_SERVICES;
}
