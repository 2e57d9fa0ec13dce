#include "cli/release_id.h"

#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum err release_id_parse(const char *text, struct release_id *ret_id, struct why *why)
{
        struct release_id id = { 0 };
        const char *slash = strrchr(text, '/');
        if (slash && slash - text < (ptrdiff_t)sizeof(id.stream))
                snprintf(id.stream, sizeof(id.stream), "%.*s", (int)(slash - text), text);
        const char *digits = slash ? slash + 1 : "";
        size_t length = strlen(digits);
        if (!name_is_good(id.stream) || length < 1 || length > 9 || strspn(digits, "0123456789") != length || digits[0] == '0')
                return FAIL(why, ERR_USAGE, "`%.80s` names no release; write STREAM/COUNTER, as edr-rules/4", text);
        id.counter = strtoll(digits, NULL, 10);
        *ret_id = id;
        return OK;
}

void release_id_path(const struct release_id *id, const char *prefix, const char *suffix, char path[static 160])
{
        snprintf(path, 160, "%s/%s/%lld%s", prefix, id->stream, (long long)id->counter, suffix);
}
