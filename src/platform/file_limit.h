/* file_limit.h - how many files and connections this process may have open. */
#pragma once

/* Raises it as far as the system lets us, and says how far that is. */
unsigned file_limit_raise(void);
