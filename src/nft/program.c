#include "nft/program.h"

#include "platform/channel.h"
#include "platform/child.h"
#include "platform/clock.h"

#include <string.h>

enum {
        LOOK_AGAIN_MS = 10, LINE_BYTES = 200,
        PARTS_MAX = 64,                  /* at a time: who writes without end must not keep us from looking at the clock. A pipe holds 16 */
};

static void take(int pipe, struct buf *into)
{
        char bytes[4096];
        size_t got = 1;
        for (int parts = 0; got && parts < PARTS_MAX; parts++) {
                got = channel_pipe_take(pipe, bytes, sizeof(bytes));
                buf_add(into, bytes, got);
        }
}

/* We keep the other end of the pipe, so that it has no end of its own; a child is therefore looked at, too. */
static enum err attend(struct child *child, int pipe, int64_t timeout_ms, struct buf *into, struct child_end *ret_end, struct why *why)
{
        struct clock *clock = clock_system();
        const int64_t until = clock->ops->steady_ms(clock) + timeout_ms;
        bool is_ready;
        while (!child_ended(child, ret_end)) {
                if (clock->ops->steady_ms(clock) >= until)
                        return FAIL(why, ERR_TIMEOUT, "no end within %lld ms", (long long)timeout_ms);
                enum err e = channel_wait(&pipe, 1, LOOK_AGAIN_MS, &is_ready, why);
                if (e)
                        return e;
                take(pipe, into);
        }
        take(pipe, into);
        return OK;
}

/* The first one, but not one that only says where: "In file included from". */
static const char *line_that_tells(const char *text)
{
        const char *at = strstr(text, "Error: ");
        while (at && at > text && at[-1] != '\n')
                at--;
        return at ? at : text;
}

static enum err run(const char *const *argv, const int pipe[2], int64_t timeout_ms, struct buf *into, struct why *why)
{
        struct child child = { 0 };
        struct child_end end = { false, 0 };
        char text[32];
        enum err e = child_start(&(struct child_setup){ argv, -1, pipe[1], pipe[1], NULL, NULL, NULL }, &child, why);
        if (e)
                return e == ERR_NOT_FOUND ? DURING(why, ERR_UNAVAILABLE, "not installed?") : e;
        e = attend(&child, pipe[0], timeout_ms, into, &end, why);
        child_kill(&child);
        if (e)
                return e;
        if (!end.is_signal && !end.code)
                return buf_check(into, why);
        child_end_text(&end, text, sizeof(text));
        const char *line = line_that_tells(buf_text(into));
        int length = (int)strcspn(line, "\n");
        return FAIL(why, ERR_CONTENT, "%s: %.*s", text, length < LINE_BYTES ? length : LINE_BYTES, line);
}

enum err program_run(const char *const *argv, int64_t timeout_ms, struct buf *into, struct why *why)
{
        int pipe[2] = { -1, -1 };
        enum err e = channel_pipe(pipe, why);
        if (!e)
                e = run(argv, pipe, timeout_ms, into, why);
        channel_close(pipe[0]);
        channel_close(pipe[1]);
        return e ? DURING(why, e, "%s", argv[0]) : OK;
}
