/* system.h - what this system has at all, for a configuration to be judged by before anything is started. */
#pragma once

#include <stdbool.h>

enum system_part {
        SYSTEM_UNITS,            /* services that are known by the name of a unit, and tell how they are */
        SYSTEM_SIGNALS,          /* a program can be told to load anew while it runs, also one of a pid file */
        SYSTEM_HANDOVER,         /* a process can go on as another program, and what it started runs on: handover.h */
        SYSTEM_PACKAGES,         /* a database of which files its packages brought, which packages.h reads */
        SYSTEM_LINKS,            /* a name that programs follow to another folder, and that is replaced in one step */
        SYSTEM_USERS,            /* of which a process can become another one */
        SYSTEM_SERVICES,         /* a manager of services that a program makes itself known to: service.h; elsewhere a file does that */
};
bool system_has(enum system_part part);
