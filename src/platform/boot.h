/* boot.h - which start of the machine this is. */
#pragma once

#include <stdint.h>

/* The same until the machine starts anew, also when its clock is set; another one then. 0: the system does not say. */
uint32_t boot_number(void);
