#include "cli/ramp.h"

#include "cli/options.h"

#include <string.h>

static enum err read_step(const char *text, struct ceiling_step *ret_step, struct why *why)
{
        char after[32];
        int64_t ppm = 0;
        const char *colon = strchr(text, ':');
        if (!colon || colon - text >= (ptrdiff_t)sizeof(after))
                return FAIL(why, ERR_USAGE, "write AFTER:SHARE, as 1h:5%%");
        snprintf(after, sizeof(after), "%.*s", (int)(colon - text), text);
        enum err e = duration_parse(after, &ret_step->after_s, why);
        if (!e)
                e = share_parse(colon + 1, &ppm, why);
        if (!e && ppm > CEILING_ALL_PPM)
                e = FAIL(why, ERR_USAGE, "at most 100%%");
        ret_step->ppm = (uint32_t)ppm;
        return e;
}

enum err ramp_read(const char *what, const struct ramp_texts *texts, struct ceiling *ret_ceiling, struct why *why)
{
        struct ceiling ceiling = { .count = texts->count };
        if (texts->count > CEILING_STEPS_MAX)
                return FAIL(why, ERR_LIMIT, "the %s has more than %d steps", what, CEILING_STEPS_MAX);
        for (size_t i = 0; i < texts->count; i++) {
                struct ceiling_step *step = &ceiling.steps[i];
                enum err e = read_step(texts->items[i], step, why);
                if (!e && i && (step->after_s <= step[-1].after_s || step->ppm <= step[-1].ppm))
                        e = FAIL(why, ERR_USAGE, "steps go up in time and in share, to 100%%");
                if (e)
                        return DURING(why, e, "%s `%.40s`", what, texts->items[i]);
        }
        *ret_ceiling = ceiling;
        return OK;
}
