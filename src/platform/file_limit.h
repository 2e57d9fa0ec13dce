/* file_limit.h - what the system allows this process to do with files. */
#pragma once

/* How many it may have open, connections among them. Raises it as far as the system lets us, and says how far that is. */
unsigned file_limit_raise(void);

/* First thing in main(): what was closed of 0 to 2 leads to nothing, or the first file that is opened would be what everything is printed to. Where not
 * even that can be, the process ends. */
void file_limit_standard(void);

/* And then: from now on writing past a limit on the size of files fails (ERR_FULL), and does not end the program. */
void file_limit_size_fails(void);
