#include "nft/spare.h"

#include "nft/rules.h"
#include "platform/channel.h"
#include "platform/clock.h"

enum { LOOK_AGAIN_MS = 10 };

void spare_start(struct spare *spare, const struct buf *script)
{
        static const char *const argv[] = { "nft", "-f", "-", NULL };
        int ends[2] = { -1, -1 };
        struct why why;
        *spare = (struct spare){ .input = -1 };
        buf_init(&spare->script, script->length + 1);
        buf_add(&spare->script, buf_text(script), script->length);
        if (buf_check(&spare->script, &why) || channel_stream(ends, &why))
                return;
        if (child_start(&(struct child_setup){ argv, ends[1], -1, -1, NULL, NULL, "/" }, &spare->child, &why) == OK)
                spare->input = ends[0];
        else
                channel_close(ends[0]);
        channel_close(ends[1]);
}

static enum err wait_for_end(struct spare *spare, struct why *why)
{
        struct clock *clock = clock_system();
        struct child_end end = { false, 0 };
        char text[32];
        const int64_t until = clock->ops->steady_ms(clock) + RULES_BACK_MS;
        while (!child_ended(&spare->child, &end)) {
                if (clock->ops->steady_ms(clock) >= until)
                        return FAIL(why, ERR_TIMEOUT, "the nft that waited: no end within %d ms", RULES_BACK_MS);
                clock->ops->sleep_ms(clock, LOOK_AGAIN_MS);
        }
        child_end_text(&end, text, sizeof(text));
        return end.is_signal || end.code ? FAIL(why, ERR_CONTENT, "the nft that waited: %s", text) : OK;
}

enum err spare_use(struct spare *spare, struct why *why)
{
        if (spare->input < 0)
                return FAIL(why, ERR_UNAVAILABLE, "no nft waits");
        enum err e = channel_pour(spare->input, buf_text(&spare->script), spare->script.length, RULES_BACK_MS, why);
        channel_close(spare->input);
        spare->input = -1;
        return e ? e : wait_for_end(spare, why);
}

void spare_done(struct spare *spare)
{
        child_kill(&spare->child);
        channel_close(spare->input);
        spare->input = -1;
        buf_done(&spare->script);
}
