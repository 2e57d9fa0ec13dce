/* Whatever a server sends as a rollout, no byte of the screen commands the terminal. */
#include "cli/view.h"
#include "format/json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);
int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
        OWN(json) struct json *rollout = NULL;
        if (json_parse(bytes, length, 1 << 16, &rollout, NULL) != OK)
                return 0;
        OWN(buf) struct buf screen;
        buf_init(&screen, 1 << 24);
        view_rollout(&(struct view){ .columns = 80, .rows = 24, .now = 1065 }, rollout, &screen);
        for (const char *at = buf_text(&screen); *at; at++)
                if (*at != '\n' && (unsigned char)*at < 0x20)
                        abort();
        return 0;
}
