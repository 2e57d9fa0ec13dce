/* log_file.h - standard error for a program's own log, that never waits for its reader.
 *
 * Lines that a full pipe or socket does not take are lost and counted; the count is said as soon as there is room again. */
#pragma once

#include <stdio.h>

/* Flushed a line at a time (fflush), each up to LOG_FILE_LINE_MAX bytes; NULL: out of memory. Close with fclose(). */
enum { LOG_FILE_LINE_MAX = 4096 };
FILE *log_file_open(void);
