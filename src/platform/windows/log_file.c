#include "platform/log_file.h"

#include <io.h>
#include <stdio.h>

/* Standard error under a descriptor of its own. Windows does not say whether a pipe has room, so a reader that stops can hold up the log. */
FILE *log_file_open(void)
{
        int copy = _dup(_fileno(stderr));
        FILE *file = copy < 0 ? NULL : _fdopen(copy, "wb");
        if (file)
                (void)setvbuf(file, NULL, _IOFBF, LOG_FILE_LINE_MAX + 1);
        return file;
}
