#include "agent/systemctl.h"

#include "platform/channel.h"
#include "platform/child.h"

#include <string.h>

enum { LOOK_AGAIN_MS = 50 };

static bool is_late(const struct systemctl *ask)
{
        return ask->clock && ask->clock->ops->steady_ms(ask->clock) >= ask->until_ms;
}

/* Until it ends. We keep the other end, so that the pipe has no end of its own. */
static enum err listen_to(const struct systemctl *ask, struct child *child, int pipe, struct buf *into, struct why *why)
{
        struct child_end end;
        char bytes[512];
        bool is_ready, has_ended = false;
        enum err e = OK;
        while (!e && !has_ended) {
                e = channel_wait(&pipe, 1, LOOK_AGAIN_MS, &is_ready, why);
                has_ended = child_ended(child, &end);
                for (size_t got = 1; got;) {
                        got = channel_pipe_take(pipe, bytes, sizeof(bytes));
                        buf_add(into, bytes, got);
                }
                if (!e && !has_ended && is_late(ask))
                        return FAIL(why, ERR_TIMEOUT, "systemctl does not answer");
        }
        if (!e && (end.is_signal || end.code)) {
                char text[32];
                child_end_text(&end, text, sizeof(text));
                e = FAIL(why, ERR_UNAVAILABLE, "systemctl: %s: %.*s", text, (int)strcspn(buf_text(into), "\n"), buf_text(into));
        }
        return e ? e : buf_check(into, why);
}

enum err systemctl_ask(const struct systemctl *ask, struct buf *into, struct why *why)
{
        int ends[2] = { -1, -1 };
        struct child child = { 0 };
        enum err e = channel_pipe(ends, why);
        if (!e)
                e = child_start(&(struct child_setup){ ask->argv, -1, ends[1], ends[1], NULL, NULL, NULL }, &child, why);
        if (!e)
                e = listen_to(ask, &child, ends[0], into, why);
        child_kill(&child);
        channel_close(ends[0]);
        channel_close(ends[1]);
        return e;
}
