#include "nft/dead_man.h"

#include "nft/rules.h"
#include "nft/spare.h"
#include "platform/channel.h"
#include "platform/child.h"
#include "platform/clock.h"
#include "platform/lock.h"

enum {
        START_MS = 3000, LOOK_AGAIN_MS = 200, RETRY_MS = 500,
        LOCK_MS = 500,                   /* who holds it may be the very process that no longer runs */
};
static const char ready[] = "ready";

static int64_t now_ms(void)
{
        struct clock *clock = clock_system();
        return clock->ops->steady_ms(clock);
}

static enum err hear_ready(int channel, struct why *why)
{
        char text[sizeof(ready)];
        size_t length = 0;
        bool is_ready = false;
        const int64_t until = now_ms() + START_MS;
        enum err e = OK;
        while (!e && !is_ready && now_ms() < until)
                e = channel_wait(&channel, 1, until - now_ms(), &is_ready, why);
        if (!e && !is_ready)
                e = FAIL(why, ERR_TIMEOUT, "it does not say that it watches");
        return e ? e : channel_receive(channel, text, sizeof(text), &length, why);
}

enum err dead_man_start(const struct record *record, struct dead_man *ret_dead_man, struct why *why)
{
        int ends[2] = { -1, -1 };
        const char *const argv[] = { child_self, "switch", "--state", record->folder, "--channel", NULL };
        enum err e = channel_open(ends, why);
        if (!e)
                e = child_detach(&(struct child_setup){ argv, ends[1], -1, -1, NULL, NULL, "/" }, why);
        channel_close(ends[1]);
        if (!e)
                e = hear_ready(ends[0], why);
        if (e)
                channel_close(ends[0]);
        else
                ret_dead_man->channel = ends[0];
        return e ? DURING(why, e, "the dead man's switch") : OK;
}

void dead_man_leave(struct dead_man *dead_man)
{
        channel_close(dead_man->channel);
        dead_man->channel = -1;
}

/* Until the time is over, who started us is gone, or this arming is no longer there. A signal is no reason to look away. */
static void wait_for_end(const struct record *record, int channel, int64_t until_ms)
{
        struct record_armed armed;
        struct why why;
        bool is_over = false;
        while (!is_over && now_ms() < until_ms) {
                const int64_t left = until_ms - now_ms();
                if (channel_wait(&channel, 1, left < LOOK_AGAIN_MS ? left : LOOK_AGAIN_MS, &is_over, &why))
                        is_over = true;
                is_over |= record_is_armed(record, &armed, &why) != OK || armed.until_ms != until_ms;
        }
}

/* One that holds the lock and does not run any more must not hold up what has to be done. Once is enough, also where the disk does not take it down. */
static enum err bring_back(const struct record *record, int64_t until_ms, struct spare *spare, bool *is_back, struct why *why)
{
        struct record_armed armed = { until_ms, true };
        int lock = -1;
        struct why unlocked, spare_why;
        (void)!record_lock(record, LOCK_MS, &lock, &unlocked);
        enum err e = record_is_armed(record, &armed, why);
        const bool is_ours = e ? e != ERR_NOT_FOUND : armed.until_ms == until_ms;       /* what cannot be read, was not taken away */
        if (is_ours && !*is_back) {
                e = record_bring_back(record, why);
                *is_back = !e || spare_use(spare, &spare_why) == OK || record_apply_good(record, &spare_why) == OK;
        }
        if (is_ours && *is_back)
                e = record_returned(record, why);
        lock_give(lock);
        return is_ours ? e : OK;
}

enum err dead_man_watch(const struct record *record, int channel, struct why *why)
{
        struct clock *clock = clock_system();
        struct record_armed armed;
        OWN(buf) struct buf script;
        OWN(spare) struct spare spare;
        buf_init(&script, RULES_BYTES_MAX + 8192);
        enum err e = record_is_armed(record, &armed, why);
        if (!e)
                e = record_read(record, "armed", &script, why);
        spare_start(&spare, &script);
        if (e)
                return e == ERR_NOT_FOUND ? OK : e;
        channel_child_deaf();
        if (channel >= 0)
                e = channel_send(channel, ready, sizeof(ready), why);
        if (!e)
                wait_for_end(record, channel, armed.until_ms);
        bool is_back = false;
        while ((e = bring_back(record, armed.until_ms, &spare, &is_back, why)) != OK)
                clock->ops->sleep_ms(clock, RETRY_MS);
        return OK;
}
