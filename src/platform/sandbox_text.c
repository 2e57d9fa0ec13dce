#include "platform/sandbox.h"

#include <stdio.h>

void sandbox_result_init(struct sandbox_result *result, size_t output_max)
{
        *result = (struct sandbox_result){ 0 };
        buf_init(&result->output, output_max);
        buf_init(&result->errors, output_max);
}

void sandbox_result_done(struct sandbox_result *result)
{
        buf_done(&result->output);
        buf_done(&result->errors);
}

void sandbox_walls_text(unsigned walls, char text[SANDBOX_WALLS_TEXT_MAX])
{
        static const struct { enum sandbox_wall wall; const char *name; } names[] = {
                { SANDBOX_OFFLINE, "offline" }, { SANDBOX_PROCESSES, "processes" }, { SANDBOX_READONLY, "readonly" },
                { SANDBOX_CAPABILITIES, "capabilities" }, { SANDBOX_SECCOMP, "seccomp" }, { SANDBOX_RLIMIT, "rlimit" },
        };
        size_t length = 0;
        text[0] = 0;
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (walls & names[i].wall)
                        length += (size_t)snprintf(text + length, SANDBOX_WALLS_TEXT_MAX - length, "%s%s", length ? "," : "", names[i].name);
}

void sandbox_end_text(const struct sandbox_run *run, const struct sandbox_result *result, char *text, int size)
{
        if (result->is_timeout)
                snprintf(text, (size_t)size, "no end within %lld s", (long long)(run->limits.wall_ms + 999) / 1000);
        else
                snprintf(text, (size_t)size, "%s %d", result->is_signal ? "signal" : "exit", result->code);
}
